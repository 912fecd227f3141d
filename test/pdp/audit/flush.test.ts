import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Chain } from '../../../pdp/audit/chain.ts'
import { groupFlush } from '../../../pdp/audit/flush.ts'
import { openWriter } from '../../../pdp/audit/writer.ts'
import { clock } from './clock.ts'
import { scratch } from './kit.ts'

const noFile = 1_000_000
const refused = expect.objectContaining({ name: 'Refusal', code: 'audit_unavailable' })

test('all who ask before a wait begins share it, and it begins after the one before it ended', async () => {
  const fd = openSync(join(scratch(), 'file'), 'w')
  let begun = 0
  const flush = groupFlush(() => {
    begun += 1
    return fd
  })
  const waits = Array.from({ length: 20 }, () => flush.flushed())
  await Promise.resolve()
  waits.push(...Array.from({ length: 20 }, () => flush.flushed()))
  await Promise.all(waits)
  expect(begun).toBe(2)
  await flush.idle()
  closeSync(fd)
})

test('a wait that fails fails for all who share it', async () => {
  const flush = groupFlush(() => noFile)
  const results = await Promise.allSettled([flush.flushed(), flush.flushed()])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await flush.idle()
})

// A chain whose files fail as told: no disk can be made to.
function chainOn(disk: { write: boolean; flush: boolean }): Chain {
  const flush = groupFlush(() => noFile)
  const head = { seq: 1, hash: '', timestamp: '' }
  return {
    end: () => ({ seq: 1, hash: '', bytes: 0, file: '', head }),
    write() {
      if (!disk.write) throw new Error('ENOSPC: no space left on device, write')
    },
    checkpoint: () => undefined,
    flushed: () => (disk.flush ? Promise.resolve() : flush.flushed()),
    close: async () => undefined,
  }
}

test('after a failed write nothing is written until the log was opened anew, a second later at the earliest', () => {
  const time = clock()
  const disk = { write: false, flush: true }
  const gaps: unknown[] = []
  const writer = openWriter((gap) => {
    gaps.push(gap)
    return chainOn(disk)
  }, time.now)
  const write = () => writer.run((chain) => chain.write([]))
  expect(write).toThrow(refused)
  disk.write = true
  time.pass(999)
  expect(write).toThrow('ENOSPC')
  expect(gaps).toEqual([undefined])
  writer.drop()
  time.pass(1)
  write()
  expect(gaps[1]).toMatchObject({ failed_since: '2026-01-02T03:04:05.000Z', dropped: 1 })
  expect(writer.status()).toMatchObject({ dropped: 0 })
  expect(writer.status().failure).toBeUndefined()
})

test('after a failed wait for the disk nothing is written until the gate starts anew', async () => {
  const time = clock()
  const writer = openWriter(() => chainOn({ write: true, flush: false }), time.now)
  writer.run((chain) => chain.write([]))
  await expect(writer.flushed()).rejects.toEqual(refused)
  time.pass(60_000)
  expect(() => writer.run((chain) => chain.write([]))).toThrow(refused)
  await writer.close()
})

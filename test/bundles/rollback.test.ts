import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { folderPermits, type Permit } from '../../bundles/rollback.ts'
import type { Source } from '../../bundles/source.ts'
import { folderStore } from '../../bundles/store.ts'
import { supply } from '../../bundles/supply.ts'
import type { Happening } from '../../pdp/parts.ts'
import { bundle, scratch, trust } from './kit.ts'

/** A source whose bundle a test exchanges, with a gate that fetches from it. */
function gateWith(folder: string) {
  let offered: Buffer = Buffer.alloc(0)
  let changed = Promise.withResolvers<void>()
  const observed: Happening[] = []
  const source: Source = {
    place: 'the test',
    retryMsMax: 5,
    fetch: async () => ({ kind: 'bundle', bytes: offered }),
    changed: (signal) => Promise.race([changed.promise, sleep(5, undefined, { signal })]),
  }
  const stop = new AbortController()
  const running = supply({
    name: 'main',
    source,
    trust,
    store: folderStore(folder, 'main'),
    permits: folderPermits(folder, 'main'),
    activate: async () => undefined,
    refreshed: () => undefined,
    observe: (happening) => observed.push(happening),
    signal: stop.signal,
  })
  onTestFinished(() => {
    stop.abort()
    return running.ended
  })
  const offer = (bytes: Buffer): void => {
    offered = bytes
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const sequence = () => running.status().active_sequence
  return { offer, sequence, status: running.status, observed }
}

const permit = (more: Partial<Permit> = {}): Permit => ({
  sequence: 3,
  because: 'r7 locks out support',
  by: 'ops',
  until_ms: Date.now() + 60_000,
  ...more,
})
const soon = { interval: 2, timeout: 5_000 }

test('one older bundle comes back once, and it is said who allowed it and why', async () => {
  const folder = scratch()
  const gate = gateWith(folder)
  const [old, older, next] = await Promise.all(
    [3, 2, 7].map((n) => bundle(`r${n}`, { sequence: n })),
  )
  if (!old || !older || !next) throw new Error('three bundles were made')
  gate.offer(next)
  await expect.poll(gate.sequence, soon).toBe(7)
  gate.offer(old)
  await expect.poll(() => gate.status().message, soon).toContain('older than 7')
  await folderPermits(folder, 'main').grant(permit())
  await expect.poll(gate.sequence, soon).toBe(3)
  const said = 'back from sequence 7 to 3, allowed by ops: r7 locks out support'
  expect(gate.observed).toContainEqual({
    kind: 'bundle',
    change: 'activated',
    name: 'main',
    revision: 'r3',
    message: said,
  })
  gate.offer(older)
  await expect.poll(() => gate.status().message, soon).toContain('older than 3')
  gate.offer(next)
  await expect.poll(gate.sequence, soon).toBe(7)
  gate.offer(old)
  await expect.poll(() => gate.status().message, soon).toContain('older than 7')
  expect(readdirSync(folder)).not.toContain('main.rollback.json')
})

test.each([
  ['another sequence', permit({ sequence: 2 })],
  ['a time that is over', permit({ until_ms: 1 })],
  ['no reason', permit({ because: '' })],
])('a permit with %s allows nothing', async (_what, given) => {
  const permits = folderPermits(scratch(), 'main')
  await permits.grant(given)
  expect(await permits.take(3)).toBeUndefined()
})

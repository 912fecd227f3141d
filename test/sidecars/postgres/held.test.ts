import { expect, test } from 'vitest'
import { names } from '../../../sidecars/postgres/names.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { type Client, letters, loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()

test('names weigh what they hold, whatever becomes of them', () => {
  const held = names<{ readonly bytes: number }>(({ bytes }) => bytes)
  const change = (name: string | undefined, bytes?: number) => {
    const made = { name, value: bytes === undefined ? undefined : { bytes }, batch: 0 }
    held.propose(made)
    return made
  }
  const [a, again, b] = [change('a', 5), change('a', 7), change('', 11)]
  expect([held.bytes, held.pendingBytes]).toEqual([23, 23])
  held.settle(a)
  expect([held.bytes, held.pendingBytes]).toEqual([23, 18])
  held.settle(again)
  expect([held.bytes, held.pendingBytes]).toEqual([18, 11])
  held.drop(b)
  held.drop(b)
  expect([held.bytes, held.pendingBytes]).toEqual([7, 0])
  held.settle(change('', 1))
  held.settle(change(undefined))
  expect([held.bytes, held.size]).toEqual([1, 1])
  held.prune(() => true)
  expect([held.bytes, held.pendingBytes, held.size]).toEqual([0, 0, 0])
})

/** A statement that is small to read and takes several megabytes to keep. */
const large = (value: number): string => `select ${value} /* ${'x'.repeat(200_000)} */`

const error = (frames: readonly Buffer[]): string =>
  frames.flatMap((frame) => (frame[0] === 0x45 ? (fields(frame)['M'] ?? '') : [])).join()

/** Sends one after the other until one is refused; answers how many were not. */
async function untilRefused(client: Client, frames: (at: number) => Buffer[]): Promise<number> {
  for (let at = 0; at < 100; at += 1) {
    client.send(...frames(at))
    if (error(await client.until('Z')).includes('too many prepared statements')) return at
  }
  return Number.POSITIVE_INFINITY
}

test.each([
  ['Parse', (at: number) => [m.parse(`p${at}`, large(at)), m.sync]],
  ['PREPARE', (at: number) => [m.query(`prepare p${at} as ${large(at)}`)]],
])('what one session prepares by %s is bounded in bytes', async (_, frames) => {
  const client = await loggedIn(here.plainPort)
  const count = await untilRefused(client, frames)
  expect(count).toBeGreaterThan(2)
  expect(count).toBeLessThan(100)
  client.send(...m.run('select 1'), m.sync)
  expect(letters(await client.until('Z'))).toBe('12DCZ')
  client.send(m.query('deallocate p0'))
  expect(error(await client.until('Z'))).toBe('')
  client.send(...frames(0))
  expect(error(await client.until('Z'))).toBe('')
  client.socket.destroy()
})

test('nor can it send unnamed ones without end before the server has answered', async () => {
  const client = await loggedIn(here.plainPort)
  for (let at = 0; at < 60; at += 1) client.send(m.parse('', large(at)))
  client.send(m.sync)
  expect(error(await client.until('Z'))).toContain('too many prepared statements')
  client.send(...m.run('select 1'), m.sync)
  expect(letters(await client.until('Z'))).toBe('12DCZ')
  client.socket.destroy()
})

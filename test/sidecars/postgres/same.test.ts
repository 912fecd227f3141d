import { expect, test } from 'vitest'
import { length } from '../../../sidecars/postgres/frames.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { login } from '../../../sidecars/postgres/upstream.ts'
import type { Channel } from '../../../sidecars/sidecar.ts'
import { loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

/**
 * The server itself is the model: whatever a client says, in whatever order, a gate that allows everything answers
 * as the server would have done without it.
 */

const here = shop()

const texts = [
  'select 1',
  'select generate_series(1, 5)',
  'select 1 / 0',
  'selec',
  '',
  'select 1; select 2',
  'select 1; select 1 / 0; select 2',
  'begin',
  'commit',
  'rollback',
  'savepoint p',
  'rollback to p',
  'prepare a as select generate_series(1, 3)',
  'prepare b as select 2',
  'execute a',
  'execute b',
  'deallocate a',
  'deallocate all',
  'declare c cursor for select generate_series(1, 4)',
  'declare h cursor with hold for select generate_series(1, 4)',
  'fetch 2 from c',
  'fetch all from h',
  'close c',
  'close all',
  'copy (select 1) to stdout',
  'show timezone',
  'notify news',
] as const
const statements = ['', 'a', 'b', 'x'] as const
const portals = ['', 'c', 'h', 'p'] as const

/** A generator of its own (mulberry32), so that a failure can be repeated from its seed. */
function random(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1)
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function sentence(next: (below: number) => number): Buffer {
  const one = <T>(list: readonly T[]): T => list[next(list.length)] as T
  switch (next(10)) {
    case 0:
    case 1:
      return m.query(one(texts))
    case 2:
      return m.parse(one(statements), one(texts))
    case 3:
    case 4:
      return m.bind(one(portals), one(statements), [], next(2))
    case 5:
    case 6:
      return m.execute(one(portals), next(3))
    case 7:
      return next(2) === 0 ? m.describe('S', one(statements)) : m.describe('P', one(portals))
    case 8:
      return next(3) === 0
        ? m.close(next(2) === 0 ? 'S' : 'P', one(statements))
        : m.parse('', one(texts))
    default:
      return m.sync
  }
}

/** Ends whatever state the dialogue is in, and can be recognised. */
const marker = 'the end'
const ending = [m.sync, m.query('rollback'), m.query(`select '${marker}'`)]

/** What came back: every message, errors and notices by their SQLSTATE. */
async function heard(channel: Channel, dialogue: readonly Buffer[]): Promise<readonly string[]> {
  channel.write(Buffer.concat([...dialogue, ...ending]))
  const seen: string[] = []
  for (let ended = false; ; ) {
    const frames = await channel.read()
    if (frames === undefined) return [...seen, 'closed']
    const letter = String.fromCharCode(frames[0] ?? 0)
    // Rows of a server come many at a time.
    for (let at = 0; at < frames.length; at += length(frames, at)) {
      const frame = frames.subarray(at, at + length(frames, at))
      const said = letter === 'E' || letter === 'N' ? fields(frame)['C'] : frame.toString('hex', 5)
      seen.push(`${letter} ${said}`)
    }
    ended ||= letter === 'D' && frames.includes(marker)
    if (ended && letter === 'Z') return seen
  }
}

async function direct(): Promise<Channel> {
  const { host, port } = here.server
  const credential = { username: 'app', secret: { reveal: () => 'app-secret' } }
  return (await login({ host, port }, credential, { database: 'shop' })).channel
}

test.each([
  ['as it is', () => 'allow' as const, 1],
  ['with a mask that meets nothing', () => ({ mask: ['public.customers.email'] }), 2],
])('a gate that allows everything is the server %s', async (_, policy, seed) => {
  here.decide((command) => (/^(copy|execute)/.test(command.text ?? '') ? 'allow' : policy()))
  const gated = (await loggedIn(here.plainPort)).channel
  const plain = await direct()
  for (let round = 0; round < 150; round += 1) {
    const next = random(seed * 1_000 + round)
    const dialogue = Array.from({ length: 1 + next(14) }, () => sentence(next))
    const [ours, theirs] = await Promise.all([heard(gated, dialogue), heard(plain, dialogue)])
    expect({ round, said: dialogue.map(String), heard: ours }).toEqual({
      round,
      said: dialogue.map(String),
      heard: theirs,
    })
  }
  gated.close()
  plain.close()
})

import { beforeAll, expect, test } from 'vitest'
import { cells } from '../../../../sidecars/postgres/rows.ts'
import { type Client, loggedIn } from '../client.ts'
import * as m from '../messages.ts'
import { shop } from '../shop.ts'

/**
 * Every schema has a table of the same name, whose only row says where it is. Whatever a session does to search_path, the
 * gate must have judged the very table that the server read.
 */

const here = shop()
const schemas = ['a', 'b', '"C d"', 'app', 'public', 'closed']

beforeAll(() => {
  const made = schemas.map(
    (name) => `
    create schema if not exists ${name};
    create table ${name}.marker as select '${name.replaceAll('"', '')}' as place;
    grant select on ${name}.marker to app;
    ${name === 'closed' ? '' : `grant usage on schema ${name} to app;`}`,
  )
  here.server.sql(
    `${made.join('\n')}
    create function public.quiet() returns text language plpgsql set search_path = b
      as 'begin return (select place from marker); end';
    create procedure public.done() language plpgsql as 'begin commit; end';
    grant create on database shop to app;
    alter role app nosuperuser;`,
    'shop',
  )
})

const settings = [
  'set search_path = a, public',
  'set search_path to "C d", a',
  'set search_path = nowhere, b, public',
  'set search_path = closed, a',
  'set search_path = pg_catalog, public',
  'set search_path = "$user", public',
  'set search_path to default',
  'set local search_path = b',
  'set local search_path to default',
  "select set_config('search_path', 'b, a', false)",
  "select pg_catalog.set_config('search_path', '\"C d\" , B', true)",
  'reset search_path',
  'reset all',
  "set schema 'a'",
]
const transactions = [
  'begin',
  'commit',
  'rollback',
  'rollback and chain',
  'commit and chain',
  'savepoint s',
  'savepoint t',
  'rollback to s',
  'rollback to t',
  'release s',
  'release t',
]
const others = [
  'select 1',
  'select 1/0',
  'select nothing',
  'select public.quiet()',
  'prepare q as select place from marker',
  'deallocate q',
  'discard all',
  'call public.done()',
  'analyze public.marker',
]

type Next = (below: number) => number

/** mulberry32, so that a failure can be repeated from its seed. */
function random(seed: number): Next {
  let state = Math.imul(seed, 0x9e3779b1)
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function text(next: Next): string {
  const one = (list: readonly string[]): string => list[next(list.length)] ?? ''
  const kind = next(10)
  return kind < 4 ? one(settings) : kind < 8 ? one(transactions) : one(others)
}

/** What the gate took each numbered question to be about. */
const judged = new Map<string, string>()

/** A question whose answer says which table was read. */
let count = 0
const probe = (): string => `select place, '#${++count}' from marker`

/** Says some texts at once in one of the ways there are, each followed by a question. */
function dialogue(next: Next): readonly Buffer[] {
  const texts = Array.from({ length: 1 + next(3) }, () => text(next))
  const all = texts.flatMap((one) => [one, probe()])
  switch (next(4)) {
    case 0:
      return [m.query(all.join(';'))]
    case 1:
      return all.map(m.query)
    case 2:
      return [...all.flatMap(m.run), m.sync]
    default:
      return [...all.flatMap((one) => [...m.run(one), m.sync])]
  }
}

/** All that comes back, up to the last ReadyForQuery. */
async function answers(client: Client, said: readonly Buffer[]): Promise<readonly Buffer[]> {
  client.send(...said)
  const seen: Buffer[] = []
  const ends = said.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53)
  for (const _ of ends) seen.push(...(await client.until('Z')))
  return seen
}

/** What the server read to answer each numbered question. */
function read(frames: readonly Buffer[]): readonly (readonly [number: string, table: string])[] {
  return frames
    .filter((frame) => frame[0] === 0x44)
    .map((frame) => cells(frame).map((cell) => cell?.toString() ?? ''))
    .flatMap(([place, number]) => (number?.startsWith('#') ? [[number, `${place}.marker`]] : []))
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'the gate reads what the server reads (seed %i)',
  async (seed) => {
    here.decide((command) => {
      const number = /#\d+/.exec(command.text ?? '')?.[0]
      const table = command.objects.find(({ name }) => name.endsWith('.marker'))
      if (number !== undefined && table !== undefined) judged.set(number, table.name)
      return command.incomplete === undefined ? 'allow' : 'deny'
    })
    const next = random(seed)
    let client = await loggedIn(here.plainPort)
    const compared: string[] = []
    for (let step = 0; step < 400; step += 1) {
      // What is lost stays lost.
      if (step % 20 === 19) {
        client.socket.destroy()
        client = await loggedIn(here.plainPort)
      }
      const said = dialogue(next)
      for (const [number, table] of read(await answers(client, said))) {
        const told = `${said.map((frame) => frame.toString('latin1', 5)).join(' | ')} ${number}`
        expect(judged.get(number), told).toBe(table)
        compared.push(table)
      }
      judged.clear()
    }
    client.socket.destroy()
    expect(compared.length).toBeGreaterThan(300)
    expect([...new Set(compared)].sort()).toEqual([
      'C d.marker',
      'a.marker',
      'app.marker',
      'b.marker',
      'public.marker',
    ])
  },
)

test.each([
  [
    'by the protocol',
    [m.parse('p', 'select place from marker'), m.sync],
    [m.bind('', 'p'), m.execute(), m.sync],
  ],
  ['in SQL', [m.query('prepare p as select place from marker')], [m.query('execute p')]],
])('what was prepared %s is read again under another path', async (_, prepare, execute) => {
  const asked: string[] = []
  here.decide((command) => {
    const table = command.objects.find(({ name }) => name.endsWith('.marker'))
    if (table !== undefined) asked.push(table.name)
    return command.incomplete === undefined ? 'allow' : 'deny'
  })
  const client = await loggedIn(here.plainPort)
  await answers(client, [m.query('set search_path = a'), ...prepare])
  for (const name of ['a', 'b', 'public', 'a']) {
    await answers(client, [m.query(`set search_path = ${name}`)])
    const [row] = (await answers(client, execute)).filter((frame) => frame[0] === 0x44)
    expect(row && cells(row)[0]?.toString()).toBe(name)
    expect(asked.at(-1)).toBe(`${name}.marker`)
  }
  client.socket.destroy()
})

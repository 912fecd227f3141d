import { beforeEach, describe, expect, test } from 'vitest'
import { listen } from '../../../sidecars/listen.ts'
import { toRun } from '../../../sidecars/postgres/outgoing.ts'
import { parsed, ready } from '../../../sidecars/postgres/read/parser.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { cells } from '../../../sidecars/postgres/rows.ts'
import { speaking } from '../../../sidecars/postgres/speaking.ts'
import type { Prepared } from '../../../sidecars/postgres/statement.ts'
import { type Client, letters, loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()
const incomplete: string[] = []

beforeEach(() => {
  incomplete.length = 0
  here.decide((command) => {
    if (command.incomplete === undefined) return 'allow'
    incomplete.push(command.incomplete)
    return 'deny'
  })
})

const times = (text: string, count: number): string => text.repeat(count)
const kib = 1024

/** What breaks or stalls parsers, and what the gate says about it. */
const hostile: readonly (readonly [string, string, string])[] = [
  ['16,000 comments in comments', times('/*', 16_000), 'comments nest deeper than 8'],
  ['64,000 comments in comments', times('/*', 64_000), 'comments nest deeper than 8'],
  ['50,000 terms', `SELECT 1${times('+1', 50_000)}`, 'nests deeper than 500'],
  ['20,000 terms', `SELECT 1${times('+1', 20_000)}`, 'nests deeper than 500'],
  ['10,000 terms and a syntax error', `SELECT 1${times('+1', 10_000)} FRM`, 'nests deeper'],
  ['30,000 parentheses', `SELECT ${times('(', 30_000)}`, 'nests deeper than 500'],
  ['60,000 parentheses', `SELECT ${times('(', 60_000)}`, 'nests deeper than 500'],
  ['10,000 subqueries', `SELECT ${times('(SELECT ', 10_000)}`, 'nests deeper than 500'],
  ['20,000 signs', `SELECT ${times('- ', 20_000)}1`, 'nests deeper than 500'],
  ['20,000 set operations', `SELECT 1${times(' UNION SELECT 1', 10_000)}`, 'nests deeper'],
  ['40,000 columns', `SELECT a${times(',a', 40_000)}`, 'it has too many parts'],
  ['2,000 statements', times('SELECT 1;', 2_000), 'it has more than 1000 statements'],
  ['10,000 statements', times('SELECT 1;', 10_000), 'it has more than 1000 statements'],
  ['a string that does not end', `SELECT '${times('x', 200 * kib)}`, 'unterminated quoted string'],
  ['a string over the limit', `SELECT '${times('x', 256 * kib)}'`, 'longer than 262144 bytes'],
  ['a name over the limit', `SELECT 1 AS "${times('é', 40)}"`, 'longer than 63 bytes'],
  ['a text of 8 MiB', `SELECT '${times('x', 8 * kib * kib)}'`, 'longer than 262144 bytes'],
]

const ways = [
  ['a query', (text: string) => [m.query(text)]],
  ['a Parse', (text: string) => [m.parse('', text), m.sync]],
] as const

describe.each(ways)('as %s', (_, say) => {
  test.each(hostile)('%s is refused, and nobody else notices', async (_, text, reason) => {
    const [one, other] = [await loggedIn(here.plainPort), await loggedIn(here.plainPort)]
    one.send(...say(text), m.query("select 'still here'"))
    other.send(m.query("select 'not concerned'"))
    expect(await said(other)).toEqual(['not concerned'])
    const error = (await one.until('Z')).find((frame) => frame[0] === 0x45)
    expect(fields(error ?? Buffer.alloc(6))).toMatchObject({ S: 'ERROR', C: '42501' })
    expect(incomplete.join()).toContain(reason)
    expect(await said(one)).toEqual(['still here'])
    for (const { socket } of [one, other]) socket.destroy()
  })
})

test.each(ways.slice(0, 1))('a NUL in %s ends the connection and no other', async (_, say) => {
  const [one, other] = [await loggedIn(here.plainPort), await loggedIn(here.plainPort)]
  one.send(...say('SELECT 1\0; DROP TABLE t'))
  await expect(one.until('Z')).rejects.toThrow('closed')
  other.send(m.query("select 'not concerned'"))
  expect(await said(other)).toEqual(['not concerned'])
  other.socket.destroy()
})

const large = (value: string): string => `select '${value}' /* ${times('x', 200 * kib)} */`

test.each([
  ['Query', [m.query(large('a'))]],
  ['Parse', [...m.run(large('a')), m.sync]],
])('a large statement runs: %s', async (_, frames) => {
  const client = await loggedIn(here.plainPort)
  client.send(...frames, m.query("select 'b'"))
  expect(await said(client)).toEqual(['a'])
  expect(await said(client)).toEqual(['b'])
  client.socket.destroy()
})

test('others are answered before a large statement is', async () => {
  const rows = Array.from({ length: 9_000 }, (_, at) => `(${at}, 'name ${at}')`).join(', ')
  const [one, other] = [await loggedIn(here.plainPort), await loggedIn(here.plainPort)]
  const order: string[] = []
  one.send(m.query(`select count(*) from (values ${rows}) v(a, b)`))
  const large = said(one).then(([count]) => order.push(count ?? ''))
  for (let round = 0; round < 3; round += 1) {
    other.send(m.query(`select ${round}`))
    expect(await said(other)).toEqual([`${round}`])
    order.push(`${round}`)
  }
  await large
  expect(order).toEqual(['0', '1', '2', '9000'])
  for (const { socket } of [one, other]) socket.destroy()
})

describe('while a large statement is read', () => {
  test('its session waits, others do not, and what it said comes in order', async () => {
    const { port, reading, close } = await slowly()
    const [one, other] = [await loggedIn(port), await loggedIn(port)]
    one.send(
      m.query("select 'a'"),
      m.query(large('b')),
      m.query("select 'c'"),
      ...m.run("select 'd'"),
      m.sync,
    )
    expect(await said(one)).toEqual(['a'])
    const read = await reading()
    for (let round = 0; round < 5; round += 1) {
      other.send(m.query('select 1'))
      expect(await said(other)).toEqual(['1'])
    }
    read()
    for (const value of ['b', 'c', 'd']) expect(await said(one)).toEqual([value])
    for (const { socket } of [one, other]) socket.destroy()
    await close()
  })

  test('a prepared one waits as well, in its place', async () => {
    const { port, reading, close } = await slowly()
    const client = await loggedIn(port)
    client.send(m.parse('p', "select 'a'"), m.parse('q', large('b')), m.bind('', 'p'), m.execute())
    client.send(m.bind('', 'q'), m.execute(), m.sync)
    const read = await reading()
    read()
    const frames = await client.until('Z')
    expect(letters(frames)).toBe('112DC2DCZ')
    expect(values(frames)).toEqual(['a', 'b'])
    client.socket.destroy()
    await close()
  })

  test('a client that leaves leaves nothing behind', async () => {
    const { port, reading, close, open } = await slowly()
    const [one, other] = [await loggedIn(port), await loggedIn(port)]
    one.send(m.query(large('b')))
    const read = await reading()
    one.socket.destroy()
    await expect.poll(open, { interval: 1 }).toBe(1)
    read()
    other.send(m.query('select 1'))
    expect(await said(other)).toEqual(['1'])
    other.socket.destroy()
    await close()
  })
})

/** A gate whose large statements are read when the test says so. */
async function slowly(): Promise<{
  readonly port: number
  readonly close: () => Promise<void>
  readonly open: () => number
  reading(): Promise<() => void>
}> {
  const begun: (() => void)[] = []
  const apart = (text: string): Promise<Prepared> =>
    new Promise((resolve) => begun.push(() => resolve(parsed(text))))
  const { host, port } = here.server
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    sidecar: speaking(toRun, ready, apart),
    gate: { ...here.gate, upstream: { host, port } },
  })
  return {
    port: listener.port,
    close: () => listener.close(),
    open: () => listener.connections(),
    async reading() {
      await expect.poll(() => begun.length, { interval: 1 }).toBe(1)
      return begun.pop() ?? expect.fail('nothing is being read')
    },
  }
}

async function said(client: Client): Promise<readonly string[]> {
  return values(await client.until('Z'))
}

const values = (frames: readonly Buffer[]): readonly string[] =>
  frames
    .filter((frame) => frame[0] === 0x44)
    .flatMap((frame) => [...cells(frame)].map((cell) => cell?.toString() ?? 'null'))

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Limits } from '../../../pdp/contract.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { type Client, letters, loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()
const few = (exceed: 'truncate' | 'deny'): Limits => ({ rows: { max: 3, exceed } })
/** More than the server could have sent before it hears of a cancel. */
const endless = 'select generate_series(1, 200000000) as n'
let client: Client

beforeEach(async () => {
  here.decide((command) => ({ limits: command.text?.includes('free') ? {} : few('truncate') }))
  client = await loggedIn(here.plainPort)
  here.gate.asked.length = 0
})
afterEach(() => client.channel.close())

async function answer(...frames: readonly Buffer[]): Promise<string> {
  client.send(...frames)
  const got = await client.until('Z')
  const status = String.fromCharCode(got.at(-1)?.[5] ?? 0)
  return letters(got) + status
}

const deny = (): void =>
  here.decide((command) => ({ limits: command.text?.includes('free') ? {} : few('deny') }))
const outcomes = () =>
  here.gate.asked.flatMap(({ asking, outcomes: all }) => (asking.prepare === true ? [] : all))

test('a result without end is cut, and the server stops', async () => {
  expect(await answer(m.query(endless))).toBe('TDDDNCZI')
  expect(await answer(...m.run(endless), m.sync)).toBe('12DDDNCZI')
  expect(await answer(m.query(`copy (${endless}) to stdout`))).toBe('HdddcNCZI')
  expect(outcomes()).toMatchObject([3, 3, 3].map((rows) => ({ rows, truncated: true })))
  expect(here.server.sql("select count(*) from pg_stat_activity where state = 'active'")).toBe('1')
})

test('what was cut is a success, in words that name the decision', async () => {
  client.send(m.query(endless))
  const got = await client.until('Z')
  expect(fields(got.at(-3) ?? Buffer.alloc(5))['M']).toMatch(
    /^postern: the result was cut off at its limit of 3 rows \(decision d\d+\)$/,
  )
  expect(got.at(-2)).toEqual(m.complete('SELECT 3'))
})

test('a cut in a transaction leaves it as it is', async () => {
  await answer(m.query('begin /* free */'))
  expect(await answer(m.query('select id from customers'))).toBe('TDDDNCZT')
  expect(await answer(...m.run('select id from customers'), m.sync)).toBe('12DDDNCZT')
  expect(await answer(m.query('insert into t values (31); select id from customers'))).toBe(
    'CTDDDNCZT',
  )
  expect(await answer(m.query('rollback /* free */'))).toBe('CZI')
})

test('what is cut undoes nothing that was sent with it', async () => {
  const both = [...m.run('insert into t values (32)'), ...m.run('select id from customers')]
  expect(await answer(...both, m.sync)).toBe('12C12DDDNCZI')
  expect(await answer(m.query('insert into t values (33); select id from customers'))).toBe(
    'CTDDDNCZI',
  )
  expect(here.server.sql('delete from t returning id', 'shop')).toBe('32\n33')
})

test('a portal that is asked for more has come to its end', async () => {
  client.send(m.parse('', 'select id from customers'), m.bind('', ''), m.execute('', 2))
  expect(await answer(m.execute('', 2), m.sync)).toBe('12DDsDNCZI')
  deny()
  client.send(m.parse('', 'select id from customers'), m.bind('', ''), m.execute('', 2))
  expect(await answer(m.execute('', 2), m.sync)).toBe('12DDsDEZI')
})

test('a limit that denies ends a statement in the middle of a batch, and the session goes on', async () => {
  deny()
  const many = 'select id from customers'
  expect(await answer(m.query(`${many}; select 2 as free; select 3 as free`))).toBe('TDDDEZI')
  expect(await answer(...m.run(many), ...m.run('select 2 as free'), m.sync)).toBe('12DDDEZI')
  client.send(...m.run(many), m.flush)
  await client.until('E')
  expect(await answer(...m.run('select 2 as free'), m.sync)).toBe('ZI')
  expect(await answer(m.query('select 4 as free'))).toBe('TDCZI')
})

test.each([
  ['simple', (sql: string) => [m.query(sql)]],
  ['extended', (sql: string) => [...m.run(sql), m.sync]],
])('a limit that denies aborts the transaction, %s', async (_, run) => {
  deny()
  await answer(m.query('begin /* free */'))
  await answer(m.query('insert into t values (34) /* free */'))
  expect(await answer(...run('select id from customers'))).toMatch(/DDDEZE$/)
  client.send(m.query('select 5 as free'))
  const refused = await client.until('Z')
  expect(fields(refused[0] ?? Buffer.alloc(5))['C']).toBe('25P02')
  expect(await answer(m.query('commit /* free */'))).toBe('CZI')
  expect(here.server.sql('select count(*) from t where id = 34', 'shop')).toBe('0')
  expect(await answer(m.query('select 6 as free'))).toBe('TDCZI')
})

test('a limit that denies aborts a transaction that set its search_path', async () => {
  deny()
  await answer(m.query('begin /* free */'))
  await answer(m.query("set search_path to '$user', public, pg_catalog /* free */"))
  expect(await answer(m.query('select id from customers'))).toMatch(/DDDEZE$/)
  client.send(m.query('select 5 as free'))
  const refused = await client.until('Z')
  expect(fields(refused[0] ?? Buffer.alloc(5))['C']).toBe('25P02')
  expect(await answer(m.query('commit /* free */'))).toBe('CZI')
  expect(await answer(m.query('select 6 as free'))).toBe('TDCZI')
})

test('nothing is written behind an error that the session survives', async () => {
  deny()
  client.send(m.query('select id from customers; insert into t values (35) /* free */'))
  const { S } = fields((await client.until('E')).at(-1) ?? Buffer.alloc(5))
  const written = here.server.sql('select count(*) from t where id = 35', 'shop')
  expect([S, written]).not.toEqual(['ERROR', '1'])
})

test('bytes are limited like rows', async () => {
  here.decide(() => ({ limits: { bytes: { max: 100, exceed: 'truncate' } } }))
  expect(await answer(m.query(endless))).toMatch(/^TD{8}NCZI$/)
  here.decide(() => ({ limits: { bytes: { max: 100, exceed: 'deny' } } }))
  expect(await answer(m.query(endless))).toMatch(/^TD{8}EZI$/)
})

describe('what was written is never called failed', () => {
  const fill = 'insert into t select generate_series(1000, 1999)'
  const count = () =>
    here.server.sql('select count(*) from t where id between 1000 and 1999', 'shop')
  beforeEach(() => deny())
  afterEach(() => here.server.sql('delete from t', 'shop'))

  test.each([
    ['simple', (sql: string) => [m.query(sql)]],
    ['extended', (sql: string) => [...m.run(sql), m.sync]],
  ])('over a limit that denies, %s', async (_, run) => {
    client.send(...run(`${fill} returning id`))
    const got = await client.until('Z')
    const done = letters(got)
    // The server may have been stopped in time; it knows whether.
    expect([`${done.includes('E')}`, count()]).not.toEqual(['true', '1000'])
    expect([`${done.includes('E')}`, count()]).not.toEqual(['false', '0'])
    if (done.includes('C')) expect(done).toMatch(/D{3}NCZ$/)
    expect(await answer(m.query('select 1 as free'))).toBe('TDCZI')
  })

  test('in portions', async () => {
    client.send(m.parse('', `${fill} returning id`), m.bind('', ''), m.execute('', 2))
    client.send(m.execute('', 2), m.execute('', 2), m.execute('', 0))
    expect(await answer(m.sync)).toBe('12DDsDssNCZI')
    expect(count()).toBe('1000')
  })

  test('in a COPY', async () => {
    here.decide(() => ({ limits: few('deny') }))
    const said = await answer(m.query(`copy (${fill} returning id) to stdout`))
    expect(['HdddcNCZI 1000', 'HdddEZI 0']).toContain(`${said} ${count()}`)
  })

  test('in time or not', async () => {
    here.decide(() => ({ limits: { durationMs: { max: 20, exceed: 'deny' } } }))
    expect(await answer(m.query(`${fill}; select pg_sleep(30)`))).toBe('CTEZI')
    expect(count()).toBe('0')
    expect(
      await answer(m.query('insert into t select 1000 from (select pg_sleep(30)) as late')),
    ).toBe('EZI')
  })
})

test('a notice and an error name the rule', async () => {
  const rows = (exceed: 'truncate' | 'deny') => ({ max: 3, exceed, rule: 'small' })
  here.decide(() => ({ limits: { rows: rows('truncate') } }))
  client.send(m.query(endless))
  const { M = '' } = fields((await client.until('Z')).at(-3) ?? Buffer.alloc(5))
  expect(M).toMatch(/at its limit of 3 rows \(rule small, decision d\d+\)$/)
  here.decide(() => ({ limits: { rows: rows('deny') } }))
  client.send(m.query(endless))
  const { D = '' } = fields((await client.until('E')).at(-1) ?? Buffer.alloc(5))
  expect(D).toMatch(/^rule small, code limit_exceeded, decision d\d+$/)
})

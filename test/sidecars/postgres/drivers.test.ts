import tls from 'node:tls'
import pg from 'pg'
import postgresjs from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { shop } from './shop.ts'

const here = shop()
const open: (() => Promise<void>)[] = []

beforeEach(() => here.decide((command) => (command.effects.includes('delete') ? 'deny' : 'allow')))
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

async function client(): Promise<pg.Client> {
  const { ca } = here.server.certificates
  const made = new pg.Client({
    host: '127.0.0.1',
    port: here.port,
    user: 'ada',
    database: 'shop',
    password: 'let-me-in',
    ssl: { ca },
  })
  await made.connect()
  open.push(() => made.end())
  return made
}

function sql() {
  const made = postgresjs({
    host: '127.0.0.1',
    port: here.port,
    user: 'ada',
    database: 'shop',
    password: 'let-me-in',
    ssl: { ca: here.server.certificates.ca },
    max: 1,
    onnotice: () => undefined,
  })
  open.push(() => made.end())
  return made
}

const maskEmail = (): { mask: readonly string[] } => ({ mask: ['public.customers.email'] })

test('an allowed statement answers as the server does', async () => {
  const c = await client()
  expect((await c.query('select id, email from customers where id = $1', [3])).rows).toEqual([
    { id: 3, email: 'user3@example.com' },
  ])
  expect((await c.query('select 1 as a; select 2 as b')) as unknown).toMatchObject([
    { rows: [{ a: 1 }] },
    { rows: [{ b: 2 }] },
  ])
})

test('a denial reads like a permission error, and the session goes on', async () => {
  const c = await client()
  await expect(c.query('delete from customers where id = 1')).rejects.toMatchObject({
    code: '42501',
    message: 'postern: not this',
    detail: expect.stringMatching(/^rule policies.test, code denied, decision d\d+$/),
    hint: 'ask somebody',
    severity: 'ERROR',
  })
  await expect(c.query('delete from customers where id = $1', [1])).rejects.toMatchObject({
    code: '42501',
  })
  expect((await c.query('select count(*)::int as n from customers')).rows).toEqual([{ n: 500 }])
})

test('a denial in a transaction aborts it as an error of the server would', async () => {
  const c = await client()
  await c.query('begin')
  await c.query('insert into t values (77)')
  await expect(c.query('delete from customers where id = $1', [1])).rejects.toMatchObject({
    code: '42501',
  })
  await expect(c.query('select 1')).rejects.toMatchObject({ code: '25P02' })
  await c.query('rollback')
  expect((await c.query('select * from t where id = 77')).rows).toEqual([])
})

test('masked columns are masked in text and in binary', async () => {
  here.decide(maskEmail)
  const c = await client()
  const text = 'select id, email as e, joined from customers where id = $1'
  expect((await c.query(text, [3])).rows).toMatchObject([{ id: 3, e: '***' }])
  const binary = { text, values: [3], binary: true }
  expect((await c.query(binary)).rows).toMatchObject([{ id: 3, e: '***' }])
  const named = { name: 'n1', text, values: [4] }
  expect((await c.query(named)).rows).toMatchObject([{ e: '***' }])
  expect((await c.query(named)).rows).toMatchObject([{ e: '***' }])
  expect((await c.query('select email from customers where id = 1')).rows).toEqual([
    { email: '***' },
  ])
  expect((await c.query('select mail from people where id = 1')).rows).toEqual([{ mail: '***' }])
  expect((await c.query("select email || '' as x from customers where id = 1")).rows).toEqual([
    { x: '[redacted]' },
  ])
  expect((await c.query('select count(*)::int as n from customers')).rows).toEqual([{ n: 500 }])
})

test('what may hold masked values is withheld from errors', async () => {
  here.decide(maskEmail)
  const c = await client()
  const failed = await c.query('select email::int from customers').catch((error) => error)
  expect(failed.code).toBe('22P02')
  expect(JSON.stringify({ ...failed, message: failed.message })).not.toContain('example.com')
})

test('what runs is stopped through TLS as well', async () => {
  here.decide(() => ({ limits: { durationMs: { max: 30, exceed: 'deny' } } }))
  const c = await client()
  await expect(c.query('select pg_sleep(30)')).rejects.toMatchObject({ code: '53400' })
  expect((await c.query('select 1 as a')).rows).toEqual([{ a: 1 }])
})

test('direct TLS without the name of the protocol is refused', async () => {
  const { ca } = here.server.certificates
  const socket = tls.connect({ host: '127.0.0.1', port: here.port, ca, servername: 'localhost' })
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.resume().once('close', resolve))
  await closed
  await expect
    .poll(() => here.gate.turned.map(String), { interval: 2, timeout: 5_000 })
    .toContainEqual(expect.stringContaining('ALPN'))
})

test('postgres.js pipelines, with refusals in between', async () => {
  const s = sql()
  const answers = await Promise.allSettled([
    s`select 1 as a`,
    s`delete from customers where id = 1`,
    s`select email from customers where id = ${8}`,
    s`delete from t`,
    s`select 2 as b`,
  ])
  expect(
    answers.map((one) => (one.status === 'fulfilled' ? [...one.value] : one.reason.code)),
  ).toEqual([[{ a: 1 }], '42501', [{ email: 'user8@example.com' }], '42501', [{ b: 2 }]])
})

test('a cursor with row limits is masked in every portion', async () => {
  here.decide(maskEmail)
  const s = sql()
  const seen: string[] = []
  await s`select id, email from customers order by id`.cursor(100, (rows) => {
    for (const row of rows) seen.push(row['email'])
  })
  expect(seen).toHaveLength(500)
  expect(new Set(seen)).toEqual(new Set(['***']))
})

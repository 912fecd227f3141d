import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

const ssl = (): { ca: string; servername: string } => ({
  ca: stage.setup.certificates.ca,
  servername: 'localhost',
})

test('node-postgres: parameters, named statements, a denial, and on', async () => {
  const client = await connect(stage, 'alice')
  const named = { name: 'by_id', text: 'select item from orders where id = $1' }
  expect((await client.query({ ...named, values: [1] })).rows).toEqual([{ item: 'monitor' }])
  expect((await client.query({ ...named, values: [2] })).rows).toEqual([{ item: 'desk' }])
  await expect(client.query('drop table orders')).rejects.toMatchObject({ code: '42501' })
  await expect(client.query('alter table orders add x int', [])).rejects.toMatchObject({
    code: '42501',
  })
  expect((await client.query({ ...named, values: [3] })).rows).toEqual([{ item: 'lamp' }])
  await client.end()
})

test('node-postgres: masks in binary results too', async () => {
  const client = await connect(stage, 'support-bot', {})
  const { rows } = await client.query({
    text: 'select email, id from customers where id = $1',
    values: [7],
    // binary results are an undocumented part of the client, and a documented one of the protocol
    ...{ binary: true },
  })
  expect(rows).toHaveLength(1)
  expect(rows[0].id).toBe(7)
  expect(String(rows[0].email)).not.toContain('customer7@')
  await client.end()
})

test('postgres.js: pipelined prepared statements, one denied among them', async () => {
  const sql = postgres({
    host: '127.0.0.1',
    port: stage.setup.ports.gate,
    user: 'alice',
    database: 'shop',
    password: () => stage.issuer.token('alice'),
    ssl: ssl(),
    max: 1,
    onnotice: () => undefined,
  })
  const results = await Promise.allSettled([
    sql`select item from orders where id = ${1}`,
    sql`drop table orders`,
    sql`select item from orders where id = ${2}`,
    sql`select item from orders where id = ${1}`,
  ])
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  const rows = await sql`select id from orders order by id`.cursor(100, () => undefined)
  expect(rows).toBeDefined()
  await sql.end()
})

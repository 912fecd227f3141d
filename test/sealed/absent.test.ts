import { afterAll, beforeAll, expect, test } from 'vitest'
import { errors } from '../wire/client.ts'
import { type Stage, stage } from './stage.ts'

let here: Stage
beforeAll(async () => {
  here = await stage()
  await here.server.run('CREATE SCHEMA hidden; CREATE TABLE hidden.there (id int)', 'demo_a')
})
afterAll(() => here.stop())

const state = async (sql: string): Promise<string | undefined> => {
  const client = await here.connect('demo_a')
  const [error] = errors(await client.say(sql))
  client.close()
  return error?.slice(0, 5)
}

test.each([
  ['SELECT * FROM nothing', '42P01'],
  ['SELECT * FROM public.nothing', '42P01'],
  ['SELECT nothing FROM customers', '42703'],
])('%s is %s', async (sql, sqlstate) => {
  expect(await state(sql)).toBe(sqlstate)
})

test.each([
  'SELECT * FROM hidden.nothing',
  'SELECT * FROM hidden.there',
  'SELECT nothing FROM hidden.there',
  'SELECT hidden.nothing(1)',
])('what is in a schema that the role may not use tells nothing: %s', async (sql) => {
  expect(await state(sql)).toBe('42501')
})

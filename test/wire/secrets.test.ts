import { afterAll, beforeAll, expect, test } from 'vitest'
import { secretRelations } from '../../sidecars/postgres/read/secrets.ts'
import { errors, refused } from './client.ts'
import { type Stage, stage } from './stage.ts'

let here: Stage
beforeAll(async () => {
  here = await stage()
})
afterAll(() => here.stop())

const isRefused = async (sql: string): Promise<boolean> => {
  const client = await here.connect('demo_a')
  const frames = await client.say(sql)
  client.close()
  return refused(frames)
}

const set = (value: string): Promise<string> =>
  here.server.run(`ALTER SYSTEM SET primary_conninfo = '${value}'; SELECT pg_reload_conf()`)

const soon = { timeout: 10_000, interval: 100 }

test('what shows all settings is closed while one of them has a secret, and only then', async () => {
  expect(await isRefused('SHOW ALL')).toBe(true)
  await set('')
  await expect.poll(() => isRefused('SHOW ALL'), soon).toBe(false)
  expect(await isRefused('SELECT * FROM pg_settings')).toBe(false)
  expect(await isRefused('SELECT rolconfig FROM pg_roles')).toBe(false)
  expect(await isRefused('SHOW primary_conninfo')).toBe(true)
  await here.server.run("ALTER ROLE app SET app.jwt_secret = 'hidden'")
  await expect.poll(() => isRefused('SELECT rolconfig FROM pg_roles'), soon).toBe(true)
  await here.server.run('ALTER ROLE app RESET ALL')
  await expect.poll(() => isRefused('SHOW ALL'), soon).toBe(false)
  await set('password=hidden')
  await expect.poll(() => isRefused('SELECT * FROM pg_settings'), soon).toBe(true)
})

test('each relation with secrets of this server is refused as a whole row, counted or copied', async () => {
  const names = [...secretRelations].map((one) => `'${one}'`).join()
  const found = await here.server.run(
    `SELECT n.nspname || '.' || c.relname || ' ' || c.relkind::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.relname IN (${names}) ORDER BY 1`,
    'demo_a',
  )
  const relations = found.split('\n').map((line) => line.split(' '))
  expect(relations.length).toBeGreaterThan(40)
  const client = await here.connect('demo_a')
  const open: string[] = []
  for (const [relation = '', kind] of relations) {
    const ways = [`SELECT r FROM ${relation} AS r`, `SELECT * FROM ${relation} LIMIT 0`]
    if (kind === 'r') ways.push(`COPY ${relation} TO STDOUT`, `DELETE FROM ${relation}`)
    for (const sql of ways) if (!refused(await client.say(sql))) open.push(sql)
  }
  expect(open).toEqual([])
  client.close()
})

test('somebody else may have a table of such a name', async () => {
  await here.server.run('CREATE TABLE user_mapping_options (option_value text)', 'demo_a')
  const client = await here.connect('demo_a')
  expect(errors(await client.say('SELECT option_value FROM user_mapping_options'))).toEqual([])
  client.close()
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { buildBundle } from './bundle.ts'
import { connect, run, type Stage, startStage } from './stage.ts'

let stage: Stage
const folder = mkdtempSync(join(tmpdir(), 'postern-bundle-'))
beforeAll(async () => {
  const bundle = join(folder, 'open.tar.gz')
  await buildBundle(bundle)
  stage = await startStage({ bundle })
  await stage.direct.query('create table notes (id int)')
  // The catalogue was read before the table was there: one look-up that fails brings it up to date.
  const client = await connect(stage, 'alice')
  await client.query('select * from notes').catch(() => undefined)
  await client.end()
})
beforeEach(() => stage.direct.query('truncate notes'))
afterAll(async () => {
  await stage.stop()
  rmSync(folder, { recursive: true })
})

const notes = async (): Promise<number> =>
  (await stage.direct.query('select count(*)::int as n from notes')).rows[0].n

async function pipeline(third: string): Promise<string> {
  const where = `host=localhost port=${stage.setup.ports.gate} user=alice dbname=shop sslmode=verify-full sslrootcert=${join(stage.setup.folder, 'ca.crt')}`
  const script = join(import.meta.dirname, 'pipeline.py')
  const done = await run('/usr/bin/python3', [script, where, third], {
    PGPASSWORD: await stage.issuer.token('alice'),
  })
  expect(done.status, done.stderr).toBe(0)
  return done.stdout
}

test('psycopg: a pipeline with a refusal in it commits nothing, and the session goes on', async () => {
  expect(await pipeline('drop table notes')).toBe('refused, 1000\n')
  expect(await notes()).toBe(0)
})

test('psycopg: without the refusal the same pipeline commits', async () => {
  expect(await pipeline('insert into notes values (9)')).toBe('done, 1000\n')
  expect(await notes()).toBe(4)
})

test('a refusal in an explicit transaction takes the whole of it back', async () => {
  const client = await connect(stage, 'alice')
  await client.query('begin')
  await client.query('insert into notes values (1)')
  await expect(client.query('drop table notes')).rejects.toMatchObject({ code: '42501' })
  await expect(client.query('insert into notes values (2)')).rejects.toMatchObject({
    code: '25P02',
  })
  expect((await client.query('commit')).command).toBe('ROLLBACK')
  await client.end()
  expect(await notes()).toBe(0)
})

test('a savepoint saves what came before a refusal', async () => {
  const client = await connect(stage, 'alice')
  await client.query('begin; insert into notes values (1); savepoint here')
  await expect(client.query('drop table notes')).rejects.toMatchObject({ code: '42501' })
  await client.query('rollback to here')
  await client.query('commit')
  await client.end()
  expect(await notes()).toBe(1)
})

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, everythingWritten, postern, psql, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
  await psql(stage, 'alice', 'select item from orders where id = 17;\ndrop table orders;')
  await psql(stage, 'support-bot', 'select email from customers where id = 3;')
})
afterAll(() => stage.stop())

type Row = {
  readonly kind: string
  readonly input?: { subject: { id: string }; action: { text?: string } }
  readonly result?: { effect: string }
}

async function search(...args: string[]): Promise<readonly Row[]> {
  const done = await postern(stage, 'bob', 'audit', 'search', ...args, '--json')
  expect(done.stderr).toBe('')
  const lines = done.stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Row)
}

test('every statement is on the record and found by who, what, effect and text', async () => {
  const texts = (await search('--subject', 'alice', '--kind', 'decision')).map(
    (row) => row.input?.action.text,
  )
  expect(texts).toContain('select item from orders where id = 17')
  const denied = await search('--effect', 'deny')
  expect(denied.every((row) => row.result?.effect === 'deny')).toBe(true)
  expect(denied.map((row) => row.input?.action.text)).toContain('drop table orders')
  expect((await search('--object', 'public.customers')).length).toBeGreaterThan(0)
  expect((await search('--text', 'email')).length).toBeGreaterThan(0)
  expect(await search('--subject', 'nobody-at-all')).toEqual([])
})

test('search takes a time range', async () => {
  const later = new Date(Date.now() + 60_000).toISOString()
  expect(await search('--from', later)).toEqual([])
  expect((await search('--to', later)).length).toBeGreaterThan(0)
})

test('the chain verifies, and one changed byte is found and named', async () => {
  const before = await postern(stage, 'bob', 'audit', 'verify')
  expect(before.status).toBe(0)
  const copy = join(stage.setup.folder, 'copy')
  cpSync(join(stage.setup.folder, 'state', 'audit'), copy, { recursive: true })
  const file = join(copy, readdirSync(copy).find((name) => name.endsWith('.jsonl')) ?? '')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('where id = 17', 'where id = 18'))
  const after = await postern(stage, 'bob', 'audit', 'verify', '--folder', copy)
  expect(after.status).toBe(1)
  expect(after.stdout + after.stderr).toMatch(/seq \d+|entry \d+|line \d+/i)
})

test('the canary: neither the credential nor a token nor a cell value is anywhere', async () => {
  const token = await stage.issuer.token('alice')
  const client = await connect(stage, 'alice', { password: token })
  const shown: string[] = []
  client.on('notice', (notice) => shown.push(JSON.stringify(notice)))
  const { rows } = await client
    .query('select name from employees where id = 1')
    .catch(() => ({ rows: [] }))
  await client.query("select current_setting('password_encryption')").catch((error: unknown) => {
    shown.push(JSON.stringify(error))
  })
  await client.query('nonsense').catch((error: unknown) => shown.push(JSON.stringify(error)))
  await client.end()
  const status = await postern(stage, 'bob', 'status')
  const written = everythingWritten(stage) + shown.join('') + status.stdout + JSON.stringify(rows)
  expect(written).not.toContain(stage.postgres.password)
  expect(written).not.toContain(token)
  expect(written).not.toContain('customer3@example.com')
})

test('the log has session ids and no statement text', async () => {
  const log = readFileSync(join(stage.setup.folder, 'gate.log'), 'utf8')
  expect(log).toMatch(/"session":"/)
  expect(log).not.toContain('from orders')
})

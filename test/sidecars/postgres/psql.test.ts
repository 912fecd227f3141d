import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { embeddedLibraries } from '../../servers/postgres.ts'
import { shop } from './shop.ts'

const here = shop({ kind: 'embedded' })
const run = promisify(execFile)
const folder = mkdtempSync(`${tmpdir()}/postern-psql-`)
let newer = ''

beforeAll(() => {
  newer = embeddedLibraries(folder)
  writeFileSync(`${folder}/ca.crt`, here.server.certificates.ca)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => here.decide((command) => (command.effects.includes('delete') ? 'deny' : 'allow')))

type Said = { readonly out: string; readonly err: string }

/** What psql prints for some input; `environment` decides how it connects. */
async function psql(
  input: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const child = run('psql', ['-X', '-A', '-t', '-q', '-f', '-', 'shop'], {
    env: {
      PATH: process.env['PATH'],
      PGHOST: 'localhost',
      PGHOSTADDR: '127.0.0.1',
      PGPORT: `${here.port}`,
      PGUSER: 'ada',
      PGPASSWORD: 'let-me-in',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: `${folder}/ca.crt`,
      ...environment,
    },
  })
  child.child.stdin?.end(input)
  const { stdout, stderr } = await child.catch(
    (failed: { stdout: string; stderr: string }) => failed,
  )
  return { out: stdout.trimEnd(), err: stderr.trimEnd() }
}

test('psql asks, and is told no in words', async () => {
  const { out, err } = await psql('select 1;\ndelete from customers;\nselect 2;')
  expect(out).toBe('1\n2')
  expect(err).toMatch(
    /ERROR: {2}postern: not this\nDETAIL: {2}rule policies\.test, code denied, decision d\d+\nHINT: {2}ask somebody/,
  )
})

test('psql describes tables', async () => {
  const { out, err } = await psql('\\d customers\n\\dt')
  expect(err).toBe('')
  expect(out).toContain('email|text')
  expect(out).toContain('public|customers|table')
})

test('psql copies in and out', async () => {
  const { out, err } = await psql('\\copy t from stdin\n5\n6\n\\.\n\\copy t to stdout\n')
  expect(err).toBe('')
  expect(out).toBe('5\n6')
})

test('psql cannot connect without TLS, or with a wrong token', async () => {
  expect((await psql('select 1', { PGSSLMODE: 'disable' })).err).toContain(
    'this listener only speaks TLS',
  )
  expect((await psql('select 1', { PGPASSWORD: 'wrong' })).err).toContain(
    'the token was not accepted',
  )
})

test('libpq 18 connects with direct TLS and protocol 3.2', async () => {
  const modern = {
    LD_LIBRARY_PATH: newer,
    PGSSLNEGOTIATION: 'direct',
    PGMINPROTOCOLVERSION: '3.2',
    PGMAXPROTOCOLVERSION: '3.2',
  }
  expect(await psql('select 1', modern)).toEqual({ out: '1', err: '' })
})

test('a held statement shows its notice', async () => {
  here.decide((command) => (command.effects.includes('write') ? 'hold' : 'allow'))
  const said = psql("update customers set name = 'x' where id = 1 returning name;")
  await expect.poll(() => here.gate.held(), { interval: 2, timeout: 5_000 }).toBe(1)
  here.gate.approve()
  expect(await said).toMatchObject({
    out: 'x',
    err: expect.stringContaining('waiting for approval'),
  })
})

test.each([
  ['select email from customers where id = 1', '***'],
  [
    'select email from customers where id = 1 union all select name from customers where id = 3',
    '[redacted]\n[redacted]',
  ],
  ["select 'a' union all select email from customers where id = 1", '[redacted]\n[redacted]'],
  [
    'select * from (select name from customers where id = 3 union all select email from customers where id = 1) q',
    '[redacted]\n[redacted]',
  ],
  ['select q.e from (select email e from customers where id = 1) q', '***'],
  ['select mail from people where id = 1', '***'],
  ['select (select email from customers where id = 1)', '[redacted]'],
  ['select max(email) from customers', '[redacted]'],
  ['select max(email) from customers where id < 0', '[redacted]'],
  ['select customers from customers where id = 1', ''],
  ['select row_to_json(customers) from customers where id = 1', ''],
  ['with w as (select email from customers where id = 1) select * from w', '***'],
  ['update customers set email = email where id = 1 returning email', '***'],
  ['prepare p as select email from customers where id = 1; execute p', '***'],
  ['select name from customers where id = 3', 'name3'],
  ['select count(*) from customers', '500'],
  ['select upper(name) from customers where id = 3', 'NAME3'],
  ['select 1 + 1', '2'],
])('masked: %s', async (sql, shown) => {
  here.decide(() => ({ mask: ['public.customers.email'] }))
  const { out } = await psql(sql)
  expect(out).toBe(shown.trimEnd())
  expect(out).not.toContain('@')
})

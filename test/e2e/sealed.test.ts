/** Sessions of agents on a role without rights: `postern serve` and `postern check` as processes, psql, psycopg and node-postgres. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secretsOf } from '../../deploy/demo/gate.ts'
import { seal } from '../../deploy/demo/seal.ts'
import { postern } from '../gate.ts'
import {
  connect,
  type Finished,
  postern as ownPostern,
  psql,
  run,
  type Stage,
  startStage,
} from './stage.ts'

const agent = 'support-bot'
const guess = "select id, email from customers where email like '%customer7@%' or id = 7"

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ sealedSecret: '{ file: ./sealed.password }' }, (made) => {
    password(made.setup.folder, made.postgres.sealed.password)
  })
})
afterAll(() => stage.stop())

function password(folder: string, text: string): void {
  writeFileSync(join(folder, 'sealed.password'), `${text}\n`)
}

const check = () =>
  postern(
    undefined,
    ['check', '--database', 'shop', '--config', join(stage.setup.folder, 'postern.yaml')],
    secretsOf(stage.postgres),
  )

async function python(lines: readonly string[]): Promise<Finished> {
  const { folder, ports } = stage.setup
  const script = ['import psycopg', 'connection = psycopg.connect("")', ...lines].join('\n')
  return await run('/usr/bin/python3', ['-c', script], {
    PGHOST: 'localhost',
    PGPORT: String(ports.gate),
    PGUSER: agent,
    PGDATABASE: 'shop',
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: join(folder, 'ca.crt'),
    PGPASSWORD: await stage.issuer.token(agent),
  })
}

async function asked(sql: string): Promise<pg.QueryResult> {
  const client = await connect(stage, agent)
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

test('psql reads, joins and filters, and sees constants', async () => {
  const done = await psql(
    stage,
    agent,
    `${guess};\nselect count(*) from customers c join payments p using (card_number);`,
  )
  expect(done).toEqual({ status: 0, stdout: '7|[redacted]\n180000\n', stderr: '' })
})

test('psycopg does so with parameters, a cursor of the server, and binary answers', async () => {
  const done = await python([
    'print(connection.execute("select email, ssn from customers where id = %s", [7]).fetchone())',
    'print(connection.cursor(binary=True).execute("select salary, name from employees where id = %s", [1]).fetchone())',
    'cursor = connection.cursor("mine")',
    'print(cursor.execute("select email from customers order by card_number, id").fetchone())',
  ])
  expect(done.stderr).toBe('')
  expect(done.stdout).toBe("('[redacted]', '[redacted]')\n(None, 'Mallory')\n('[redacted]',)\n")
})

test('node-postgres does so, and is told the very types of the columns', async () => {
  const { rows, fields } = await asked(guess)
  expect(rows).toEqual([{ id: 7, email: '[redacted]' }])
  expect(fields.map(({ dataTypeID }) => dataTypeID)).toEqual([23, 25])
  const text = JSON.stringify(await asked('select c, to_json(c) from customers c where id = 7'))
  expect(text).not.toMatch(/customer7|555\d{4}|-45-/)
})

test('a person at the same gate reads on as before', async () => {
  expect((await psql(stage, 'alice', 'select email from customers where id = 7;')).stdout).toBe(
    'customer7@example.com\n',
  )
})

test('check sees nothing wrong', async () => {
  const { status, out } = await check()
  expect(out).toMatch(/^ok +shop\.sealed +sees no protected column of shop$/m)
  expect(status).toBe(0)
})

test('a password that is wrong is named by its setting, and a new one is used as soon as it is there', {
  timeout: 60_000,
}, async () => {
  const open = await connect(stage, agent)
  const next = `${stage.postgres.sealed.password}-next`
  await stage.direct.query(`alter role shop_sealed password '${next}'`)
  const done = await psql(stage, agent, 'select 1;')
  expect(done.stderr).toContain('see sealed_credential of the listener')
  expect(done.stderr + (await check()).out).not.toContain(stage.postgres.sealed.password)
  expect((await check()).out).toMatch(/^problem +shop\.sealed +the datastore did not accept/m)
  password(stage.setup.folder, next)
  await expect
    .poll(async () => (await psql(stage, agent, 'select 1;')).stdout, { timeout: 15_000 })
    .toBe('1\n')
  expect((await open.query(guess)).rows).toEqual([{ id: 7, email: '[redacted]' }])
  await open.end()
})

test('a role that was given too much is refused what it could read, and check names the grant', {
  timeout: 60_000,
}, async () => {
  await stage.direct.query(
    'grant select on customers to public; grant select (ssn) on employees to shop_sealed',
  )
  const { status, out } = await check()
  expect(status).toBe(1)
  expect(out).toContain(
    'can read public.customers.email: too much is GRANT SELECT ON public.customers TO PUBLIC',
  )
  expect(out).toContain(
    'can read public.employees.ssn: too much is GRANT SELECT (ssn) ON public.employees TO shop_sealed',
  )
  await stage.restart()
  await expect(asked(guess)).rejects.toMatchObject({
    message: expect.stringContaining('the login of sealed sessions may read public.customers.'),
    hint: expect.stringContaining('postern check names the grant'),
  })
  const alarms = await ownPostern(stage, 'bob', 'audit', 'search', '--kind', 'alarm', '--json')
  expect(alarms.stdout).toContain('may read public.customers.')
  await expect(asked('select name from customer_directory')).rejects.toThrow(/may read public/)
  expect((await asked('select count(*) as n from orders')).rows).toEqual([{ n: '1000' }])
})

test('after the script it works again', { timeout: 60_000 }, async () => {
  await seal(stage.setup, stage.postgres)
  await stage.restart()
  expect((await asked(guess)).rows).toEqual([{ id: 7, email: '[redacted]' }])
  expect((await check()).status).toBe(0)
})

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Finished, psql, run, type Stage } from '../e2e/stage.ts'
import { startShop, type Who } from './kit.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startShop()
})
afterAll(() => stage.stop())

const people = ['alice', 'support-bot'] as const
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

function place(who: Who): string {
  const { folder, ports } = stage.setup
  return `host=localhost port=${ports.gate} user=${who} dbname=shop sslmode=verify-full sslrootcert=${join(folder, 'ca.crt')}`
}

/** A program of Debian's Python that connects as libpq's environment says. */
async function python(who: Who, script: string, ...args: string[]): Promise<Finished> {
  return await run('/usr/bin/python3', [here(script), ...args], {
    PGHOST: 'localhost',
    PGPORT: String(stage.setup.ports.gate),
    PGUSER: who,
    PGDATABASE: 'shop',
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: join(stage.setup.folder, 'ca.crt'),
    PGPASSWORD: await stage.issuer.token(who),
  })
}

test.each([
  ['alice', /^$/],
  // \db+ sums up what is stored, which the server tells members of pg_read_all_stats.
  [
    'support-bot',
    /^psql:\S*describe.psql:\d+: ERROR: {2}permission denied for tablespace pg_global\n$/,
  ],
] as const)('psql describes everything for %s', async (who, said) => {
  const done = await psql(stage, who, `\\i ${here('describe.psql')}`)
  expect(done.stderr).toMatch(said)
  expect(done.stdout).toContain('CREATE OR REPLACE FUNCTION public.order_total')
})

test.each(people)(
  'psql says why it cannot describe servers and subscriptions to %s',
  async (who) => {
    const done = await psql(stage, who, '\\des\n\\deu\n\\dRs\nselect 1;')
    expect(
      done.stderr.match(/postern: pg_catalog\.\w+ is for the security team alone/g),
    ).toHaveLength(3)
    expect(done.stdout).toBe('1\n')
  },
)

const script = `
select id, item from orders where id < 3 \\gdesc
select customer_id % 2 as odd, item, count(*) from orders group by 1, 2 order by 1 \\crosstabview
\\set FETCH_COUNT 7
select id from orders order by id limit 20;
\\unset FETCH_COUNT
select 'select 40 + 2' \\gexec
select 5 as five \\gset
\\echo :five
prepare one as select item from orders where id = $1;
execute one(1);
begin; declare c cursor for select id from orders order by id; fetch 3 from c; commit;
\\timing
`

test.each(people)('psql computes, fetches and prepares for %s', async (who) => {
  const done = await psql(stage, who, script)
  expect(done.stderr).toBe('')
  expect(done.stdout).toMatch(/^id\|integer$/m)
  expect(done.stdout).toMatch(/^0(\|\d*){4}$/m)
  expect(done.stdout).toMatch(/^20$/m)
  expect(done.stdout).toMatch(/^42\n5\nmonitor\n1\n2\n3$/m)
})

test('psql copies out for an engineer, and not for an agent', async () => {
  const copy = '\\copy (select id from orders where id < 4 order by id) to stdout'
  expect(await psql(stage, 'alice', copy)).toEqual({ status: 0, stdout: '1\n2\n3\n', stderr: '' })
  const refused = await psql(stage, 'support-bot', copy)
  expect(refused.stdout).toBe('')
  expect(refused.stderr).toContain('postern: agents do not export tables')
})

test.each([
  ['select * from ord', 'orders'],
  ['select * from orders where cus', 'customer_id'],
  ['\\sf order_t', 'order_total'],
  ['set statement_t', 'statement_timeout'],
])('psql completes %s', async (typed, expected) => {
  const done = await python('alice', 'complete.py', typed, place('alice'))
  expect(done.stderr).toBe('')
  expect(done.stdout.toLowerCase()).toContain(expected)
})

test('pg_dump is refused and told so', async () => {
  const env = { PGPASSWORD: await stage.issuer.token('alice') }
  const done = await run('pg_dump', ['--schema-only', '-t', 'orders', '-d', place('alice')], env)
  expect(done.status).not.toBe(0)
  expect(done.stderr).toMatch(/postern: |server version mismatch/)
})

test.each(people)('psycopg works for %s', async (who) => {
  const done = await python(who, 'driver.py')
  expect(done.stderr).toBe('')
  expect(done.stdout.split('\n').slice(0, -1)).toEqual([
    'server 18',
    "rows ('monitor',)",
    'list 3',
    'type numeric',
    "composite ['id', 'customer_id']",
    'cursor 10',
    'savepoint (1000,)',
    'binary True',
    'pipeline (1,) (2,)',
    'refused postern: public.secrets is for the security team alone',
    'after (1,)',
    `closed ${who}`,
  ])
})

test('a pool of node-postgres closes without a word', async () => {
  const problems: unknown[] = []
  for (let round = 0; round < 5; round += 1) {
    const pool = new pg.Pool({
      host: '127.0.0.1',
      port: stage.setup.ports.gate,
      user: 'alice',
      database: 'shop',
      password: await stage.issuer.token('alice'),
      ssl: { ca: stage.setup.certificates.ca, servername: 'localhost' },
    })
    pool.on('error', (problem) => problems.push(problem))
    await Promise.all([1, 2, 3].map((id) => pool.query('select $1::int', [id])))
    await pool.end()
  }
  expect(problems).toEqual([])
})

test.each(people)('postgres.js reads its types, lists and cursors for %s', async (who) => {
  const sql = postgres({
    host: '127.0.0.1',
    port: stage.setup.ports.gate,
    user: who,
    database: 'shop',
    password: () => stage.issuer.token(who),
    ssl: { ca: stage.setup.certificates.ca, servername: 'localhost' },
    max: 2,
    onnotice: () => undefined,
  })
  expect(await sql`select id from orders where id = any(${[1, 2]}) order by id`).toMatchObject([
    { id: 1 },
    { id: 2 },
  ])
  expect((await sql.begin('read only', (own) => own`select count(*) from orders`))[0]).toEqual({
    count: '1000',
  })
  let rows = 0
  await sql`select id from orders`.cursor(300, (some) => {
    rows += some.length
  })
  expect(rows).toBe(1_000)
  expect((await sql`select item, id from orders`.describe()).columns).toHaveLength(2)
  await sql.end()
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { psql, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

test('an engineer reads what policy allows, through stock psql', async () => {
  const done = await psql(stage, 'alice', 'select item from orders order by id limit 2;')
  expect(done).toEqual({ status: 0, stdout: 'monitor\ndesk\n', stderr: '' })
})

test('an agent sees customers without personal data', async () => {
  const done = await psql(
    stage,
    'support-bot',
    'select id, name, email, card_number, ssn, phone from customers order by id limit 20;',
  )
  expect(done.stderr).toBe('')
  expect(done.stdout.split('\n')).toHaveLength(21)
  expect(done.stdout).toContain('Alan Turing')
  expect(done.stdout).not.toMatch(/customer\d+@|4111 1111|-45-6789|\+49 30 555/)
})

test('a denial reads like a permission error and says which rule, why, and what to do', async () => {
  const done = await psql(stage, 'alice', '\\set VERBOSITY verbose\ndrop table customers;')
  expect(done.stderr).toMatch(/^ERROR: {2}42501: postern: /m)
  expect(done.stderr).toMatch(/^DETAIL: {2}rule .*, code .*, decision /m)
  expect(done.stderr).toMatch(/^HINT: {2}\S/m)
  const { rows } = await stage.direct.query("select to_regclass('public.customers') as found")
  expect(rows).toEqual([{ found: 'customers' }])
})

test('after a denial the session goes on', async () => {
  const done = await psql(stage, 'alice', 'drop table customers;\nselect 1 as still_here;')
  expect(done.stdout).toBe('1\n')
})

test('a denial in a transaction aborts it, as a permission error would', async () => {
  const done = await psql(
    stage,
    'alice',
    'begin;\nselect 1;\ndrop table customers;\nselect 2;\nrollback;\nselect 3;',
  )
  expect(done.stdout).toBe('1\n3\n')
  expect(done.stderr).toContain('current transaction is aborted')
})

test('one refused statement refuses the whole string', async () => {
  const done = await psql(stage, 'alice', 'select 1 \\; drop table customers \\; select 2;')
  expect(done.stdout).toBe('')
  expect(done.stderr).toContain('postern:')
})

test('nobody but security reads the secrets', async () => {
  for (const who of ['alice', 'support-bot'] as const) {
    const done = await psql(
      stage,
      who,
      'select * from secrets;\ntable secrets;\ncopy secrets to stdout;',
    )
    expect(done.stdout).toBe('')
    expect(done.stderr.match(/postern:/g)).toHaveLength(3)
  }
})

test.each(['\\d', '\\dt', '\\d orders', '\\df', '\\dn', '\\du', '\\conninfo', '\\dv'])(
  'psql %s works for an engineer',
  async (command) => {
    const done = await psql(stage, 'alice', command)
    expect(done.stderr).toBe('')
    expect(done.stdout).not.toBe('')
  },
)

test('an agent cannot carry masked data out by COPY', async () => {
  const done = await psql(
    stage,
    'support-bot',
    'copy customers to stdout;\ncopy (select email from customers) to stdout;\ncopy customers (id) to stdout;',
  )
  expect(done.stdout).not.toMatch(/customer\d+@/)
  expect(done.stderr).toContain('postern:')
})

test('an agent cannot find out a masked value by asking about it', async () => {
  const done = await psql(
    stage,
    'support-bot',
    [
      "select id from customers where email = 'customer7@example.com';",
      "select count(*) filter (where email like 'customer7@%') from customers;",
      'select id from customers order by ssn limit 1;',
      "select 1/(case when email like 'customer7@%' then 0 else 1 end) from customers;",
      'select row_to_json(c) from customers c where id = 7;',
      'select upper(email) from customers where id = 7;',
      'select email::int from customers where id = 7;',
      'select email from customer_directory where id = 7;',
      'select max(email) from customers;',
    ].join('\n'),
  )
  expect(done.stdout + done.stderr).not.toMatch(/customer7@example|CUSTOMER7|107-45/i)
  expect(done.stdout.replaceAll(/^\n/gm, '')).not.toMatch(/^7$/m)
})

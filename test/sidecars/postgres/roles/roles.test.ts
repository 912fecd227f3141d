import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { declaring } from '../../../../sidecars/postgres/catalogue.ts'
import { type Privileges, privileges } from '../../../../sidecars/postgres/roles/privileges.ts'
import { script } from '../../../../sidecars/postgres/roles/script.ts'
import { verifyRole } from '../../../../sidecars/postgres/roles/verify.ts'
import { asText } from '../reading.ts'
import { type Ground, ground, protectedColumns } from '../rewrite/kit.ts'

const role = { user: 'sealed"role', password: 'sealed-secret' }

let here: Ground
let wanted: Privileges
let sealed: Client

beforeAll(async () => {
  here = await ground(`create role "sealed""role" login password '${role.password}';
    grant select on customers, v_customers to public; create role staff; grant staff to "sealed""role"`)
  wanted = await privileges(here.query, here.catalogue, (one) => protectedColumns.includes(one))
  sealed = await here.connect('demo_a', role)
}, 60_000)
afterAll(async () => {
  await sealed.end()
  await here.stop()
})

const text = (writes = false): string =>
  script(wanted, { role: role.user, database: 'demo_a', writes })

const columnsOf = (name: string) => wanted.relations.find((one) => one.name === name)?.columns

test.each([
  ['payments', 'all'],
  ['employees', ['id', 'name', 'manager_id']],
  ['secrets', ['id', 'name']],
  ['mv_emails', ['id']],
  ['v_customers', 'none'],
  ['v_safe', 'none'],
  ['v_filtered', 'none'],
  ['v_nested', 'none'],
])('%s: %j', (name, columns) => {
  expect(columnsOf(name)).toEqual(columns)
})

test('a generated column shows what it is made of, a child what its parent hides', () => {
  expect(columnsOf('customers')).not.toContain('email_domain')
  expect(columnsOf('customers_archive')).not.toContain('ssn')
  expect(columnsOf('customers_archive')).toContain('archived_on')
})

test('before the script the role sees too much, and the check says so', async () => {
  const problems = await verifyRole(asText(sealed), wanted)
  expect(problems).toEqual(
    expect.arrayContaining([
      'may act as staff',
      'may create temporary tables',
      'can read public.customers.email: too much is GRANT SELECT ON public.customers TO PUBLIC',
    ]),
  )
  expect(problems.join()).toContain('get_email_pl')
})

test('what is safe by review may be used, and the check misses it where it may not', async () => {
  const safe = {
    functions: new Map(),
    declassify: new Set(['public.v_safe', 'public.get_email_pl']),
  }
  const isProtected = (one: string) => protectedColumns.includes(one)
  const more = await privileges(here.query, declaring(here.catalogue, safe), isProtected)
  const columns = (name: string) => more.relations.find((one) => one.name === name)?.columns
  expect(columns('v_safe')).toBe('all')
  expect(columns('v_nested')).toBe('none')
  const allowed = script(more, { role: role.user, database: 'demo_a', writes: false })
  expect(allowed).toContain(
    'GRANT SELECT, REFERENCES ON TABLE "public"."v_safe" TO "sealed""role";',
  )
  expect(allowed).toMatch(
    /GRANT EXECUTE ON FUNCTION "public".get_email_pl\(.*\) TO "sealed""role";/,
  )
  here.server.sql(text(), 'demo_a')
  const problems = await verifyRole(asText(sealed), more)
  expect(problems.join()).toContain('cannot run public.get_email_pl(')
  expect(problems.join()).toContain('cannot read public.v_safe.')
})

test('after the script the check finds nothing, and the server refuses by itself', async () => {
  here.server.sql(`revoke staff from "sealed""role";\n${text()}`, 'demo_a')
  // Twice, for whoever runs it again.
  here.server.sql(text(), 'demo_a')
  expect(await verifyRole(asText(sealed), wanted)).toEqual([])
  for (const refused of [
    'select * from customers',
    'select email from customers',
    'select 1 from customers where ssn is null',
    'select * from v_customers',
    'select * from v_filtered',
    'select email from mv_emails',
    'select salary from employees',
    'select get_email_pl(1)',
    'select get_email(1)',
    'select c from customers c',
    'create temp table t (a int)',
    'create table public.t (a int)',
    'insert into notes values (9, $$x$$)',
    'create table public.t (a text references customers (email))',
  ])
    await expect(sealed.query(refused), refused).rejects.toMatchObject({ code: '42501' })
  expect((await sealed.query('select id, name from customers')).rowCount).toBe(5)
  expect((await sealed.query('select amount from payments')).rowCount).toBe(4)
})

test('with writes it changes rows, and still reads nothing that is protected', async () => {
  here.server.sql(text(true), 'demo_a')
  expect(await verifyRole(asText(sealed), wanted)).toEqual([])
  await sealed.query('begin')
  await sealed.query('insert into notes values (9, $$x$$)')
  await sealed.query('update customers set name = $$x$$ where id = 1')
  await sealed.query('rollback')
  await expect(
    sealed.query('update customers set name = $$x$$ where email = $$y$$'),
  ).rejects.toMatchObject({ code: '42501' })
})

test('a right that was added later is found', async () => {
  here.server.sql('grant select (ssn) on customers to "sealed""role"', 'demo_a')
  here.server.sql('grant select on secrets to "sealed""role"', 'demo_a')
  expect(await verifyRole(asText(sealed), wanted)).toEqual([
    'can read public.customers.ssn: too much is GRANT SELECT (ssn) ON public.customers TO "sealed""role"',
    'can read public.secrets.value: too much is GRANT SELECT ON public.secrets TO "sealed""role"',
  ])
  here.server.sql(text(), 'demo_a')
  expect(await verifyRole(asText(sealed), wanted)).toEqual([])
})

test('the superuser is no sealed role', async () => {
  const problems = await verifyRole(here.query, wanted)
  expect(problems).toContain('is a superuser')
})

test('names are quoted and end no comment', () => {
  const odd = script(
    { schemas: ['a"b'], relations: [], definers: [] },
    { role: 'x\n; drop table y; --', database: 'd"\n', writes: false },
  )
  expect(odd.split('\n')[0]).not.toContain(';')
  expect(odd).toContain('GRANT USAGE ON SCHEMA "a""b" TO "x\n; drop table y; --"')
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { toRun } from '../../../../sidecars/postgres/outgoing.ts'
import { parse, ready } from '../../../../sidecars/postgres/read/parser.ts'
import { thin } from '../../../../sidecars/postgres/read/thin.ts'
import { threads } from '../../../../sidecars/postgres/read/threads.ts'
import { type Database, database, scope } from '../reading.ts'

let db: Database | undefined
beforeAll(async () => {
  await ready
  db = await database()
})
afterAll(() => db?.stop())

const lists = (text: string): readonly string[] => {
  const found: string[] = []
  JSON.stringify(thin(parse(text).statements), (key, value: unknown) => {
    if (key === 'valuesLists')
      for (const one of value as readonly unknown[]) found.push(JSON.stringify(one))
    return value
  })
  return found
}

test.each([
  ['values (1), (2), (3)', 1],
  ["values (1, 'a'), (2, 'b'), (3, null), (4, null)", 2],
  ['values (1), (1.5), (99999999999), (88888888888), (true), (false)', 4],
  ['insert into t values (1, default), (2, default), (default, 3)', 2],
  ["values ('a'::date), ('b'::date), ('c'::text)", 2],
  ["values ('a'::regclass), ('b'::regclass)", 2],
  ["values ('a'::s.date), ('b'::s.date)", 2],
  ["values ('a'::pg_catalog.date), ('b'::pg_catalog.date)", 1],
  ["values (f('a')), (f('b')), (f('b'))", 2],
  ['values ((select a from t)), ((select b from t)), ((select a from t))', 2],
  ['values ((select a from (values (1), (2)) v(a))), (1), (2)', 3],
  ['values ($1), ($2), ($1)', 2],
])('of %s %s rows are left', (text, count) => {
  expect(lists(text)).toHaveLength(count)
})

const many = (row: string): string =>
  Array.from({ length: 900 }, (_, at) => row.replaceAll('#', String(at))).join(', ')

test.each(
  [
    `insert into staging (id, name) values ${many("(#, 'name #')")}`,
    `insert into staging (id, name) values ${many("(#, 'name #')")}, (default, (select email from customers limit 1))`,
    `insert into staging (id, name) select * from (values ${many("(#, '#'::text)")}) v(a, b) where a in (select id from customers)`,
    `select c.email, v.b from customers c join (values ${many('(#, upper($1))')}) v(a, b) on v.a = c.id`,
    `update customers set name = v.b from (values ${many("(#, 'x#')")}, (1, 'y')) v(a, b) where id = v.a`,
    `insert into customers (id, email) values ${many("(#, '#')")} on conflict (id) do update set email = excluded.email`,
    `insert into audit (actor, action) values ${many("('a', 'b#')")} ; ; select email from customers`,
    `insert into nowhere values ${many('(#)')}`,
    `select id from customers where id in (${many('#')}) -- ${'x'.repeat(20_000)}`,
  ].map((text) => [`${text.slice(0, 60)} ... ${text.slice(-30)}`, text]),
)('what is read of %s in a thread is what is read of it here', async (_, text = '') => {
  if (db === undefined) throw new Error('there is no database')
  const here = scope(db.catalogue)
  const apart = await threads()(text)
  expect(apart.problem).toBeUndefined()
  const found = toRun(text, here, apart)
  expect(found.every((one) => one.thin !== undefined)).toBe(true)
  expect(found.map(({ thin: _, ...rest }) => rest)).toEqual(toRun(text, here))
})

test('rows are few where they are alike, so that large ones are taken in at once', async () => {
  const text = `insert into staging values ${many("(#, 'name #', 'somebody-#@example.com')")}`
  const apart = await threads()(text)
  expect(JSON.stringify(apart.statements).length).toBeLessThan(1000)
  expect(apart.problem ?? apart.each[0]?.written.text).toContain('somebody-899@example.com')
})

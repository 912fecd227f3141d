import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Command } from '../../../pdp/contract.ts'
import { toRun } from '../../../sidecars/postgres/outgoing.ts'
import { ready } from '../../../sidecars/postgres/read/parser.ts'
import type { Statement } from '../../../sidecars/postgres/statement.ts'
import { isForAll, pattern, template, withText } from '../../../sidecars/postgres/template.ts'
import { type Database, database, scope } from './reading.ts'

let db: Database | undefined
beforeAll(async () => {
  await ready
  db = await database()
})
afterAll(() => db?.stop())

test.each([
  [
    `select id, email from customers where email = 'x'`,
    `select id, email from customers where email = '5'`,
  ],
  [
    `select upper(email) = 'A', id from customers`,
    `select upper(email) = 'secrets', id from customers`,
  ],
  [
    `select relname from pg_class where oid = 'customers'`,
    `select relname from pg_class where oid = 'x.y.z'`,
  ],
  [
    `select id from customers where id in (1, 2) and 1 = 1`,
    `select id from customers where id in (7, 0) and 1 = 0`,
  ],
  [
    `insert into staging (id, name) values (1, 'a')`,
    `insert into staging (id, name) values (999999999, 'b')`,
  ],
  [
    `update customers set name = '' where id = 1`,
    `update customers set name = 'null' where id = 2`,
  ],
])('what is read of %s is what is read of %s', (one, other) => {
  if (db === undefined) throw new Error('there is no database')
  const here = scope(db.catalogue)
  const [first, ...rest] = toRun(one, here)
  const [shape, own] = [template(other), template(one)]
  if (first === undefined || shape === undefined || own === undefined) throw new Error(one)
  expect(rest).toEqual([])
  expect(shape.key).toEqual(own.key)
  expect(isForAll([first], one, own)).toBe(true)
  const runs = pattern(own)
  if (runs === undefined) throw new Error(`no pattern for ${one}`)
  expect([withText(first, one, own, runs)]).toEqual(toRun(one, here))
  expect([withText(first, other, shape, runs)]).toEqual(toRun(other, here))
})

test.each([
  ['select a from t where b = 1 and c = 2', '7 0', 'SELECT a FROM t WHERE b = 7 AND c = 0'],
  ['select a from t where b = 1 and c = 1', '7 8', 'SELECT a FROM t WHERE b = 7 AND c = 8'],
  ['select a from t where b = -1', '5', 'SELECT a FROM t WHERE b = -5'],
  ['select a from t where b between 2 and 1', '3 4', 'SELECT a FROM t WHERE b BETWEEN 3 AND 4'],
  ["update t set a = 'x', b = 1", "'y' 2", "UPDATE t SET a = 'y', b = 2"],
])('%s runs with %s as %s', (text, values, wanted) => {
  const own = template(text)
  const runs = own && pattern(own)
  const [one] = made(text)
  if (own === undefined || runs === undefined || one === undefined) throw new Error(text)
  const other = { key: own.key, values: values.split(' ') }
  expect(withText(one, text, other, runs).upstream).toBe(wanted)
})

const made = (text: string, more: object = {}, command: object = {}): readonly Statement[] => [
  {
    command: { name: 'x', effects: ['read'], objects: [], text, ...command } as Command,
    names: [],
    needs: [],
    rows: true,
    upstream: text,
    ...more,
  },
]

function general(text: string): boolean {
  const shape = template(text)
  return shape !== undefined && isForAll(made(text), text, shape)
}

test.each([
  ['select a from t where id = 5', 'select a from t where id = 77'],
  ["select a from t where n = 'x' and m <> 'y'", "select a from t where n = 'zz' and m <> ''"],
  ['select "A" from "T" where id in (1, 2)', 'select "A" from "T" where id in (3, 4)'],
  ["insert into t (a, b) values (1, 'x')", "insert into t (a, b) values (2, 'it, is -- y')"],
  ["update t set a = 'x' where id = 1", "update t set a = 'y' where id = 2"],
  ['select a from t where id between 1 and 2', 'select a from t where id between 3 and 4'],
  ["select a from t where n like 'x%'", "select a from t where n like '_'"],
  ['select a from t where id = -1', 'select a from t where id = -2'],
])('%s and %s are one', (one, other) => {
  expect(template(one)?.key).toEqual(template(other)?.key)
  expect(general(one)).toBe(true)
  expect(general(other)).toBe(true)
})

test.each([
  ['select a from t where id = 5', "select a from t where id = '5'"],
  ['select a from t where id = 5', 'select a from t where id  = 5'],
  ['select a from t where id = 5', 'select A from t where id = 5'],
  ['select "a" from t where id = 5', 'select "b" from t where id = 5'],
  ['select a from t where id in (1)', 'select a from t where id in (1, 2)'],
])('%s and %s are two', (one, other) => {
  expect(template(one)?.key).not.toBe(template(other)?.key)
})

test.each([
  'select a from t limit 5',
  'select a from t where id = 1 limit 5',
  'select a, b from t where a = 1 order by 2',
  'select a from t group by 1',
  "select nextval('s')",
  "select 'x'::regclass",
  "select a from t where o = 'x'::regclass",
  "select date '2020-01-01' = d from t where a = 1",
  "select set_config('a', 'b', false)",
  'select 5',
  'select a + 5 from t',
  "select a from f('x')",
  "set a = 'x'",
  'prepare p as select a from t where id = 1',
  "copy t to stdout (delimiter ',')",
  'explain select a from t where id = 1',
  'select a from t where id = 1; select a from t where id = 2',
])('%s is only itself', (text) => {
  expect(general(text)).toBe(false)
})

test.each([
  "select a from t where n = E'x'",
  "select a from t where n = e'x'",
  "select a from t where n = U&'x'",
  "select a from t where n = B'1'",
  "select a from t where n = 'it''s'",
  "select a from t where n = 'a\\b'",
  "select a from t where n = 'a\"b'",
  "select a from t where n = 'ü'",
  "select a from t where n = 'a' 'b'",
  "select a from t where n = 'a'\n'b'",
  "select a from t where n = 'a",
  'select a from t where id = 5 -- x',
  'select a from t where id = 5 /* x */',
  'select a from t where id = 5.5',
  'select a from t where id = 5e5',
  'select a from t where id = 0x5',
  'select a from t where id = 5_000',
  'select a from t where id = 5000000000',
  'select a from t where id = 05',
  'select a from t where id = $1 and n = 5',
  'select a from t where n = $$x$$',
  'select ä from t where id = 5',
  'select a from t where id = 5\0',
  'select a from t',
])('%j has no template', (text) => {
  expect(template(text)).toBeUndefined()
})

test('what depends on more than the text is only itself', () => {
  const text = 'select a from t where id = 5'
  const shape = template(text) ?? { key: '', values: [] }
  expect(isForAll(made(text), text, shape)).toBe(true)
  expect(isForAll(made(text, { upstream: undefined }), text, shape)).toBe(false)
  expect(isForAll(made(text, { needs: ['p'] }), text, shape)).toBe(false)
  expect(isForAll(made(text, { names: [{ kind: 'close', name: '' }] }), text, shape)).toBe(false)
  expect(isForAll(made(text, {}, { incomplete: 'x' }), text, shape)).toBe(false)
  expect(isForAll(made(`${text} and b`), text, shape)).toBe(false)
  expect(isForAll([...made(text), ...made(text)], text, shape)).toBe(false)
})

test('the text on record is the one that was sent', () => {
  const [one] = made('select a from t where id = 5')
  if (one === undefined) throw new Error('nothing was made')
  const sent = (text: string): string | undefined => {
    const shape = template(text)
    const runs = shape && pattern(shape)
    return shape && runs && withText(one, text, shape, runs).command.text
  }
  expect(sent('select a from t where id = 6')).toBe('select a from t where id = 6')
  expect(one.command.text).toBe('select a from t where id = 5')
  expect(sent(' select a from t where id = 7; \n')).toBe('select a from t where id = 7')
})

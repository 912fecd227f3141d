import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse, ready } from '../../../../sidecars/postgres/read/parser.ts'
import { canonical } from '../../../../sidecars/postgres/rewrite/canonical.ts'
import { sameTree } from '../../../../sidecars/postgres/rewrite/tree.ts'
import { rows } from '../../../wire/rows.ts'

await ready

const tree = (text: string) => {
  const node = parse(text).statements?.[0]?.stmt
  if (node === undefined) throw new Error(text)
  return node
}

test.each([
  ['select 1 -- c', 'SELECT 1'],
  ['select "a" , /* c */ B from T as t', 'SELECT a, b FROM t AS t'],
  [`select U&'\\0061', E'\\x41', 'it''s', $$d$$`, `SELECT 'a', 'A', 'it''s', 'd'`],
  ['select 1::text, 1::pg_catalog.text', 'SELECT CAST(1 AS text), CAST(1 AS pg_catalog.text)'],
  ['select "select" from "Customers" c(x)', 'SELECT "select" FROM "Customers" AS c(x)'],
  ['select $1::int4[] = any(array[$2])', undefined],
  ['delete from only a.b using c where b.x = c.y returning *', undefined],
  ['prepare "A" (int) as select $1', 'PREPARE "A" (int) AS SELECT $1'],
  ['execute "A" (1)', 'EXECUTE "A" (1)'],
  ['deallocate "A"', 'DEALLOCATE "A"'],
  ['deallocate all', 'DEALLOCATE ALL'],
  ['declare "C" cursor for select 1', undefined],
  ['commit and chain', 'COMMIT AND CHAIN'],
  ['rollback and chain', 'ROLLBACK AND CHAIN'],
  ['select (array[a])[1], (b.c).d, (f(x)).*, ($1).y from b', undefined],
  ["set dynamic_library_path = '/tmp'", `SET "dynamic_library_path" TO '/tmp'`],
  ["set local search_path to 'A', b", `SET LOCAL "search_path" TO 'A', 'b'`],
  ["set time zone 'it''s'", `SET TIME ZONE 'it''s'`],
  ["set time zone interval '+00:00' hour to minute", undefined],
  ["set time zone interval(2) '+00:00'", undefined],
  ['set time zone local', undefined],
  ['set x.y to 1, -2.5, on', undefined],
  ["copy t (a) from stdin csv header freeze delimiter ';' force not null a", undefined],
  ['copy t to stdout (format csv, header)', undefined],
  ['copy t from stdin csv header where a > 1', undefined],
  ['copy t to stdout csv header force quote *', undefined],
  ["select * from xmltable('a' passing b columns c int path 'd' default 1 not null) x", undefined],
  [
    "select 1 from t, lateral xmltable(xmlnamespaces('u' as n, default 'v'), '/r' passing t.a columns b for ordinality) as x(c)",
    undefined,
  ],
  ['select a from t order by a fetch first 2 rows with ties', undefined],
  ['select a from t order by a fetch first (1 + 1) rows with ties for update', undefined],
  ['create table t (a int, b int, unique (a) include (b))', undefined],
  ['refresh materialized view concurrently "s WITH".v with no data', undefined],
  ["do 'begin raise notice $x$it''s$x$; end'", undefined],
])('%s is written out as it was read', (text, wanted) => {
  const made = canonical(tree(text))
  if (wanted !== undefined) expect(made.text).toBe(wanted)
  expect(sameTree(tree(made.text ?? ''), tree(text))).toBe(true)
})

test.each([
  ['select a from t', 'select b from t'],
  ['select a from t', 'select a from only t'],
  ['select 1', "select '1'"],
  ['select a from t', 'select a from t where true'],
  ['select a, b from t', 'select a from t'],
])('%s and %s are different trees', (one, other) => {
  expect(sameTree(tree(one), tree(other))).toBe(false)
  expect(sameTree(tree(other), tree(one))).toBe(false)
})

test('what cannot be written out exactly is said, and never something else', () => {
  expect(canonical({ Nothing: {} } as never)).toHaveProperty('problem')
  const every = [...rows('postgres'), ...rows('postgres-own')].flatMap(({ input }) => input)
  let count = 0
  let refused = 0
  for (const text of every) {
    if (typeof text !== 'string' || text.includes('\0') || /(\/\*){20}/.test(text)) continue
    for (const { stmt } of parse(text).statements ?? []) {
      if (stmt === undefined) continue
      count += 1
      const made = canonical(stmt)
      if (made.text === undefined) refused += 1
      else expect(sameTree(tree(made.text), stmt)).toBe(true)
    }
  }
  expect(count).toBeGreaterThan(400)
  expect(refused).toBe(0)
})

test('everything that tools send can be written out', () => {
  const file = new URL('../../../ordinary/statements.jsonl', import.meta.url)
  const texts = readFileSync(file, 'utf8').trim().split('\n')
  const refused = texts
    .map((line) => (JSON.parse(line) as { readonly statement: string }).statement)
    .flatMap((text) => parse(text).statements ?? [])
    .filter(({ stmt }) => stmt !== undefined && canonical(stmt).text === undefined)
  expect(texts.length).toBeGreaterThan(1000)
  expect(refused).toEqual([])
})

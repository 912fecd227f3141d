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
  const every = [...rows('postgres')].flatMap(({ input }) => input)
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
  expect(count).toBeGreaterThan(300)
  expect(refused).toBeLessThanOrEqual(3)
})

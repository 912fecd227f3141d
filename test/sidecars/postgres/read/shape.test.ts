import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { normalize, type Parsed, parse, ready } from '../../../../sidecars/postgres/read/parser.ts'
import { placeless, sameJson } from '../../../../sidecars/postgres/read/places.ts'
import { shape } from '../../../../sidecars/postgres/read/shape.ts'
import { slices } from '../../../../sidecars/postgres/read/slices.ts'
import { canonical, writtenOut } from '../../../../sidecars/postgres/rewrite/canonical.ts'
import { sameTree } from '../../../../sidecars/postgres/rewrite/tree.ts'
import { rows } from '../../../wire/rows.ts'

await ready

const file = new URL('../../../ordinary/statements.jsonl', import.meta.url)
const ordinary = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { readonly statement: string }).statement)
const hostile = [...rows('postgres'), ...rows('postgres-own')]
  .flatMap(({ input }) => input)
  .filter((one) => typeof one === 'string' && !one.includes('\0') && !/(\/\*){20}/.test(one))
const every = [...ordinary, ...(hostile as readonly string[])]

const trees = (text: string): Exclude<Parsed, { readonly problem: string }> => {
  const found = parse(text)
  if (found.problem !== undefined) throw new Error(text)
  return found
}

test.each([
  ["select a from t where b = 'x' and c = -7", 'select a from t where b = $1 and c = $2'],
  ['  select 1.5, 2 ; ', 'select $1, $2'],
  ['; select 1', 'select $1'],
  ['select 1 /* select 1 */; select 2', 'select $1 /* select 1 */'],
  ['/* select 7 */; select 7', 'select $1'],
  ['select $2, 1 from t limit 5 offset 6', 'select $2, $3 from t limit $5 offset $4'],
  ["select 'a'\n'b'", 'select $1'],
  ["select E'a\\'', $$b$$, b'1', 1e5, 0x1f", 'select $1, $2, $3, $4, $5'],
  ["select 'ä', 1", 'select $1, $2'],
  ['select true, null::int, a from t order by 2', 'select $1, $2::int, a from t order by 2'],
  ["insert into t values (1, 'it''s')", 'insert into t values ($1, $2)'],
])('%s has the shape %s', (text, wanted) => {
  const whole = trees(text)
  const [first] = slices(text, whole.statements)
  expect(shape(first?.slice ?? '', text, whole)).toBe(wanted)
})

test('the shape is the one that PostgreSQL itself would make', () => {
  let count = 0
  for (const one of every) {
    for (const text of [one, `\n ${one} ;`]) {
      const whole = parse(text)
      if (whole.problem !== undefined) continue
      for (const { slice } of slices(text, whole.statements)) {
        count += 1
        expect(shape(slice, text, whole)).toBe(normalize(slice))
      }
    }
  }
  expect(count).toBeGreaterThan(3000)
})

test('what is written out is the same by either comparison', () => {
  for (const text of every) {
    const whole = parse(text)
    for (const { stmt } of whole.statements ?? []) {
      if (stmt === undefined || whole.problem !== undefined) continue
      expect(writtenOut(stmt, whole)).toEqual(canonical(stmt))
    }
  }
})

test.each([
  ['select a', 'SELECT  a ;', true],
  ['select a', 'select b', false],
  ['select 1', "select '1'", false],
  [`select ',"location":5'`, `select ',"location":6'`, false],
  [`select '"location":5,'`, `select '"location":6,'`, false],
  [`select 1 as "location"`, `select 1 as "location\\"`, false],
  [`select 1 as ",""location"":5"`, `select 1 as """,""location"":5"`, false],
])('%s and %s are the same without places: %s', (one, other, wanted) => {
  const [left, right] = [trees(one), trees(other)]
  expect(sameJson(left.json, right.json)).toBe(wanted)
  expect(sameTree(left.statements[0]?.stmt, right.statements[0]?.stmt)).toBe(wanted)
})

test('places are all that is missing', () => {
  for (const text of every) {
    const found = parse(text)
    if (found.problem !== undefined) continue
    expect(placeless(found.placed)).toBe(found.json)
    const whole = (JSON.parse(found.placed) as { readonly stmts?: unknown }).stmts ?? []
    expect(sameTree(whole, found.statements)).toBe(true)
  }
})

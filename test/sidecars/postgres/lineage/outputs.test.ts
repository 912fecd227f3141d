import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lineage, lineage, shown } from './kit.ts'

const extra = `
CREATE TABLE plain (a int, b text, c text);
CREATE TABLE kept (id int, value text);
`

let db: Lineage
beforeAll(async () => {
  db = await lineage(extra)
})
afterAll(() => db.stop())

/** Statement, and for each column `name=source` for a copy or `name~sources` for what is computed. */
const table: readonly (readonly [string, readonly string[]])[] = [
  [
    'SELECT a, b AS x, 1, now(), count(*) FROM plain',
    ['a=plain.a', 'x=plain.b', '?column?=', 'now=', 'count='],
  ],
]

describe('outputs', () => {
  test.each(table)('%s', (text, expected) => {
    const read = db.read(text)
    expect(read.command.incomplete).toBeUndefined()
    expect(shown(read)).toEqual(expected)
  })
})

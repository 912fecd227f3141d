import { beforeAll, describe, expect, test } from 'vitest'
import {
  BYTES_MAX,
  COMMENTS_MAX,
  NESTING_MAX,
  problem,
  STATEMENTS_MAX,
} from '../../../sidecars/postgres/read/limits.ts'
import { read, ready, type Scope } from '../../../sidecars/postgres/statement.ts'
import type { Catalogue, Relation } from '../../../sidecars/sql/catalogue.ts'

/** Holds nothing, so that every name is unknown. */
const nothing: Catalogue = {
  sign: '',
  version: 0,
  relation: () => undefined,
  schemas: new Set<string>(),
  byOid: () => undefined,
  column: () => undefined,
  below: () => [],
  above: () => [],
  library: {
    type: () => undefined,
    arrayOf: () => undefined,
    typeNamed: () => undefined,
    functions: () => [],
    operators: () => [],
    conversion: () => undefined,
    conversionsTo: () => [],
    view: () => undefined,
  },
  functions: () => [],
  casts: () => [],
  declared: () => undefined,
  declassified: () => false,
  secretSettings: new Set<string>(),
  onDefinition: [],
}
const none = () => undefined
const here: Scope = { catalogue: nothing, searchPath: ['public'], prepared: none, cursor: none }

beforeAll(() => ready)

const alive = () => {
  const [statement] = read('SELECT 1', here)
  expect(statement?.command).toMatchObject({ name: 'select', effects: ['read'] })
  expect(statement?.command.incomplete).toBeUndefined()
}

const times = (text: string, count: number) => text.repeat(count)

describe('texts that must not reach the parser', () => {
  const many = 50_000
  test.each([
    ['a NUL character', 'SELECT 1\0; DROP TABLE t', 'NUL'],
    ['too many bytes', `SELECT '${times('x', BYTES_MAX)}'`, 'longer than'],
    ['too many bytes in few characters', `SELECT '${times('€', BYTES_MAX / 2)}'`, 'longer than'],
    ['nested comments', times('/*', COMMENTS_MAX + 1), 'comments nest'],
    ['nested comments after a string', `SELECT 'x' ${times('/*', 20)}`, 'comments nest'],
    ['a chain of terms', `SELECT 1${times('+1', many / 2)}`, 'nests'],
    ['parentheses', `SELECT ${times('(', many)}`, 'nests'],
    ['subqueries', `SELECT ${times('(SELECT ', NESTING_MAX)}`, 'nests'],
    ['signs', `SELECT ${times('- ', NESTING_MAX)}1`, 'nests'],
    ['casts', `SELECT 1${times('::int', NESTING_MAX)}`, 'nests'],
    ['negations', `SELECT ${times('NOT ', NESTING_MAX)}true`, 'nests'],
    ['arrays', `SELECT ${times('ARRAY[', NESTING_MAX)}`, 'nests'],
    ['set operations', `SELECT 1,2${times(' UNION SELECT 1,2', NESTING_MAX)}`, 'nests'],
    ['joins', `SELECT 1 FROM a${times(' JOIN a ON x AND y', NESTING_MAX)}`, 'nests'],
    ['conditions', `SELECT ${times('CASE WHEN a AND b THEN ', NESTING_MAX)}`, 'nests'],
    ['terms on terms', `SELECT ${times('(', 60)}1${times(`${times('+1', 200)})`, 60)}`, 'nests'],
    ['a CASE that a name seems to end', `SELECT ${times('CASE WHEN t.end THEN ', 600)}`, 'nests'],
    ['terms parted by names', `SELECT CASE WHEN 1${times('+t.when', 600)} THEN 1 END`, 'nests'],
    ['terms after CASE', `SELECT CASE WHEN a THEN b END${times('+1', many / 2)}`, 'nests'],
    ['a CASE left by a label', `${times('SELECT (SELECT 1 AS end, (', 400)}`, 'nests'],
    ['terms behind a string that looks open', `SELECT E'\\'', 1${times('+1', many / 2)}`, 'nests'],
    ['terms behind a continued string', `SELECT E'a'\n'\\'', 1${times('+1', 1000)}`, 'nests'],
    ['terms behind a quoted name', `SELECT 1 AS """", 1${times('+1', 1000)}`, 'nests'],
    ['terms behind a dollar quote', `SELECT $a$ $b$ ' $a$, 1${times('+1', 1000)}`, 'nests'],
    ['terms behind a unicode string', `SELECT U&'\\', 1${times('+1', 1000)}`, 'nests'],
    ['terms behind a comment', `SELECT 1 --'\r, 1${times('+1', 1000)}`, 'nests'],
    ['terms behind a parameter', `SELECT $1, $2$3, 1${times('+1', 1000)}`, 'nests'],
    ['terms behind a bit string', `SELECT B'1', X'1', N'\\', 1${times('+1', 1000)}`, 'nests'],
    ['statements', times('SELECT 1;', STATEMENTS_MAX + 1), 'more than 1000 statements'],
    ['a long name', `PREPARE ${times('x', 62)}é AS SELECT 1`, 'longer than 63 bytes'],
    ['a long quoted name', `SELECT 1 AS "${times('x', 62)}é"`, 'longer than 63 bytes'],
    ['a long name in code', `SELECT 1 AS U&"${times('\\00e9', 32)}"`, 'longer than 63 bytes'],
  ])('%s', (_, text, reason) => {
    const [statement, ...others] = read(text, here)
    expect(others).toEqual([])
    expect(statement?.command).toMatchObject({ name: 'unknown', effects: ['unknown'] })
    expect(statement?.command.incomplete).toContain(reason)
    alive()
  })
})

describe('texts that are large and ordinary', () => {
  test.each([
    ['rows', `INSERT INTO t VALUES (1,'a')${times(",(1,'a')", 5000)}`],
    ['a list', `SELECT 1 WHERE 1 IN (1${times(',1', 20_000)})`],
    ['conditions', `SELECT 1 WHERE a = 1${times(' OR a = 1 AND b = 2', 2000)}`],
    ['groups', `SELECT 1 WHERE (a = 1)${times(' OR (a = 1 AND b = 2)', 2000)}`],
    ['branches', `SELECT CASE ${times("WHEN t.a = 1 THEN 'b' || c ", 1500)}END`],
    ['cases', `SELECT 1${times(', CASE WHEN "a" THEN t."b" ELSE (1) END', 1000)}`],
    ['statements', times('SELECT 1+1;', STATEMENTS_MAX)],
    ['a string', `SELECT '${times('(', 60_000)}'`],
    ['a dollar quote', `SELECT $q$${times('/*', 20_000)}$q$`],
    ['a quoted name', `SELECT 1 AS "${times('((', 20)}"`],
    ['a long name in ASCII', `SELECT 1 AS ${times('x', 100)}`],
    ['a name in Chinese', `SELECT '${times('名', 100)}' AS ${times('名', 21)}`],
    ['a comment', `SELECT 1 /*${times('(+', 10_000)}*/`],
    ['a line comment', `SELECT 1 --${times('(+/*', 10_000)}`],
    ['nested comments', `${times('/*', COMMENTS_MAX)}${times('*/', COMMENTS_MAX)} SELECT 1`],
  ])('%s', (_, text) => {
    expect(problem(text)).toBeUndefined()
    expect(read(text, here)[0]?.command.incomplete ?? '').not.toContain('cannot be read')
  })
})

describe('the deepest text that is let through', () => {
  test.each([
    ['terms', (depth: number) => `SELECT 1${times('+1', depth)}`],
    ['parentheses', (depth: number) => `SELECT ${times('(', depth)}1${times(')', depth)}`],
    ['subqueries', (depth: number) => `SELECT ${times('(SELECT ', depth)}1${times(')', depth)}`],
    ['calls', (depth: number) => `SELECT ${times('f(', depth)}1${times(')', depth)}`],
    ['negations', (depth: number) => `SELECT ${times('NOT ', depth)}true`],
    ['casts', (depth: number) => `SELECT 1${times('::int', depth)}`],
    ['set operations', (depth: number) => `SELECT 1${times(' UNION SELECT 1', depth)}`],
    ['joins', (depth: number) => `SELECT 1 FROM a${times(' JOIN a ON true', depth)}`],
    [
      'cases',
      (depth: number) => `SELECT ${times('CASE WHEN a THEN ', depth)}1${times(' END', depth)}`,
    ],
    [
      'terms on terms',
      (depth: number) => `SELECT ${times('(', 8)}1${times(`${times('+1', depth)})`, 8)}`,
    ],
    [
      'cases in cases',
      (depth: number) =>
        `SELECT ${times('CASE WHEN a THEN b ELSE ', depth)}1${times(' END + 1', depth)}`,
    ],
    [
      'FROM',
      (depth: number) => `SELECT 1 FROM ${times('(SELECT 1 FROM ', depth)}a${times(') t', depth)}`,
    ],
    [
      'WITH',
      (depth: number) => `${times('WITH a AS (', depth)}SELECT 1${times(') SELECT 1', depth)}`,
    ],
  ])('is read: %s', (_, text) => {
    let depth = 1
    while (problem(text(depth + 1)) === undefined) depth += 1
    expect(depth).toBeGreaterThan(20)
    expect(read(text(depth), here)[0]?.command.incomplete ?? '').not.toContain('cannot be read')
    alive()
  })
})

describe('stars in stars', () => {
  const wide: Relation = {
    oid: 1,
    schema: 'public',
    name: 'wide',
    full: 'public.wide',
    kind: 'table',
    columns: Array.from({ length: 1600 }, (_, i) => ({ name: `c${i}`, number: i + 1, type: 25 })),
    parents: [],
    children: [],
    reads: [],
    rules: [],
    triggers: [],
    ties: [],
    standing: [],
    keys: [],
  }
  const there: Scope = { ...here, catalogue: { ...nothing, relation: () => wide } }

  test('are not followed without end', () => {
    let text = 'SELECT * FROM wide'
    for (let i = 0; i < 20; i += 1) text = `SELECT *, * FROM (${text}) t`
    expect(read(text, there)[0]?.command).toMatchObject({ effects: ['read'] })
    expect(read(text, there)[0]?.command.outputs).toBeUndefined()
  })

  test('are refused by the thousand', () => {
    const text = `SELECT w.*${times(', w.*', 5000)} FROM wide w`
    expect(read(text, there)[0]?.command.incomplete).toContain('too large')
  })

  test('do not take their columns one by one for every name', () => {
    const text = `SELECT 1 WHERE ${times('EXISTS (SELECT 1 FROM wide w WHERE w.c9) AND ', 1000)} true`
    expect(read(text, there)[0]?.command.predicates).toEqual(['public.wide.c9'])
  })
})

describe('a parser that was hurt', () => {
  test('is not hurt by any number of broken statements', () => {
    for (let i = 0; i < 300; i += 1) {
      for (const text of [
        "SELECT 'x",
        "SELECT E'\\ud800'",
        'SELECT (((',
        'SELECT $$',
        'SELECT "',
        '\\',
      ]) {
        expect(read(text, here)[0]?.command.incomplete).toContain('cannot be read')
      }
    }
    alive()
  })
})

describe('any text', () => {
  const pieces = [
    "'",
    "''",
    '"',
    '$$',
    '$a$',
    '/*',
    '*/',
    '--',
    '\n',
    '\r',
    ';',
    '(',
    ')',
    '[',
    ']',
    ',',
    "E'",
    'U&"',
    '\\',
    'SELECT ',
    ' FROM ',
    'x',
    ' AND ',
    'CASE ',
    'END ',
    '::',
    '$1',
    '1',
    '+',
    'ä',
    '😀',
    '\ud800',
    'DELETE FROM t',
    ' UNION ',
  ]
  test.each([1, 2, 3, 4])('is read or refused, never thrown at (seed %i)', (seed) => {
    let state = seed
    const next = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state % below
    }
    for (let round = 0; round < 2000; round += 1) {
      const text = Array.from({ length: next(30) }, () => pieces[next(pieces.length)]).join('')
      expect(read(text, here).length, JSON.stringify(text)).toBeGreaterThan(0)
    }
    alive()
  })
})

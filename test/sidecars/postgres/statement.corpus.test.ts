import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { read, type Scope, type Statement } from '../../../sidecars/postgres/statement.ts'
import type { SqlFacts } from '../../../sidecars/sql/facts.ts'
import { type Database, database, scope } from './reading.ts'

type Check = {
  readonly type: string
  readonly effects?: readonly string[]
  readonly writes?: readonly string[]
  readonly reads?: readonly string[]
  readonly kinds?: readonly string[]
  readonly not_write?: string
  readonly protected?: readonly string[]
}
type Row = { readonly id: string; readonly input: readonly unknown[]; readonly check: Check }

const file = fileURLToPath(new URL('../../corpus/postgres.jsonl', import.meta.url))
const rows = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Row)

let db: Database
beforeAll(async () => {
  db = await database()
})
afterAll(() => db.stop())

/** Everything a row sends as SQL, with the names it gives on the way. */
function statements(row: Row): readonly Statement[] {
  const prepared = new Map<string, Statement | undefined>()
  const cursors = new Map<string, Statement | undefined>()
  const here: Scope = {
    ...scope(db.catalogue),
    prepared: (name) => prepared.get(name),
    cursor: (name) => cursors.get(name),
  }
  return row.input.flatMap((text) => {
    const found = typeof text === 'string' ? read(text, here) : []
    for (const change of found.flatMap((one) => one.names)) {
      if (change.kind === 'prepare') prepared.set(change.name, change.statement)
      if (change.kind === 'declare') cursors.set(change.name, change.statement)
    }
    return found
  })
}

const of = (type: string) => rows.filter((row) => row.check.type === type)
const effects = (found: readonly Statement[]) =>
  new Set(found.flatMap((one) => one.command.effects))
const kinds = (found: readonly Statement[]) =>
  new Set(found.flatMap((one) => (one.command['sql'] as SqlFacts).kinds))
const touched = (found: readonly Statement[], access: string) =>
  found.flatMap((one) =>
    one.command.objects.filter((object) => object.access === access).map((object) => object.name),
  )
/** What a policy that allows nothing but reading refuses. */
const refusable = (found: readonly Statement[]) =>
  found.some((one) => one.command.incomplete !== undefined) ||
  [...effects(found)].some((effect) => effect !== 'read' && effect !== 'session')

test('every row of the corpus is read', () => {
  for (const row of rows) expect(() => statements(row), row.id).not.toThrow()
})

describe('what is done is reported', () => {
  test.each(of('effect').map((row) => [row.id, row.input, row] as const))('%s %j', (_, __, row) => {
    const found = statements(row)
    // What code does that is not read here shows as the code that runs.
    if (effects(found).has('execute')) {
      expect(refusable(found)).toBe(true)
      return
    }
    for (const kind of row.check.effects ?? []) {
      expect([...kinds(found)].some((one) => one.startsWith(kind))).toBe(true)
    }
    expect(touched(found, 'write')).toEqual(expect.arrayContaining([...(row.check.writes ?? [])]))
    expect(touched(found, 'read')).toEqual(expect.arrayContaining([...(row.check.reads ?? [])]))
  })
})

describe('what must be denied can be', () => {
  test.each(of('deny').map((row) => [row.id, row.input, row] as const))('%s %j', (_, __, row) => {
    expect(refusable(statements(row))).toBe(true)
  })
})

/** Changes of settings are refused in this state of the product, and locks count as writing. */
const stricter = new Set(['pg-090', 'pg-570'])

describe('what must be allowed is not doubted', () => {
  const harmless = ['allow', 'allow_masked', 'classify'].flatMap(of)
  test.each(harmless.map((row) => [row.id, row.input, row] as const))('%s %j', (id, _, row) => {
    const found = statements(row)
    expect(refusable(found)).toBe(stricter.has(id))
    if (row.check.not_write) expect(touched(found, 'write')).not.toContain(row.check.not_write)
  })
})

describe('what could leak is seen', () => {
  test.each(of('no_leak').map((row) => [row.id, row.input, row] as const))(
    '%s %j',
    (_, __, row) => {
      const found = statements(row)
      const isProtected = (name: string) => row.check.protected?.includes(name) === true
      const decides = found.some((one) => one.command.predicates?.some(isProtected))
      const shown = found.some(
        ({ rows: some, copy, command }) =>
          (some || copy === 'out') &&
          (command.outputs === undefined ||
            command.outputs.some((one) => one.sources.some(isProtected))),
      )
      expect(refusable(found) || decides || shown).toBe(true)
    },
  )
})

import { type Column, isView, type Relation } from '../../sql/catalogue.ts'
import { type Reading, use } from './reading.ts'
import { columnsOf } from './relations.ts'
import { guardColumns } from './secrets.ts'
import { stands } from './standing.ts'
import { through } from './views.ts'

/** Turns the relations that were referred to into facts, with what shows through them. */
export function settle(reading: Reading): void {
  const { facts, around } = reading
  for (const [relation, columns] of reading.reads) {
    guardColumns(reading, relation, columns)
    if (reading.grows) decideAll(reading, relation, columns)
    // In the table's own order, so that equal statements have equal facts.
    const names = relation.columns.filter((one) => columns.has(one)).map((one) => one.name)
    facts.touch(relation.kind, relation.full, 'read', names)
    stands(reading, relation, 'select', unwritten)
    if (through(reading, relation) !== undefined) continue
    for (const one of around.catalogue.below(relation)) {
      stands(reading, one, 'select', unwritten)
      facts.touch(one.kind, one.full, 'read', shownBy(relation, one, names))
    }
  }
}

const unwritten = { given: new Set<number>(), defaulted: new Set<number>() }

function decideAll(reading: Reading, relation: Relation, columns: ReadonlySet<Column>): void {
  for (const { value, stored } of columnsOf(reading, relation)) {
    if (stored?.some((one) => columns.has(one.column))) use(reading, value, 'partial')
  }
}

function shownBy(relation: Relation, below: Relation, names: readonly string[]): readonly string[] {
  const all = below.columns.map((column) => column.name)
  return isView(relation) ? all : all.filter((name) => names.includes(name))
}

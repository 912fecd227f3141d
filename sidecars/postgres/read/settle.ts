import type { Output } from '../../../pdp/contract.ts'
import { type Column, isView, type Relation } from '../../sql/catalogue.ts'
import { columnSources, type Settled } from '../../sql/settled.ts'
import { type Columns, decidesInside, type Reading } from './reading.ts'

/** Turns the names a statement used into facts. Nothing may be read into it afterwards. */
export function settle(reading: Reading): Settled {
  const { facts, around } = reading
  const settled = reading.names.settle()
  for (const [relation, columns] of settled.read) touchRead(reading, relation, columns)
  for (const [relation, columns] of settled.decides) {
    for (const column of columns) {
      for (const one of columnSources(around.catalogue, relation, column).sources) facts.decide(one)
    }
  }
  for (const name of settled.unknown) facts.doubt(`column ${name} is not known`)
  return settled
}

/** A relation, and whatever shows through it. */
function touchRead(reading: Reading, relation: Relation, columns: ReadonlySet<Column>): void {
  const { facts, around } = reading
  // In the table's own order, so that equal statements have equal facts.
  const names = relation.columns.filter((one) => columns.has(one)).map((one) => one.name)
  facts.touch(relation.kind, relation.full, 'read', names)
  decidesInside(reading, relation)
  const view = around.catalogue.view(relation)
  if (view?.executes) {
    reading.opaque = true
    facts.effect('execute')
  }
  for (const one of view?.reads ?? []) facts.touch(one.kind, one.name, 'read', one.columns)
  for (const one of around.catalogue.below(relation)) {
    if (view !== undefined) continue
    const all = one.columns.map((column) => column.name)
    facts.touch(one.kind, one.full, 'read', isView(relation) ? all : same(all, names))
  }
}

function same(all: readonly string[], names: readonly string[]): readonly string[] {
  return all.filter((name) => names.includes(name))
}

/** Where each output column comes from; undefined where that cannot be said of all of them. */
export function outputs(
  reading: Reading,
  columns: Columns,
  settled: Settled,
): readonly Output[] | undefined {
  // Code that is not read may answer anything.
  if (columns === undefined || reading.opaque) return undefined
  return columns.map(({ name, refs, plain }) => {
    if (refs.length === 0 && plain) return { name, sources: [], exact: true }
    const { sources, exact } = settled.sources(refs, reading.around.catalogue)
    return { name, sources, exact: exact && plain }
  })
}

import type { Change, Relation } from '../../sql/catalogue.ts'
import type { Named, Scope, Source } from '../../sql/lineage/scope.ts'
import { nothing } from '../../sql/lineage/value.ts'
import type { Ctes, Reading } from './reading.ts'
import { columnsOf } from './relations.ts'

/** What is said of a row is said of its parts under these names, whatever the names around mean. */
export function versions(
  reading: Reading,
  relation: Relation,
  change: Change,
  outer: Scope | undefined,
): Scope {
  const columns = rowOf(reading, relation, change)
  const sources: readonly Source[] = ['new', 'old'].map((alias) => ({ alias, columns }))
  return { items: [{ columns: [], sources }], outer }
}

/** All the rows, under names of their own. */
export function transition(
  reading: Reading,
  relation: Relation,
  change: Change,
  names: readonly string[],
): Ctes | undefined {
  const columns = rowOf(reading, relation, change)
  return names.reduce<Ctes | undefined>(
    (outer, name) => ({ name, columns: () => columns, outer }),
    undefined,
  )
}

/** A row of a relation that is changed. One that is inserted holds what it is given: that counts where it comes from. */
export function rowOf(reading: Reading, relation: Relation, change: Change): readonly Named[] {
  if (change !== 'insert') return columnsOf(reading, relation)
  return relation.columns.map(({ name }) => ({ name, value: nothing }))
}

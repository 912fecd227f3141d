import type { RangeVar } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import { type Item, itemOf } from '../../sql/lineage/scope.ts'
import { copyOf, type Value } from '../../sql/lineage/value.ts'
import { triggered } from './bodies.ts'
import { unknownItem } from './from.ts'
import { relationOf, unknownRelation } from './lookup.ts'
import { type Reading, use } from './reading.ts'
import { sourceOf } from './relations.ts'
import { viewOf } from './views.ts'

/** What a statement writes to. */
export type Target = {
  readonly relation: Relation | undefined
  /** How the rest of the statement sees it. */
  readonly item: Item
}

/** The target of a write of these columns, all when not told. */
export function target(
  reading: Reading,
  range: RangeVar | undefined,
  columns?: readonly string[],
): Target {
  const relation = range && relationOf(reading, range)
  if (range === undefined || relation === undefined) {
    if (range !== undefined) unknownRelation(reading, range, 'write')
    return { relation: undefined, item: unknownItem(range?.alias?.aliasname ?? range?.relname) }
  }
  writeTo(reading, relation, columns)
  const known = reading.reads.has(relation)
  const item = itemOf(sourceOf(reading, relation, range))
  // To be written is not to be read.
  if (!known) reading.reads.delete(relation)
  return { relation, item }
}

/** A statement writes to a relation, and to everything that shows through it. */
export function writeTo(
  reading: Reading,
  relation: Relation,
  columns: readonly string[] | undefined,
): void {
  const { facts, around } = reading
  const all = (one: Relation) => one.columns.map((column) => column.name)
  facts.touch(relation.kind, relation.full, 'write', columns ?? all(relation))
  const below = around.catalogue.below(relation)
  for (const one of below) {
    const view = relation.kind === 'view' || one.kind === 'view'
    facts.touch(one.kind, one.full, 'write', view || columns === undefined ? all(one) : columns)
  }
  for (const name of columns ?? all(relation)) {
    facts.use(writtenThrough(reading, relation, name), 'written_to')
  }
  for (const one of [relation, ...below]) {
    if (one.rules) facts.doubt(`rules on ${one.full} rewrite the statement`)
    if (one.triggers.length > 0) facts.flag('triggers')
    for (const trigger of one.triggers) triggered(reading, trigger)
  }
}

function writtenThrough(reading: Reading, relation: Relation, name: string): Iterable<string> {
  const own = `${relation.full}.${name}`
  const at = relation.columns.findIndex((one) => one.name === name)
  const shown = viewOf(reading, relation)?.columns?.[at]
  return shown === undefined ? [own] : [own, ...shown.sources]
}

/** A value is stored in a column. */
export function written(
  reading: Reading,
  { relation }: Target,
  name: string | undefined,
  value: Value,
): void {
  const own = relation === undefined || name === undefined ? [] : [`${relation.full}.${name}`]
  use(reading, value, 'written_from')
  use(reading, copyOf(own), 'written_to')
}

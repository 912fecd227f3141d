import type { RangeVar } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import { type Item, itemOf } from '../../sql/lineage/scope.ts'
import {
  computed,
  copyOf,
  either,
  isNothing,
  nothing,
  type Value,
} from '../../sql/lineage/value.ts'
import { converted } from './calls.ts'
import { unknownItem } from './from.ts'
import { relationOf, unknownRelation } from './lookup.ts'
import { type Reading, use } from './reading.ts'
import { sourceOf } from './relations.ts'
import { guardTarget } from './secrets.ts'
import { decidesInside, viewOf } from './views.ts'

/** What a statement writes to. */
export type Target = {
  readonly relation: Relation | undefined
  /** How the rest of the statement sees it. */
  readonly item: Item
  /** What is stored in its columns. */
  readonly stored: Map<string, readonly Value[]>
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
    const item = unknownItem(range?.alias?.aliasname ?? range?.relname)
    return { relation: undefined, item, stored: new Map() }
  }
  guardTarget(reading, relation)
  writeTo(reading, relation, columns)
  const known = reading.reads.has(relation)
  const item = itemOf(sourceOf(reading, relation, range))
  // To be written is not to be read.
  if (!known) reading.reads.delete(relation)
  return { relation, item, stored: new Map() }
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
  decidesInside(reading, relation)
  for (const name of columns ?? all(relation)) {
    facts.use(writtenThrough(reading, relation, name), 'written_to')
  }
}

function writtenThrough(reading: Reading, relation: Relation, name: string): Iterable<string> {
  const own = `${relation.full}.${name}`
  const at = relation.columns.findIndex((one) => one.name === name)
  const shown = viewOf(reading, relation)?.columns?.[at]
  return shown === undefined ? [own] : [own, ...shown.sources]
}

/** Rows of the target are looked at, whatever is shown of them. */
export function scanned({ reads }: Reading, { relation }: Target): void {
  if (relation !== undefined && !reads.has(relation)) reads.set(relation, new Set())
}

/** A value is stored in a column. */
export function written(
  reading: Reading,
  { relation, stored }: Target,
  name: string | undefined,
  value: Value,
): void {
  const column = relation?.columns.find((one) => one.name === name)
  const made = column === undefined ? nothing : converted(reading, value, column.type)
  if (name !== undefined) {
    stored.set(name, [...(stored.get(name) ?? []), isNothing(made) ? value : computed(value, made)])
  }
  const own = relation === undefined || name === undefined ? [] : [`${relation.full}.${name}`]
  use(reading, value, 'written_from')
  use(reading, copyOf(own), 'written_to')
}

/** The target as it is afterwards: a column holds what it held before, or what was stored in it. */
export function afterwards({ item, stored }: Target): Item {
  if (stored.size === 0) return item
  const [source] = item.sources
  const columns = item.columns.map((one) => {
    const values = stored.get(one.name)
    return values === undefined ? one : { ...one, value: either(one.value, ...values) }
  })
  return { columns, sources: source === undefined ? [] : [{ ...source, columns }] }
}

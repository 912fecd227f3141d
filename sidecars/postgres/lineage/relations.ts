import type { RangeVar } from 'libpg-query'
import { type Catalogue, type Column, isView, type Relation } from '../../sql/catalogue.ts'
import { renamed } from '../../sql/lineage/join.ts'
import type { Named, Source } from '../../sql/lineage/scope.ts'
import { alsoNamed, computed, copyOf, typeless, type Value } from '../../sql/lineage/value.ts'
import { words } from '../read/ast.ts'
import { pathOf, type Reading } from './reading.ts'
import { ofType } from './types.ts'
import { viewOf } from './views.ts'

/** A stored relation as one source of FROM. */
export function sourceOf(reading: Reading, relation: Relation, range: RangeVar): Source {
  const columns = renamed(columnsOf(reading, relation), words(range.alias?.colnames))
  if (!reading.reads.has(relation)) reading.reads.set(relation, new Set())
  return {
    alias: range.alias?.aliasname ?? relation.name,
    columns,
    ...(range.alias === undefined ? { schema: relation.schema } : {}),
  }
}

const kept = new WeakMap<Catalogue, Map<string | number, readonly Named[]>>()
/** Relations, views times search paths, that are remembered. */
const KEPT_MAX = 200_000

/** The columns of a stored relation and where their values come from; worked out once for each catalogue. */
export function columnsOf(reading: Reading, relation: Relation): readonly Named[] {
  const { around } = reading
  const known = kept.get(around.catalogue) ?? new Map<string | number, readonly Named[]>()
  kept.set(around.catalogue, known)
  // What a view calls depends on who uses it.
  const key = isView(relation) ? `${relation.oid} ${pathOf(around).join()}` : relation.oid
  const found = known.get(key)
  if (found !== undefined) return found
  const made = relation.columns.map((column, i) => ({
    name: column.name,
    value: shownBy(reading, relation, column, i),
    stored: [{ relation, column }],
  }))
  if (known.size >= KEPT_MAX) known.clear()
  known.set(key, made)
  return made
}

function shownBy(reading: Reading, relation: Relation, column: Column, at: number): Value {
  const known = reading.around
  const own = `${relation.full}.${column.name}`
  if (isView(relation)) {
    const shown = viewOf(reading, relation)?.columns?.[at]
    if (shown !== undefined) {
      const value = alsoNamed(typeless(shown), own)
      const shaped = value.fields !== undefined || value.element !== undefined
      return shaped ? value : ofType(known, value, column.type)
    }
    const below = known.catalogue
      .below(relation)
      .flatMap((one) => one.columns.map(({ name }) => `${one.full}.${name}`))
    return ofType(known, computed(copyOf([own, ...below])), column.type)
  }
  const sources = new Set([own])
  const names = new Set([column.name])
  for (const one of relation.columns) if (column.from?.includes(one.number)) names.add(one.name)
  for (const one of family(known.catalogue, relation)) {
    for (const { name } of one.columns) if (names.has(name)) sources.add(`${one.full}.${name}`)
  }
  return ofType(known, copyOf(sources, column.from === undefined), column.type)
}

/** A row of a child is a row of its parents: what is said of a column of one is said of the other's. */
function family(catalogue: Catalogue, relation: Relation): readonly Relation[] {
  return [relation, ...catalogue.above(relation), ...catalogue.below(relation)]
}

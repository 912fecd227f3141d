import type { Absent } from '../../sql/facts.ts'
import {
  columnsNamed,
  columnsOf,
  type Named,
  type Scope,
  type Source,
  sourceNamed,
  variableNamed,
} from '../../sql/lineage/scope.ts'
import {
  anything,
  computed,
  either,
  type Field,
  fieldOf,
  nothing,
  rowOf,
  type Value,
} from '../../sql/lineage/value.ts'
import { attribute } from './calls.ts'
import { type At, type Reading, refer, step } from './reading.ts'

/** Columns every table has without declaring them; they hold nobody's data. */
const system = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** What a reference by its parts means (PostgreSQL's transformColumnRef). */
export function reference(reading: Reading, parts: readonly string[], at: At): Value {
  const [first = ''] = parts
  return parts.length === 1
    ? bare(reading, first, at)
    : (qualified(reading, parts, at) ??
        variableNamed(at.scope, parts) ??
        unresolved(reading, parts))
}

function bare(reading: Reading, name: string, at: At): Value {
  const { columns, open } = columnsNamed(at.scope, name)
  if (columns.length > 0) {
    const value = readAll(reading, columns)
    return open.length === 0 ? value : either(value, ...open)
  }
  const source = sourceNamed(at.scope, name)
  if (source !== undefined) return whole(reading, source)
  const variable = variableNamed(at.scope, [name])
  if (variable !== undefined) return either(variable, ...open)
  if (open.length > 0) return computed(...open)
  return system.has(name) ? nothing : unresolved(reading, [name])
}

/** `relation.column`, `schema.relation.column`, `database.schema.relation.column`, and fields of what that finds. */
function qualified(reading: Reading, parts: readonly string[], at: At): Value | undefined {
  for (const length of [1, 2, 3]) {
    const column = parts[length]
    if (column === undefined) break
    const source = named(at.scope, parts.slice(0, length))
    if (source === undefined) continue
    const rest = parts.slice(length + 1)
    return rest.reduce(
      (value, name) => field(reading, value, name),
      columnOf(reading, source, column),
    )
  }
  return undefined
}

/** The source that a relation's name means, with or without its schema. */
export function named(scope: Scope | undefined, parts: readonly string[]): Source | undefined {
  const alias = parts[parts.length - 1] ?? ''
  return sourceNamed(scope, alias, parts[parts.length - 2])
}

function columnOf(reading: Reading, source: Source, name: string): Value {
  const columns = columnsOf(source, name)
  if (columns.length > 0) return readAll(reading, columns)
  if (system.has(name)) return nothing
  if (source.open !== undefined) return computed(source.open)
  // `t.f` is `f(t)` where t has no such column.
  return attribute(reading, whole(reading, source), name)
}

/** A field of a row, or what a function of that name makes of it. */
export function field(reading: Reading, row: Value, name: string): Value {
  const known = fieldOf(row, name)
  if (known !== undefined) return known
  // The parts of this row are not known, so what is inside cannot be told apart.
  return row.fields === undefined ? computed(row) : attribute(reading, row, name)
}

function unresolved(reading: Reading, parts: readonly string[]): Value {
  const name = parts.join('.')
  // The server looks for what is before the dot first.
  const absent: Absent = parts.length === 1 ? { kind: 'column', name } : missingSource(parts)
  if (!reading.lenient) reading.facts.doubt(`column ${name} is not known`, absent)
  return anything
}

const missingSource = (parts: readonly string[]): Absent => ({
  kind: 'source',
  name: parts[parts.length - 2] ?? '',
})

function readAll(reading: Reading, columns: readonly Named[]): Value {
  for (const one of columns) refer(reading, one.stored)
  const [only] = columns
  if (columns.length === 1 && only !== undefined) return only.value
  return either(...columns.map((one) => one.value))
}

const rows = new WeakMap<Source, Value>()

/** A source as one value: its row, or the one value it is. */
export function whole(reading: Reading, source: Source): Value {
  for (const one of source.columns) refer(reading, one.stored)
  const [only] = source.columns
  if (source.scalar && only !== undefined) return only.value
  const known = rows.get(source)
  if (known !== undefined) return known
  const row =
    source.open === undefined ? rowOf(source.columns) : computed(source.open, rowOf(source.columns))
  rows.set(source, row)
  return row
}

/** What `*`, `t.*` or `(row).*` shows, given the parts before the star; undefined where that cannot be told. */
export function star(
  reading: Reading,
  parts: readonly string[],
  at: At,
): readonly Field[] | undefined {
  if (parts.length === 0) {
    const items = at.scope?.items ?? []
    if (items.some((item) => item.sources.some((one) => one.open !== undefined))) return undefined
    const columns = items.flatMap((item) => item.columns)
    step(reading, columns.length)
    for (const one of columns) refer(reading, one.stored)
    return columns
  }
  const source = named(at.scope, parts)
  if (source !== undefined) {
    step(reading, source.columns.length)
    for (const one of source.columns) refer(reading, one.stored)
    return source.open === undefined ? source.columns : undefined
  }
  return reference(reading, parts, at).fields
}

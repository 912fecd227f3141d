/**
 * What is known of a value before it exists: where it may come from. Answers may name too many sources, never too few.
 * Values are never changed, so they share their parts.
 */
export type Value = {
  /** Stored columns it may come from, as `schema.table.column`. */
  readonly sources: ReadonlySet<string>
  /** It is the value of one column as it is, of which `sources` are the names; without sources, nobody's data. */
  readonly copy: boolean
  /** It may come from anywhere. */
  readonly unknown?: true
  /** The parts of a row, where they are known. */
  readonly fields?: readonly Field[]
  /** What an array holds. */
  readonly element?: Value
  /** The datastore's number for its type, where it is known for sure. */
  readonly type?: number
  /** How deep rows and arrays in it go; 0 for none. */
  readonly depth: number
}

/** One column of a row, a query or a relation. */
export type Field = { readonly name: string; readonly value: Value }

/** Rows in rows in rows: deeper than this only their sources are kept, or they would double without end. */
const DEPTH_MAX = 6
/** No statement that is meant well mixes more columns than this. */
const SOURCES_MAX = 20_000

const none: ReadonlySet<string> = new Set()

/** Nobody's data: a constant, the time, a count of nothing. */
export const nothing: Value = { sources: none, copy: true, depth: 0 }

/** May be anything. */
export const anything: Value = { sources: none, copy: false, unknown: true, depth: 0 }

/** The value of one column, which has several names when views and children show it. */
export function copyOf(names: Iterable<string>, copy = true): Value {
  return { sources: new Set(names), copy, depth: 0 }
}

/** Worked out from all of these. */
export function computed(...values: readonly Value[]): Value {
  const [first] = values
  if (first === undefined) return nothing
  const sources = merged(values)
  const unknown = values.some((one) => one.unknown)
  if (unknown) return { sources, copy: false, unknown, depth: 0 }
  return sources.size === 0 ? nothing : { sources, copy: false, depth: 0 }
}

/** One of these as it is, nobody can say which. */
export function either(...values: readonly Value[]): Value {
  const different = [...new Set(values)]
  const telling = different.filter((one) => !isNothing(one))
  const [only] = telling
  if (only === undefined) return different[0] ?? nothing
  if (telling.length === 1) return typeless(only)
  const sources = merged(telling)
  const copy = telling.every((one) => one.copy && one.sources.size === sources.size)
  const unknown = telling.some((one) => one.unknown)
  return shaped(
    { sources, copy: copy && !unknown, ...(unknown ? { unknown } : {}), depth: 0 },
    eitherFields(telling),
    eitherElement(telling),
  )
}

/** A row of these fields. */
export function rowOf(fields: readonly Field[]): Value {
  return shaped(computed(...fields.map((one) => one.value)), fields, undefined)
}

/** An array of any of these. */
export function arrayOf(...elements: readonly Value[]): Value {
  return shaped(computed(...elements), undefined, either(...elements))
}

/** Something of known shape whose every part comes from the same: what is inside cannot be told apart. */
export function shaped(
  value: Value,
  fields: readonly Field[] | undefined,
  element: Value | undefined,
): Value {
  if (fields === undefined && element === undefined) return value
  let depth = element?.depth ?? 0
  for (const one of fields ?? []) depth = Math.max(depth, one.value.depth)
  if (depth >= DEPTH_MAX) return value
  return {
    ...value,
    ...(fields === undefined ? {} : { fields }),
    ...(element === undefined ? {} : { element }),
    depth: depth + 1,
  }
}

/** The same value, of a type that is known for sure. */
export function typed(value: Value, type: number | undefined): Value {
  return type === undefined ? typeless(value) : { ...value, type }
}

/** The same with no claim about its type. */
export function typeless(value: Value): Value {
  if (value.type === undefined) return value
  const { type: _, ...rest } = value
  return rest
}

/** The same with more that may have gone in. */
export function alsoFrom(value: Value, ...others: readonly Value[]): Value {
  const telling = others.filter((one) => one.sources.size > 0 || one.unknown)
  if (telling.length === 0) return value
  const fields = value.fields?.map((one) => ({ ...one, value: alsoFrom(one.value, ...telling) }))
  const element = value.element && alsoFrom(value.element, ...telling)
  return shaped(computed(value, ...telling), fields, element)
}

/** The same value under one more name, which is a name of its parts too. */
export function alsoNamed(value: Value, name: string): Value {
  const { fields, element } = value
  return {
    ...value,
    sources: new Set([name, ...value.sources]),
    ...(fields === undefined
      ? {}
      : { fields: fields.map((one) => ({ ...one, value: alsoNamed(one.value, name) })) }),
    ...(element === undefined ? {} : { element: alsoNamed(element, name) }),
  }
}

/** A field of a row; undefined where the row has none of that name, or its parts are not known. */
export function fieldOf(row: Value, name: string): Value | undefined {
  const found = row.fields?.filter((one) => one.name === name) ?? []
  return found.length === 0 ? undefined : either(...found.map((one) => one.value))
}

/** Nothing of anybody's is in it. */
export function isNothing(value: Value): boolean {
  return value.sources.size === 0 && !value.unknown && !value.fields && !value.element
}

function merged(values: readonly Value[]): ReadonlySet<string> {
  let first = none
  let sources: Set<string> | undefined
  for (const value of values) {
    if (value.sources.size === 0 || value.sources === first) continue
    if (first.size === 0) first = value.sources
    else {
      sources ??= new Set(first)
      for (const one of value.sources) sources.add(one)
    }
  }
  if (sources !== undefined && sources.size > SOURCES_MAX) throw new RangeError('too many sources')
  return sources ?? first
}

/** Rows keep their parts only when all of them have as many. */
function eitherFields(values: readonly Value[]): readonly Field[] | undefined {
  const rows = values.flatMap((one) => (one.fields === undefined ? [] : [one.fields]))
  const [first] = rows
  if (first === undefined || rows.length !== values.length) return undefined
  if (rows.some((one) => one.length !== first.length)) return undefined
  return first.map(({ name }, i) => ({
    name,
    value: either(...rows.map((one) => one[i]?.value ?? nothing)),
  }))
}

function eitherElement(values: readonly Value[]): Value | undefined {
  const elements = values.flatMap((one) => (one.element === undefined ? [] : [one.element]))
  return elements.length === values.length ? either(...elements) : undefined
}

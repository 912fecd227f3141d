import type { Column, Relation } from '../catalogue.ts'
import type { Field, Value } from './value.ts'

/** A column that can be named, and the stored columns that naming it reads. */
export type Named = Field & { readonly stored?: readonly Stored[] }

export type Stored = { readonly relation: Relation; readonly column: Column }

/** Something in FROM that can be named as a whole. */
export type Source = {
  readonly alias: string | undefined
  /** The schema it can be qualified with: a relation without an alias of its own. */
  readonly schema?: string
  readonly columns: readonly Named[]
  /** It has one column and its name means that column, such as a function's. */
  readonly scalar?: true
  /** It has columns nobody knows the names of: any name may mean this. */
  readonly open?: Value
}

/** One item of FROM: what a bare name can mean, and what can be qualified with. A join shows and hides parts of its sides. */
export type Item = {
  readonly columns: readonly Named[]
  readonly sources: readonly Source[]
}

/** What names mean at one place: the items of this query, then those of the queries around it. */
export type Scope = {
  readonly items: readonly Item[]
  readonly outer: Scope | undefined
  /** Names that mean nothing stored, such as parameters of a function, by themselves or as `function.parameter`. */
  readonly variables?: (parts: readonly string[]) => Value | undefined
}

/** An item of one source. */
export function itemOf(source: Source): Item {
  return { columns: source.columns, sources: [source] }
}

/** What a bare name finds: columns, and sources nearer than these whose columns nobody knows. */
export type Found = { readonly columns: readonly Named[]; readonly open: readonly Value[] }

/** The columns of this name, in the innermost query that has one. */
export function columnsNamed(scope: Scope | undefined, name: string): Found {
  const open: Value[] = []
  for (let at = scope; at !== undefined; at = at.outer) {
    const columns: Named[] = []
    for (const item of at.items) {
      columns.push(...named(item.columns, name))
      for (const one of item.sources) if (one.open !== undefined) open.push(one.open)
    }
    if (columns.length > 0) return { columns, open }
  }
  return { columns: none, open }
}

/** The columns of this name in one source. */
export function columnsOf(source: Source, name: string): readonly Named[] {
  return named(source.columns, name)
}

/** The innermost source of this name. */
export function sourceNamed(
  scope: Scope | undefined,
  alias: string,
  schema?: string,
): Source | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    for (const item of at.items) {
      for (const source of item.sources) {
        if (source.alias === alias && (schema === undefined || source.schema === schema))
          return source
      }
    }
  }
  return undefined
}

/** What a name means that no query gives: the nearest that knows it as a variable. */
export function variableNamed(
  scope: Scope | undefined,
  parts: readonly string[],
): Value | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const found = at.variables?.(parts)
    if (found !== undefined) return found
  }
  return undefined
}

const none: readonly Named[] = []
/** Lists longer than this are searched through an index. */
const SHORT = 12
const indexes = new WeakMap<readonly Named[], ReadonlyMap<string, readonly Named[]>>()

function named(columns: readonly Named[], name: string): readonly Named[] {
  if (columns.length > SHORT) return index(columns).get(name) ?? none
  const at = columns.findIndex((one) => one.name === name)
  return at < 0 ? none : columns.filter((one) => one.name === name)
}

function index(columns: readonly Named[]): ReadonlyMap<string, readonly Named[]> {
  const known = indexes.get(columns)
  if (known !== undefined) return known
  const made = Map.groupBy(columns, (one) => one.name)
  indexes.set(columns, made)
  return made
}

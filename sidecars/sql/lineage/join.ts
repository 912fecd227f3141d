import type { Item, Named, Source, Stored } from './scope.ts'
import { either } from './value.ts'

/** How the two sides of a join become one. */
export type Joining = {
  /** Columns that are merged into one: USING, or those NATURAL finds on both sides. */
  readonly using: readonly string[]
  /** A name for the merged columns alone. */
  readonly usingAlias?: string | undefined
}

export type Joined = Item & {
  /** Columns that must be equal on both sides. */
  readonly merged: readonly Named[]
  /** Merged columns that a side does not have. */
  readonly missing: readonly string[]
}

/** Two items side by side, merged columns first (SQL:2016 7.10). */
export function join(left: Item, right: Item, { using, usingAlias }: Joining): Joined {
  if (using.length === 0) return { ...beside(left, right), merged: [], missing: [] }
  const merged: Named[] = []
  const missing: string[] = []
  for (const name of using) {
    const first = left.columns.filter((one) => one.name === name)
    const second = right.columns.filter((one) => one.name === name)
    if (first.length === 0 || second.length === 0) missing.push(name)
    const both = [...first, ...second]
    merged.push({ name, value: either(...both.map((one) => one.value)), stored: storedOf(both) })
  }
  const rest = (item: Item) => item.columns.filter((one) => !using.includes(one.name))
  const aliased: readonly Source[] =
    usingAlias === undefined ? [] : [{ alias: usingAlias, columns: merged }]
  return {
    columns: [...merged, ...rest(left), ...rest(right)],
    sources: [...left.sources, ...right.sources, ...aliased],
    merged,
    missing,
  }
}

/** Names of columns on both sides, each once: what NATURAL merges. */
export function common(left: Item, right: Item): readonly string[] {
  const names = new Set(right.columns.map((one) => one.name))
  return [...new Set(left.columns.map((one) => one.name))].filter((name) => names.has(name))
}

/** The item under one name, which hides the names of what is in it. */
export function aliased(item: Item, alias: string, names: readonly string[]): Item {
  const columns = renamed(item.columns, names)
  return { columns, sources: [{ alias, columns }] }
}

/** The columns with new names for the first of them. */
export function renamed<T extends { readonly name: string }>(
  columns: readonly T[],
  names: readonly string[],
): readonly T[] {
  if (names.length === 0) return columns
  return columns.map((one, i) => ({ ...one, name: names[i] ?? one.name }))
}

function beside(left: Item, right: Item): Item {
  return {
    columns: [...left.columns, ...right.columns],
    sources: [...left.sources, ...right.sources],
  }
}

function storedOf(columns: readonly Named[]): readonly Stored[] {
  return columns.flatMap((one) => one.stored ?? [])
}

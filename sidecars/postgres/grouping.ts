import type { Query } from './catalogue.ts'

type Rows = Awaited<ReturnType<Query>>
type Row = Rows[number]

/** Rows of a name, a schema and a name in it: the latter two by the first. */
export function multimap(rows: Rows): ReadonlyMap<string, readonly string[]> {
  return groupsBy(rows, (row) => [text(row, 0), `${row[1]}.${row[2]}`])
}

/** What becomes of each row, by the number in one of its cells. */
export function groups<T>(
  rows: Rows,
  key: number,
  value: (row: Row) => T,
): ReadonlyMap<number, T[]> {
  return groupsBy(rows, (row) => [Number(row[key]), value(row)])
}

function groupsBy<K, T>(rows: Rows, entry: (row: Row) => readonly [K, T]): ReadonlyMap<K, T[]> {
  const found = new Map<K, T[]>()
  for (const row of rows) {
    const [key, value] = entry(row)
    const list = found.get(key)
    if (list === undefined) found.set(key, [value])
    else list.push(value)
  }
  return found
}

/** A cell that is never NULL. Throws. */
export function text(row: Row, at: number): string {
  const value = row[at]
  if (value === null || value === undefined) throw new Error('the catalogue has an empty name')
  return value
}

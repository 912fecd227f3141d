import type { Node } from 'libpg-query'
import { as } from '../read/ast.ts'
import { type At, type Reading, use } from './reading.ts'
import { type Target, written } from './target.ts'

/** Names of the columns a list of targets sets. */
export function namesOf(list: readonly Node[] | undefined): readonly string[] {
  return (list ?? []).flatMap((one) => as(one, 'ResTarget')?.name ?? [])
}

/** Names of the columns a list of targets sets to their defaults. */
export function defaultsOf(list: readonly Node[] | undefined): readonly string[] {
  return (list ?? []).flatMap((one) => {
    const assigned = as(one, 'ResTarget')
    return as(assigned?.val, 'SetToDefault') === undefined ? [] : (assigned?.name ?? [])
  })
}

/** Those of the columns for which some row of VALUES says DEFAULT, or says nothing. */
export function defaultsIn(query: Node | undefined, names: readonly string[]): readonly string[] {
  const lists = as(query, 'SelectStmt')?.valuesLists ?? []
  const rows = lists.map((one) => as(one, 'List')?.items ?? [])
  const isDefault = (at: number) => (row: readonly Node[]) =>
    at >= row.length || as(row[at], 'SetToDefault') !== undefined
  if (rows.length === 0) return query === undefined ? names : []
  return names.filter((_, i) => rows.some(isDefault(i)))
}

/** All columns, in the order in which values without names go to them. */
export function allOf({ relation }: Target): readonly string[] {
  return relation?.columns.map((one) => one.name) ?? []
}

/** `SET column = value`, also as a part of a column. */
export function assignments(
  reading: Reading,
  list: readonly Node[] | undefined,
  to: Target,
  at: At,
): void {
  for (const one of list ?? []) {
    const assigned = as(one, 'ResTarget')
    written(reading, to, assigned?.name, reading.expression(assigned?.val, at))
    for (const index of assigned?.indirection ?? []) {
      use(reading, reading.expression(index, at), 'written_from')
    }
  }
}

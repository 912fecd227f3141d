import type { Node } from 'libpg-query'
import { as } from '../read/ast.ts'
import { type At, type Reading, use } from './reading.ts'
import { type Target, written } from './target.ts'

/** Names of the columns a list of targets sets. */
export function namesOf(list: readonly Node[] | undefined): readonly string[] {
  return (list ?? []).flatMap((one) => as(one, 'ResTarget')?.name ?? [])
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

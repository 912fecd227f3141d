import type { Output } from '../../../pdp/contract.ts'
import { either, type Field } from './value.ts'

/** Undefined where the columns cannot be told apart, as when some of them have no known number. */
export type Fields = readonly Field[] | undefined

/** Rows of either query: columns match by position and are named by the first (UNION, INTERSECT, EXCEPT, recursion). */
export function combined(first: Fields, second: Fields): Fields {
  if (first === undefined || second === undefined || first.length !== second.length)
    return undefined
  return first.map(({ name, value }, i) => {
    const other = second[i]?.value
    return { name, value: other === undefined ? value : either(value, other) }
  })
}

/** Whether a round of a recursive query found nothing new. */
export function settled(before: readonly Field[], after: readonly Field[]): boolean {
  return before.every(({ value }, i) => {
    const next = after[i]?.value
    return (
      next !== undefined &&
      next.sources.size === value.sources.size &&
      next.copy === value.copy &&
      next.unknown === value.unknown
    )
  })
}

/** Where each column shown comes from; undefined where that cannot be said of all of them. */
export function outputs(columns: Fields): readonly Output[] | undefined {
  if (columns === undefined || columns.some((one) => one.value.unknown)) return undefined
  return columns.map(({ name, value }) => ({
    name,
    sources: [...value.sources],
    exact: value.copy,
  }))
}

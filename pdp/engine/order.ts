/** OPA's total order of values: null, booleans, numbers, strings by bytes, arrays, objects, sets. */
import { isArray, isObject, isSet, type Value } from './value.ts'

/** Negative, zero or positive as `a` comes before, equals or comes after `b`. */
export function compare(a: Value, b: Value): number {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return kind - kindOf(b)
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (isArray(a)) return compareLists(a, b as readonly Value[])
  if (isSet(a)) return compareLists(sorted(a), sorted(b as ReadonlySet<Value>))
  if (isObject(a)) return compareLists(members(a), members(b as { readonly [key: string]: Value }))
  if (a === null) return 0
  return Number(a > (b as typeof a)) - Number(a < (b as typeof a))
}

/** Whether two values are the same to Rego. */
export function equal(a: Value, b: Value): boolean {
  return compare(a, b) === 0
}

/** The elements of a set in order. */
export function sorted(set: ReadonlySet<Value>): readonly Value[] {
  return [...set].sort(compare)
}

/** Members in order of their names, each as a pair. */
export function members(object: { readonly [key: string]: Value }): readonly (readonly Value[])[] {
  return Object.entries(object).sort(([a], [b]) => compare(a, b))
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    const order = compare(value, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function kindOf(value: Value): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return 1
  if (typeof value === 'number' || typeof value === 'bigint') return 2
  if (typeof value === 'string') return 3
  return isArray(value) ? 4 : isSet(value) ? 6 : 5
}

import type { Library, Operator } from '../../sql/lineage/library.ts'
import { anything, computed, typed, type Value } from '../../sql/lineage/value.ts'
import { converted, runsNamed } from './calls.ts'
import { accepts } from './fits.ts'
import { doubtName } from './lookup.ts'
import { type Reading, use } from './reading.ts'
import { basic, UNKNOWN } from './types.ts'

/** Runs what somebody bound to an operator, where it may be meant; answers the value it gives. */
export function runOperator(
  reading: Reading,
  name: string,
  left: Value | undefined,
  right: Value,
): Value {
  const { library } = reading.around
  const named = library.operators(name)
  const able = meant(library, named, left, right)
  const args = left === undefined ? [right] : [left, right]
  const given = computed(...args)
  const results: Value[] = []
  for (const one of able) {
    results.push(converted(reading, right, one.right))
    if (left !== undefined) results.push(converted(reading, left, one.left))
    if (one.runs === undefined) continue
    use(reading, given, 'argument')
    results.push(runsNamed(reading, one.runs, args))
  }
  if (named.length === 0) {
    doubtName(reading, 'operator', name, undefined)
    return computed(given, anything)
  }
  const [only] = able
  const value = computed(given, ...results)
  return able.length === 1 && only !== undefined ? typed(value, only.gives) : value
}

/** ORDER BY … USING an operator. */
export function runOrdering(reading: Reading, name: string, value: Value): void {
  runOperator(reading, name, value, value)
}

/** Pairs of types that are remembered of the operators of one name. */
const pairsMax = 1_000
const remembered = new WeakMap<readonly Operator[], Map<string, readonly Operator[]>>()

/** Only types decide where they are known, so that each pair of them is looked at once. */
function meant(
  library: Library,
  named: readonly Operator[],
  left: Value | undefined,
  right: Value,
): readonly Operator[] {
  if (right.type === undefined || (left !== undefined && left.type === undefined))
    return chosen(library, named, left, right)
  const pairs = remembered.get(named) ?? new Map<string, readonly Operator[]>()
  const pair = `${left?.type} ${right.type}`
  const known = pairs.get(pair)
  if (known !== undefined) return known
  const found = chosen(library, named, left, right)
  if (pairs.size < pairsMax) remembered.set(named, pairs.set(pair, found))
  return found
}

/** The operators that may be meant (documentation 10.2): those of exactly these types, else all that take them. */
function chosen(
  library: Library,
  named: readonly Operator[],
  left: Value | undefined,
  right: Value,
): readonly Operator[] {
  const sided = named.filter((one) => (one.left === 0) === (left === undefined))
  const other = (value: Value | undefined, beside: Value | undefined): number | undefined =>
    value?.type === UNKNOWN ? beside?.type : value?.type
  const from = other(left, right)
  const to = other(right, left)
  const exact = sided.filter(
    (one) =>
      same(library, from, one.left, left === undefined) && same(library, to, one.right, false),
  )
  if (exact.length > 0) return exact
  return sided.filter(
    (one) =>
      (left === undefined || accepts(library, left, one.left)) &&
      accepts(library, right, one.right),
  )
}

function same(
  library: Library,
  given: number | undefined,
  taken: number,
  absent: boolean,
): boolean {
  if (absent) return true
  if (given === undefined || given === UNKNOWN) return false
  return given === taken || basic(library, given)?.oid === taken
}

import { compare, equal } from '../order.ts'
import { integer, isArray, isObject, isSet, type Value } from '../value.ts'
import { type Builtins, pure, wide } from './operands.ts'

const rangeMax = 100_000n

/** `object.subset` and `numbers.range_step`. */
export const objects: Builtins = {
  'object.subset': pure((whole, part) => {
    if (whole === undefined || part === undefined) throw new Error('operands are missing')
    if (isArray(whole) && isSet(part)) return arrayHoldsSet(whole, part)
    const found = subset(whole, part)
    if (found === undefined) throw new Error('operands must be of the same kind')
    return found
  }),
  'numbers.range_step': pure((from, to, by) => {
    const [start, end, step] = [wide(from), wide(to), wide(by)]
    if (step <= 0n) throw new Error('step must be a positive integer')
    const count = (start < end ? end - start : start - end) / step + 1n
    if (count > rangeMax) throw new Error(`the range has more than ${rangeMax} numbers`)
    const signed = start <= end ? step : -step
    return Array.from({ length: Number(count) }, (_, index) =>
      integer(start + signed * BigInt(index)),
    )
  }),
}

/** Undefined where the two are not collections of one kind. */
function subset(whole: Value, part: Value): boolean | undefined {
  if (isObject(whole) && isObject(part))
    return Object.entries(part).every(([name, value]) => {
      const other = Object.hasOwn(whole, name) ? whole[name] : undefined
      return other !== undefined && (equal(other, value) || subset(other, value) === true)
    })
  if (isSet(whole) && isSet(part)) {
    const all = [...whole]
    return [...part].every((value) => all.some((other) => equal(other, value)))
  }
  return isArray(whole) && isArray(part) ? run(whole, part) : undefined
}

/** Whether the part is a run of elements within the whole, found the way OPA looks for it. */
function run(whole: readonly Value[], part: readonly Value[]): boolean {
  let start = 0
  let matched = 0
  while (matched < part.length) {
    const [element, wanted] = [whole[start + matched], part[matched]]
    if (element === undefined || wanted === undefined) return false
    if (compare(element, wanted) === 0) matched++
    else {
      start++
      matched = 0
    }
  }
  return true
}

/** Counts as OPA does: an empty set is in every array that has an element. */
function arrayHoldsSet(whole: readonly Value[], part: ReadonlySet<Value>): boolean {
  const wanted = [...part]
  let left = wanted.length
  return whole.some((element) => {
    if (wanted.some((value) => equal(value, element))) left--
    return left === 0
  })
}

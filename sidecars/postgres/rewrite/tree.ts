import { places } from '../read/places.ts'

/** Whether two syntax trees are the same but for where things stand in the text. Throws RangeError on trees too deep to walk. */
export function sameTree(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return false
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false
    return one.every((item, at) => sameTree(item, other[at]))
  }
  if (Array.isArray(other)) return false
  const left = one as Readonly<Record<string, unknown>>
  const right = other as Readonly<Record<string, unknown>>
  for (const key in left) {
    if (!places.has(key) && !sameTree(left[key], right[key])) return false
  }
  for (const key in right) {
    if (!places.has(key) && !(key in left)) return false
  }
  return true
}

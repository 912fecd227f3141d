import { isArray, isObject, isSet, type Value } from '../value.ts'
import { addressOf, addressText, contains, lastOf, type Network, networkOf } from './address.ts'
import { type Builtins, collection, pure, string } from './operands.ts'

/** A policy that lists more addresses than this one by one is a mistake. */
const addressesMax = 65_536

/** `net.cidr_*` that WASM lacks. Nothing here asks a network. */
export const net: Builtins = {
  'net.cidr_is_valid': pure((text) => {
    try {
      return networkOf(string(text)).bits > 0
    } catch {
      return false
    }
  }),
  'net.cidr_expand': pure((text) => {
    const network = networkOf(string(text))
    const count = lastOf(network) - network.base + 1n
    if (count > addressesMax) throw new Error(`the network has more than ${addressesMax} addresses`)
    const { bits, base } = network
    return new Set(
      Array.from({ length: Number(count) }, (_, index) =>
        addressText({ bits, value: base + BigInt(index) }),
      ),
    )
  }),
  'net.cidr_contains_matches': pure((outer, inner) => {
    const found = new Set<Value>()
    for (const [left, a] of entries(outer))
      for (const [right, b] of entries(inner)) if (holds(networkOf(a), b)) found.add([left, right])
    return found
  }),
  'net.cidr_merge': pure((texts) =>
    merged(collection(texts).map((text) => networkOf(string(text)))),
  ),
}

function holds(outer: Network, text: string): boolean {
  const address = addressOf(text)
  if (address !== undefined) return contains(outer, address.bits, address.value, address.value)
  const inner = networkOf(text)
  return contains(outer, inner.bits, inner.base, lastOf(inner))
}

/** What names a CIDR in the answer, with the CIDR: its index or key, or in a set the element itself. */
function entries(value: Value | undefined): readonly (readonly [Value, string])[] {
  if (value === undefined || typeof value === 'string') return [[string(value), string(value)]]
  if (isArray(value)) return value.map((element, index) => [index, cidrOf(element)])
  if (isSet(value)) return [...value].map((element) => [element, cidrOf(element)])
  if (isObject(value)) return Object.entries(value).map(([key, element]) => [key, cidrOf(element)])
  return []
}

function cidrOf(element: Value): string {
  return string(isArray(element) ? element[0] : element)
}

/** The fewest networks that cover the same addresses. */
function merged(networks: readonly Network[]): Value {
  const ranges: { bits: 32 | 128; first: bigint; last: bigint }[] = []
  const inOrder = networks.toSorted(
    (a, b) => a.bits - b.bits || (a.base < b.base ? -1 : Number(a.base > b.base)),
  )
  for (const network of inOrder) {
    const { bits, base: first } = network
    const last = lastOf(network)
    const previous = ranges.at(-1)
    if (previous === undefined || previous.bits !== bits || first > previous.last + 1n)
      ranges.push({ bits, first, last })
    else if (last > previous.last) previous.last = last
  }
  return new Set(ranges.flatMap(({ bits, first, last }) => cover(bits, first, last)))
}

function cover(bits: 32 | 128, first: bigint, last: bigint): readonly string[] {
  const found: string[] = []
  for (let at = first; at <= last; ) {
    let host = 0
    while (host < bits && fits(at, host + 1, last)) host++
    found.push(`${addressText({ bits, value: at })}/${bits - host}`)
    at += 1n << BigInt(host)
  }
  return found
}

function fits(at: bigint, host: number, last: bigint): boolean {
  const size = 1n << BigInt(host)
  return at % size === 0n && at + size - 1n <= last
}

import { type Builtins, pure, string } from './operands.ts'

type Version = { readonly numbers: readonly bigint[]; readonly release: readonly string[] }

/** `semver.*`. */
export const semver: Builtins = {
  'semver.is_valid': pure((text) => typeof text === 'string' && versionOf(text) !== undefined),
  'semver.compare': pure((a, b) => compare(valid(string(a)), valid(string(b)))),
}

const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const pattern = new RegExp(
  `^v?([+-]?\\d+)\\.(\\d+)\\.(\\d+)(?:-(${identifiers})?)?(?:\\+(?:${identifiers})?)?$`,
)

function versionOf(text: string): Version | undefined {
  const found = pattern.exec(text)
  if (found === null) return undefined
  const numbers = found.slice(1, 4).map(BigInt)
  if (numbers.some((number) => number >= 2n ** 63n)) return undefined
  return { numbers, release: found[4]?.split('.') ?? [] }
}

function valid(text: string): Version {
  const version = versionOf(text)
  if (version === undefined) throw new Error('not a semantic version')
  return version
}

function compare(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.release.length === 0 || b.release.length === 0)
    return Math.sign(Number(a.release.length === 0) - Number(b.release.length === 0))
  for (const [index, identifier] of a.release.entries()) {
    const order = compareIdentifiers(identifier, b.release[index])
    if (order !== 0) return order
  }
  return a.release.length < b.release.length ? -1 : 0
}

/** Numbers come before words; what is missing comes first of all. */
function compareIdentifiers(a: string, b: string | undefined): number {
  if (b === undefined) return 1
  const [numeric, otherNumeric] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (numeric !== otherNumeric) return numeric ? -1 : 1
  const [left, right] = numeric ? [BigInt(a), BigInt(b)] : [a, b]
  return left === right ? 0 : left < right ? -1 : 1
}

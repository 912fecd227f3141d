import { integer, type Value } from '../value.ts'
import { type Builtins, pure, string } from './operands.ts'

/** `units.*`: exact, with bigints over a common denominator. */
export const units: Builtins = {
  'units.parse': pure((text) => {
    const [amount, unit] = parts(string(text).replaceAll('"', ''))
    const name = unit.slice(0, 1) + unit.slice(1).toLowerCase()
    if (name === 'm') return decimal(amount, 1n, 1000n)
    return decimal(
      amount,
      factor(name === 'K' ? 'k' : name.replace(/^[A-Z]i$/, lower), siUnits),
      1n,
    )
  }),
  'units.parse_bytes': pure((text) => {
    const [amount, unit] = parts(string(text).toLowerCase().replaceAll('"', ''))
    const { digits, scale } = fractionOf(amount)
    const total = digits * factor(unit.replace(/^([kmgtpe]i?)b$/, '$1'), byteUnits)
    return integer(total / scale)
  }),
}

const exponentMax = 400
const lower = (text: string): string => text.toLowerCase()
const binary = {
  ki: 2n ** 10n,
  mi: 2n ** 20n,
  gi: 2n ** 30n,
  ti: 2n ** 40n,
  pi: 2n ** 50n,
  ei: 2n ** 60n,
}
const decimalUnits = { k: 10n ** 3n, g: 10n ** 9n, t: 10n ** 12n, p: 10n ** 15n, e: 10n ** 18n }
const upper = { M: 10n ** 6n, G: 10n ** 9n, T: 10n ** 12n, P: 10n ** 15n, E: 10n ** 18n }
const siUnits: Readonly<Record<string, bigint>> = { '': 1n, ...binary, ...decimalUnits, ...upper }
const byteUnits: Readonly<Record<string, bigint>> = {
  '': 1n,
  ...binary,
  ...decimalUnits,
  m: 10n ** 6n,
}

function factor(unit: string, known: Readonly<Record<string, bigint>>): bigint {
  const found = Object.hasOwn(known, unit) ? known[unit] : undefined
  if (found === undefined) throw new Error('unit not recognized')
  return found
}

function parts(text: string): readonly [amount: string, unit: string] {
  const found = /^([-+]?[\d.]+(?:[eE][-+]?\d{1,6}(?!\d))?)(\D.*)?$/s.exec(text)
  if (found === null || text.includes(' ')) throw new Error('no amount provided')
  return [found[1] ?? '', found[2] ?? '']
}

/** The amount as `digits / scale`. */
function fractionOf(amount: string): { digits: bigint; scale: bigint } {
  const found = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(amount)
  const [, sign = '', whole = '', rest = '', exponent = '0'] = found ?? []
  if (whole + rest === '') throw new Error('could not parse the amount')
  const power = Number(exponent) - rest.length
  if (Math.abs(power) > exponentMax) throw new Error('exponent too large')
  const digits = BigInt(whole + rest) * (sign === '-' ? -1n : 1n)
  return power < 0
    ? { digits, scale: 10n ** BigInt(-power) }
    : { digits: digits * 10n ** BigInt(power), scale: 1n }
}

/** An integer exactly, else ten decimals as OPA rounds them. */
function decimal(amount: string, times: bigint, over: bigint): Value {
  const { digits, scale } = fractionOf(amount)
  const [top, bottom] = [digits * times, scale * over]
  if (top % bottom === 0n) return integer(top / bottom)
  const scaled = top * 10n ** 10n
  const half = scaled < 0n ? -bottom : bottom
  return Number((scaled * 2n + half) / (bottom * 2n)) / 1e10
}

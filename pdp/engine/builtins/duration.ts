/** Durations as Go writes them, with OPA's days, weeks and years. */

const minute = 60_000_000_000n
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: minute,
  h: 60n * minute,
  d: 1440n * minute,
  w: 7n * 1440n * minute,
  y: 365n * 1440n * minute,
}
const longest = 9_223_372_036_854_775_807n

/** Nanoseconds of text like `1h30m`, `-1.5h` or `2d`. Throws on anything else. */
export function parseDuration(text: string): bigint {
  const [, sign = '', rest = ''] = /^([-+]?)(.*)$/s.exec(text) ?? []
  if (rest === '0') return 0n
  const pattern = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|[a-z])/gy
  let total = 0n
  let read = 0
  for (const [part, whole = '', fraction = '', unit = ''] of rest.matchAll(pattern)) {
    total += amount(whole, fraction, units[unit])
    read += part.length
  }
  if (read === 0 || read !== rest.length || total > longest) throw new Error('invalid duration')
  return sign === '-' ? -total : total
}

function amount(whole: string, fraction: string, unit: bigint | undefined): bigint {
  if (unit === undefined || whole + fraction === '') throw new Error('invalid duration')
  const rest = Math.trunc(Number(fraction) * (Number(unit) / 10 ** fraction.length))
  return BigInt(whole) * unit + BigInt(rest)
}

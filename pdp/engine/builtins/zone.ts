/** Civil time in the zones of the tz database, which Node carries. */

const zonesMax = 1024
const zones = new Map<string, Intl.DateTimeFormat>()

/** An instant with the offset from UTC that holds there. */
export type Instant = { readonly ns: bigint; readonly offsetS: number; readonly zone: string }

/** Date and clock as people write them; month from 1. */
export type Civil = {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly nanosecond: number
  /** From Sunday, 0. */
  readonly weekday: number
}

/** The instant in a zone. Throws where the zone is unknown or depends on the machine. */
export function instantIn(ns: bigint, zone: string): Instant {
  return { ns, zone, offsetS: offsetAt(ns, zone) }
}

/** What clocks and calendars show at an instant. */
export function civil({ ns, offsetS }: Instant): Civil {
  const local = ns + BigInt(offsetS) * 1_000_000_000n
  const nanosecond = Number(((local % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
  const date = new Date(Number((local - BigInt(nanosecond)) / 1_000_000n))
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond,
    weekday: date.getUTCDay(),
  }
}

/** Nanoseconds since the epoch of a civil time in UTC; fields out of range carry over. */
export function utc(at: Omit<Civil, 'weekday'>): bigint {
  const date = new Date(0)
  date.setUTCFullYear(at.year, at.month - 1, at.day)
  date.setUTCHours(at.hour, at.minute, at.second)
  if (Number.isNaN(date.getTime())) throw new Error('time outside of valid range')
  return BigInt(date.getTime()) * 1_000_000n + BigInt(at.nanosecond)
}

/** The instant of a civil time in a zone; where clocks jump, the offset before the jump holds, as in Go. */
export function inZone(at: Omit<Civil, 'weekday'>, zone: string): bigint {
  const asUtc = utc(at)
  const guess = asUtc - seconds(offsetAt(asUtc, zone))
  return asUtc - seconds(offsetAt(guess, zone))
}

function offsetAt(ns: bigint, zone: string): number {
  if (zone === '' || zone === 'UTC') return 0
  if (zone === 'Local') throw new Error('time zone Local depends on the machine')
  const at = Number(ns / 1_000_000_000n) - (ns % 1_000_000_000n < 0n ? 1 : 0)
  const fields: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(at * 1000))
    if (type !== 'literal') fields[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields
  return Math.round(Date.UTC(year, month - 1, day, hour, minute, second) / 1000) - at
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone)
  if (known !== undefined) return known
  if (!/^[A-Z][\w+/-]*$/.test(zone)) throw new Error('unknown time zone')
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  if (zones.size >= zonesMax) zones.clear()
  zones.set(zone, made)
  return made
}

function seconds(count: number): bigint {
  return BigInt(count) * 1_000_000_000n
}

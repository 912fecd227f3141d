import { integer, isArray, type Value } from '../value.ts'
import { parseDuration } from './duration.ts'
import { format, layoutOf, parse, weekdays } from './layout.ts'
import { type Builtins, pure, small, string, wide } from './operands.ts'
import { type Civil, civil, type Instant, instantIn, inZone } from './zone.ts'

const earliest = -(2n ** 63n)
const latest = 2n ** 63n - 1n

/** `time.*`: the clock stands still within one decision. */
export const time: Builtins = {
  'time.now_ns': { nondeterministic: true, call: (_, moment) => moment.nowNs },
  'time.parse_rfc3339_ns': pure((text) => bounded(parse(layoutOf('RFC3339'), string(text)))),
  'time.parse_ns': pure((layout, text) => bounded(parse(layoutOf(string(layout)), string(text)))),
  'time.parse_duration_ns': pure((text) => integer(parseDuration(string(text)))),
  'time.date': pure((at) => {
    const { year, month, day } = civil(instant(at))
    return [year, month, day]
  }),
  'time.clock': pure((at) => {
    const { hour, minute, second } = civil(instant(at))
    return [hour, minute, second]
  }),
  'time.weekday': pure((at) => weekdays[civil(instant(at)).weekday]),
  'time.add_date': pure((at, years, months, days) => {
    const { ns, zone } = instant(at)
    const from = civil({ ...instant(at), ns })
    const year = from.year + small(years)
    const month = from.month + small(months)
    return bounded(inZone({ ...from, year, month, day: from.day + small(days) }, zone))
  }),
  'time.diff': pure((a, b) => difference(instant(a), instant(b))),
  'time.format': pure((at) => {
    const layout = isArray(at ?? null) ? (at as readonly Value[])[2] : undefined
    const text = layout === undefined || layout === '' ? 'RFC3339Nano' : string(layout)
    return format(instant(at), layoutOf(text))
  }),
}

/** A number of nanoseconds, or such a number with a zone and perhaps a layout. */
function instant(value: Value | undefined): Instant {
  const [ns, zone] = value !== undefined && isArray(value) ? value : [value]
  return instantIn(within(wide(ns)), zone === undefined ? 'UTC' : string(zone))
}

/** Years, months, days, hours, minutes and seconds between two instants, on the clock of the first. */
function difference(first: Instant, second: Instant): Value {
  const other = instantIn(second.ns, first.zone)
  const [from, to] =
    first.ns > second.ns ? [civil(other), civil(first)] : [civil(first), civil(other)]
  const parts = fields.map((name) => to[name] - from[name])
  const daysInMonth = new Date(Date.UTC(from.year, from.month, 0)).getUTCDate()
  const sizes = [0, 12, daysInMonth, 24, 60, 60]
  for (let index = parts.length - 1; index > 0; index--) {
    if ((parts[index] ?? 0) >= 0) continue
    parts[index] = (parts[index] ?? 0) + (sizes[index] ?? 0)
    parts[index - 1] = (parts[index - 1] ?? 0) - 1
  }
  return parts
}

const fields = [
  'year',
  'month',
  'day',
  'hour',
  'minute',
  'second',
] as const satisfies readonly (keyof Civil)[]

function bounded(ns: bigint): Value {
  return integer(within(ns))
}

function within(ns: bigint): bigint {
  if (ns < earliest || ns > latest) throw new Error('time outside of valid range')
  return ns
}

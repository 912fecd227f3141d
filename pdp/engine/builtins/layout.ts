/** Go's time layouts: the reference time `Mon Jan 2 15:04:05 2006` written the way the text is. */
import { civil, type Instant, utc } from './zone.ts'

const named: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
}

const chunk =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|_2(?!006)|002|0[1-6]|15|PM|pm|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?!\d)|[1-5]/g

export const months =
  'January February March April May June July August September October November December'.split(' ')
export const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** A layout by one of OPA's names for it, else the text itself. */
export function layoutOf(text: string): string {
  return (Object.hasOwn(named, text) ? named[text] : undefined) ?? text
}

/** Writes an instant in a layout. Throws for a zone abbreviation other than UTC, which Node does not know. */
export function format(instant: Instant, layout: string): string {
  const at = civil(instant)
  const startOfYear = Date.UTC(at.year, 0, 1)
  const yearDay = (Date.UTC(at.year, at.month - 1, at.day) - startOfYear) / 86_400_000 + 1
  const hour12 = at.hour % 12 === 0 ? 12 : at.hour % 12
  const writers: Readonly<Record<string, () => string>> = {
    January: () => months[at.month - 1] ?? '',
    Jan: () => (months[at.month - 1] ?? '').slice(0, 3),
    Monday: () => weekdays[at.weekday] ?? '',
    Mon: () => (weekdays[at.weekday] ?? '').slice(0, 3),
    MST: () => abbreviation(instant),
    2006: () => pad(at.year, 4),
    '06': () => pad(at.year % 100, 2),
    '01': () => pad(at.month, 2),
    1: () => String(at.month),
    '02': () => pad(at.day, 2),
    _2: () => String(at.day).padStart(2),
    2: () => String(at.day),
    '002': () => pad(yearDay, 3),
    __2: () => String(yearDay).padStart(3),
    15: () => pad(at.hour, 2),
    '03': () => pad(hour12, 2),
    3: () => String(hour12),
    '04': () => pad(at.minute, 2),
    4: () => String(at.minute),
    '05': () => pad(at.second, 2),
    5: () => String(at.second),
    PM: () => (at.hour >= 12 ? 'PM' : 'AM'),
    pm: () => (at.hour >= 12 ? 'pm' : 'am'),
  }
  return layout.replace(chunk, (found) => {
    if (/^[.,]/.test(found)) return fraction(found, at.nanosecond)
    if (/^[-Z]07/.test(found)) return offset(found, instant.offsetS)
    return writers[found]?.() ?? found
  })
}

/** Reads text in a layout as nanoseconds since the epoch. Throws where it does not fit. */
export function parse(layout: string, text: string): bigint {
  const fields = new Map<string, string>()
  const groups: string[] = []
  let pattern = ''
  let end = 0
  for (const found of layout.matchAll(chunk)) {
    const rest = layout.slice(found.index + found[0].length)
    pattern += literal(layout.slice(end, found.index)) + patternOf(found[0], rest, groups)
    end = found.index + found[0].length
  }
  pattern += literal(layout.slice(end))
  const match = new RegExp(`^${pattern}$`).exec(text)
  if (match === null) throw new Error('text does not fit the layout')
  for (const [index, name] of groups.entries()) fields.set(name, match[index + 1] ?? '')
  return assembled(fields)
}

/** A pattern for one part of a layout; what it captures is named in `groups`. */
function patternOf(found: string, rest: string, groups: string[]): string {
  const part = parts[found]
  if (part !== undefined) {
    groups.push(part[0])
    const seconds = part[0] === 'second' && !/^[.,][09]/.test(rest)
    if (seconds) groups.push('fraction')
    return part[1] + (seconds ? '(?:[.,](\\d+))?' : '')
  }
  if (/^[.,]0/.test(found)) return group('fraction', `[.,](\\d{${found.length - 1}})`, groups)
  if (/^[.,]9/.test(found)) return group('fraction', '(?:[.,](\\d+))?', groups)
  if (/^[-Z]07/.test(found)) return group('offset', `(${offsetPattern(found)})`, groups)
  throw new Error(`layout part ${found} cannot be read`)
}

const parts: Readonly<Record<string, readonly [string, string]>> = {
  January: ['monthName', `((?i:${months.join('|')}))`],
  Jan: ['monthName', `((?i:${months.map((name) => name.slice(0, 3)).join('|')}))`],
  Monday: ['weekday', `((?i:${weekdays.join('|')}))`],
  Mon: ['weekday', `((?i:${weekdays.map((name) => name.slice(0, 3)).join('|')}))`],
  MST: ['zone', '(UTC|GMT)'],
  2006: ['year', '(\\d{4})'],
  '06': ['shortYear', '(\\d{2})'],
  '01': ['month', '(\\d{2})'],
  1: ['month', '(\\d{1,2})'],
  '02': ['day', '(\\d{2})'],
  _2: ['day', ' ?(\\d{1,2})'],
  2: ['day', '(\\d{1,2})'],
  15: ['hour', '(\\d{2})'],
  '03': ['hour12', '(\\d{2})'],
  3: ['hour12', '(\\d{1,2})'],
  '04': ['minute', '(\\d{2})'],
  4: ['minute', '(\\d{1,2})'],
  '05': ['second', '(\\d{2})'],
  5: ['second', '(\\d{1,2})'],
  PM: ['half', '(AM|PM)'],
  pm: ['half', '(am|pm)'],
}

function group(name: string, pattern: string, groups: string[]): string {
  groups.push(name)
  return pattern
}

function assembled(fields: ReadonlyMap<string, string>): bigint {
  const number = (name: string, otherwise: number): number => Number(fields.get(name) || otherwise)
  const year = fields.has('shortYear') ? century(number('shortYear', 0)) : number('year', 0)
  const month = fields.has('monthName') ? monthOf(fields.get('monthName')) : number('month', 1)
  const at = {
    year,
    month,
    day: number('day', 1),
    hour: hourOf(fields),
    minute: number('minute', 0),
    second: number('second', 0),
    nanosecond: Number((fields.get('fraction') ?? '').padEnd(9, '0').slice(0, 9)),
  }
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  const valid =
    month >= 1 && month <= 12 && at.day >= 1 && at.day <= days && at.hour < 24 && at.minute < 60
  if (!valid || at.second >= 60) throw new Error('a part of the time is out of range')
  return utc(at) - offsetOf(fields.get('offset') ?? '')
}

function hourOf(fields: ReadonlyMap<string, string>): number {
  const half = fields.get('half')?.toUpperCase()
  const hour = Number(fields.get('hour') || fields.get('hour12') || 0)
  if (fields.has('hour12') && hour > 12) throw new Error('a part of the time is out of range')
  if (half === 'PM' && hour < 12) return hour + 12
  return half === 'AM' && hour === 12 ? 0 : hour
}

function offsetOf(text: string): bigint {
  if (text === '' || text === 'Z') return 0n
  const [hours = '0', minutes = '0', seconds = '0'] =
    text.slice(1).replaceAll(':', '').match(/../g) ?? []
  if (Number(hours) > 24 || Number(minutes) > 60) throw new Error('an offset is out of range')
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return BigInt(text.startsWith('-') ? -total : total) * 1_000_000_000n
}

function offsetPattern(found: string): string {
  const digits = found.slice(1).replace(/\d\d/g, '\\d\\d')
  return found.startsWith('Z') ? `Z|[-+]${digits}` : `[-+]${digits}`
}

function offset(found: string, offsetS: number): string {
  if (found.startsWith('Z') && offsetS === 0) return 'Z'
  const total = Math.abs(offsetS)
  const pairs = [total / 3600, (total / 60) % 60, total % 60].map((part) =>
    pad(Math.trunc(part), 2),
  )
  const count = (found.match(/\d\d/g) ?? []).length
  return (offsetS < 0 ? '-' : '+') + pairs.slice(0, count).join(found.includes(':') ? ':' : '')
}

function fraction(found: string, nanosecond: number): string {
  const digits = pad(nanosecond, 9).slice(0, found.length - 1)
  if (found.charAt(1) === '0') return found.charAt(0) + digits.padEnd(found.length - 1, '0')
  const shown = digits.replace(/0+$/, '')
  return shown === '' ? '' : found.charAt(0) + shown
}

function abbreviation({ zone }: Instant): string {
  if (zone === '' || zone === 'UTC') return 'UTC'
  throw new Error('zone abbreviations other than UTC are not known here')
}

function monthOf(name = ''): number {
  const short = name.slice(0, 3).toLowerCase()
  return months.findIndex((month) => month.toLowerCase().startsWith(short)) + 1
}

function century(year: number): number {
  return year >= 69 ? 1900 + year : 2000 + year
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

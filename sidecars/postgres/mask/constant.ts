/**
 * A value that policy wrote, in the form a type has on the wire; undefined where it is none of that type. Money and
 * intervals read differently from one session to the next, so they have none.
 */
export function constant(value: string, typeOid: number, binary: boolean): Buffer | undefined {
  const write = writers.get(typeOid)?.(value)
  if (write === undefined) return undefined
  return binary ? write.binary() : Buffer.from(write.text)
}

type Written = { readonly text: string; readonly binary: () => Buffer }

const dayMs = 86_400_000
const epochMs = Date.UTC(2000, 0, 1)

/** By OID: bool, bytea, int8, int2, int4, float4, float8, date, timestamp, timestamptz, numeric, uuid. */
const writers: ReadonlyMap<number, (value: string) => Written | undefined> = new Map([
  [16, truth],
  [17, bytes],
  [20, whole(8)],
  [21, whole(2)],
  [23, whole(4)],
  [700, float(4)],
  [701, float(8)],
  [1082, date],
  [1114, moment('')],
  [1184, moment('+00')],
  [1700, numeric],
  [2950, uuid],
])

function truth(value: string): Written | undefined {
  if (value !== 'true' && value !== 'false') return undefined
  const yes = value === 'true'
  return { text: yes ? 't' : 'f', binary: () => Buffer.from([yes ? 1 : 0]) }
}

function bytes(value: string): Written | undefined {
  if (!/^\\x([0-9a-f]{2})*$/i.test(value)) return undefined
  return { text: value, binary: () => Buffer.from(value.slice(2), 'hex') }
}

function whole(size: 2 | 4 | 8): (value: string) => Written | undefined {
  return (value) => {
    if (!/^-?\d{1,19}$/.test(value)) return undefined
    const number = BigInt(value)
    if (BigInt.asIntN(size * 8, number) !== number) return undefined
    const binary = (): Buffer => {
      const long = Buffer.alloc(8)
      long.writeBigInt64BE(number)
      return long.subarray(8 - size)
    }
    return { text: String(number), binary }
  }
}

function float(size: 4 | 8): (value: string) => Written | undefined {
  return (value) => {
    const number = Number(value)
    if (value.trim() === '' || !Number.isFinite(number)) return undefined
    const binary = (): Buffer => {
      const cell = Buffer.alloc(size)
      if (size === 4) cell.writeFloatBE(number)
      else cell.writeDoubleBE(number)
      return cell
    }
    return { text: String(number), binary }
  }
}

/** Days since 2000-01-01. */
function date(value: string): Written | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(value) ? time(`${value}T00:00:00Z`) : undefined
  if (ms === undefined) return undefined
  const binary = (): Buffer => {
    const cell = Buffer.alloc(4)
    cell.writeInt32BE((ms - epochMs) / dayMs)
    return cell
  }
  return { text: value, binary }
}

/** Microseconds since 2000-01-01, in UTC. */
function moment(zone: string): (value: string) => Written | undefined {
  return (value) => {
    const shape = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)Z?)?$/.exec(value)
    const [, day, clock = '00:00:00'] = shape ?? []
    const ms = day === undefined ? undefined : time(`${day}T${clock}Z`)
    if (ms === undefined) return undefined
    const binary = (): Buffer => {
      const cell = Buffer.alloc(8)
      cell.writeBigInt64BE(BigInt(ms - epochMs) * 1000n)
      return cell
    }
    return { text: `${day} ${clock}${zone}`, binary }
  }
}

/** Undefined for a day or an hour that does not exist. */
function time(iso: string): number | undefined {
  const ms = Date.parse(iso)
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== iso.slice(0, 19))
    return undefined
  return ms
}

/** Base 10,000, with the weight of the first digit, the sign and the number of decimals in front (numeric_send). */
function numeric(value: string): Written | undefined {
  const shape = /^(-?)(\d{1,32})(?:\.(\d{1,32}))?$/.exec(value)
  if (shape === null) return undefined
  const [, sign, before = '', after = ''] = shape
  const head = before.padStart(Math.ceil(before.length / 4) * 4, '0')
  const tail = after.padEnd(Math.ceil(after.length / 4) * 4, '0')
  const digits = `${head}${tail}`.match(/\d{4}/g)?.map(Number) ?? []
  const binary = (): Buffer => {
    const cell = Buffer.alloc(8 + 2 * digits.length)
    cell.writeInt16BE(digits.length, 0)
    cell.writeInt16BE(head.length / 4 - 1, 2)
    cell.writeUInt16BE(sign === '-' ? 0x4000 : 0, 4)
    cell.writeInt16BE(after.length, 6)
    for (const [index, digit] of digits.entries()) cell.writeInt16BE(digit, 8 + 2 * index)
    return cell
  }
  return { text: value, binary }
}

function uuid(value: string): Written | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return undefined
  return { text: value, binary: () => Buffer.from(value.replaceAll('-', ''), 'hex') }
}

import { integer, type Value } from '../value.ts'
import { type Builtins, pure, string } from './operands.ts'

/** Hundreds of nanoseconds between the Gregorian calendar's first day and 1970 (RFC 9562 section 5.1). */
const gregorian = 122_192_928_000_000_000n

/** `uuid.parse`; making random ones is refused. */
export const uuid: Builtins = { 'uuid.parse': pure((text) => parsed(string(text))) }

function parsed(text: string): Value | undefined {
  const digits = digitsOf(text)
  if (digits === undefined) return undefined
  const bytes = Buffer.from(digits, 'hex')
  const version = bytes.readUInt8(6) >> 4
  const common = { version, variant: variantOf(bytes.readUInt8(8)) }
  if (version !== 1 && version !== 2) return common
  const timed = { ...common, ...timeBased(bytes) }
  return version === 1 ? timed : { ...timed, id: bytes.readUInt32BE(0), domain: domainOf(bytes) }
}

function digitsOf(text: string): string | undefined {
  const inner = /^(?:urn:uuid:(.{36})|\{(.{36})\}|(.{36})|([\da-f]{32}))$/i.exec(text)
  const found = inner?.slice(1).find((part) => part !== undefined)
  const shape = /^([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})$/i
  const digits = found === undefined ? undefined : shape.exec(found)?.slice(1).join('')
  return digits === undefined || (found?.length === 36) !== found?.includes('-')
    ? undefined
    : digits
}

function timeBased(bytes: Buffer) {
  const low = BigInt(bytes.readUInt32BE(0))
  const middle = BigInt(bytes.readUInt16BE(4)) << 32n
  const high = BigInt(bytes.readUInt16BE(6) & 0x0fff) << 48n
  return {
    time: integer((low + middle + high - gregorian) * 100n),
    nodeid: bytes.toString('hex', 10).replace(/..(?=.)/g, '$&-'),
    macvariables: macOf(bytes.readUInt8(10)),
    clocksequence: bytes.readUInt16BE(8) & 0x3fff,
  }
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122'
  if ((byte & 0xe0) === 0xc0) return 'Microsoft'
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved'
}

function macOf(byte: number): string {
  return `${byte & 2 ? 'local' : 'global'}:${byte & 1 ? 'multicast' : 'unicast'}`
}

function domainOf(bytes: Buffer): string {
  const domain = bytes.readUInt8(9)
  return ['Person', 'Group', 'Org'][domain] ?? `Domain${domain}`
}

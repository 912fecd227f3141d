import { isUtf8 } from 'node:buffer'
import { Malformed } from '../../pdp/refusal.ts'

/** Length of a message after startup: a letter, a length that counts itself, a body (PostgreSQL 55.2.1). */
export function length(bytes: Buffer, at: number): number {
  if (at + 5 > bytes.length) return 0
  return 1 + counted(bytes.readUInt32BE(at + 1))
}

/** DataRows that lie side by side are taken together up to this, so that nothing is done per row. */
const rowsBytesMax = 64 * 1024

/** As `length`, but of all the whole DataRows that begin at `at`. */
export function rowsLength(bytes: Buffer, at: number): number {
  const first = length(bytes, at)
  if (bytes[at] !== dataRow) return first
  let size = first
  for (;;) {
    const next = at + size
    if (next + 5 > bytes.length || bytes[next] !== dataRow) return size
    const more = length(bytes, next)
    if (next + more > bytes.length || size + more > rowsBytesMax) return size
    size += more
  }
}

const dataRow = 'D'.charCodeAt(0)

/** Length of a message before startup, which has no letter. */
export function startupLength(bytes: Buffer, at: number): number {
  return at + 4 > bytes.length ? 0 : counted(bytes.readUInt32BE(at))
}

function counted(size: number): number {
  if (size < 4) throw new Malformed(`a message says that it is ${size} bytes long`)
  return size
}

/** The letter of a message as a character code. */
export const code = (letter: string): number => letter.charCodeAt(0)

/** The letter of a message, for people. */
export function letterOf(frame: Buffer): string {
  const letter = frame[0] ?? 0
  return letter > 32 && letter < 127
    ? `'${String.fromCharCode(letter)}'`
    : `0x${letter.toString(16)}`
}

/** One message; strings are written with their closing NUL. */
export function message(letter: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = concat(parts)
  const head = Buffer.alloc(letter.length + 4, letter)
  head.writeUInt32BE(body.length + 4, letter.length)
  return Buffer.concat([head, body])
}

function concat(parts: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  )
}

/** A 16-bit number as the wire has it. */
export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

/** A 32-bit number as the wire has it. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A NUL-terminated string at `at` and where the next field starts. Throws Malformed. */
export function text(frame: Buffer, at: number): readonly [value: string, next: number] {
  const end = frame.indexOf(0, at)
  if (end < 0) throw new Malformed('a string does not end inside its message')
  return [end === at ? '' : frame.toString('utf8', at, end), end + 1]
}

/** Whether the string at `at`, up to its NUL, is valid UTF-8: the server would read other bytes than we do otherwise. */
export function valid(frame: Buffer, at: number): boolean {
  return isUtf8(frame.subarray(at, frame.indexOf(0, at)))
}

/** Throws Malformed unless the fields read so far end exactly where the message does. */
export function ends(frame: Buffer, at: number): void {
  if (at !== frame.length)
    throw new Malformed(`message ${letterOf(frame)} is longer or shorter than its fields`)
}

/** Parse of a named statement without parameter types. */
export const parse = (name: string, sql: string): Buffer => message('P', name, sql, int16(0))

/** A simple query. */
export const query = (sql: string): Buffer => message('Q', sql)

/** Describe of a portal. */
export const describePortal = (name: string): Buffer => message('D', Buffer.from('P'), name)

export const terminate: Buffer = message('X')

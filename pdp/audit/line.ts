import { hash } from 'node:crypto'
import type { AuditEntry } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { json } from './json.ts'

/** Where an entry stands in the log. */
export type Place = {
  readonly seq: number
  /** RFC 3339 in UTC, milliseconds. */
  readonly timestamp: string
  /** SHA-256 of the line before, hex: what chains the log. */
  readonly prev: string
}

/** What can be told of a line without parsing all of it. */
export type Header = Place & { readonly kind: string }

/** What the first line has for a predecessor. */
export const nothingBefore = '0'.repeat(64)

/** The longest line the log writes or reads. */
export const lineBytesMax = 4 * 1024 * 1024

/** Kinds the log alone writes, each with a signature: every one of them is a head of the chain. */
export const signedKinds: ReadonlySet<string> = new Set(['genesis', 'checkpoint', 'recovered'])

const reservedFields = ['seq', 'timestamp', 'prev', 'signature']
const kindForm = /^[a-z_]{1,40}$/
const headerForm =
  /^\{"seq":(\d{1,15}),"timestamp":"([0-9TZ:.+-]{20,35})","prev":"([0-9a-f]{64})","kind":"([a-z_]{1,40})"[,}]/
// The fixed part of a header is at most 15 + 35 + 64 + 40 characters and their names.
const headerBytesMax = 256

/** The hash that chains: SHA-256 over the line's bytes without its newline, hex. */
export function hashOf(line: string | Uint8Array): string {
  return hash('sha256', line, 'hex')
}

/** One line without its newline. `body` is the entry as a JSON object that begins with its kind. */
export function lineOf(place: Place, body: string): string {
  return `{"seq":${place.seq},"timestamp":"${place.timestamp}","prev":"${place.prev}",${body.slice(1)}`
}

/** The entry as JSON, its kind first. Throws Refusal `audit_unavailable` for what cannot be recorded faithfully. */
export function bodyOf(entry: AuditEntry): string {
  const problem = problemOf(entry)
  if (problem !== undefined) throw new Refusal('audit_unavailable', problem)
  const body = jsonOf(entry)
  // A character is at most three bytes in UTF-8.
  if (body.length * 3 + headerBytesMax > lineBytesMax && tooLong(body)) {
    throw new Refusal('audit_unavailable', `an entry is longer than ${lineBytesMax} bytes`)
  }
  return body
}

/** As bodyOf, for entries nobody waits for: where one cannot be recorded, its line says why. */
export function faithfulOf(entry: AuditEntry): string {
  try {
    return bodyOf(entry)
  } catch (error) {
    const kind = kindForm.test(entry.kind) && !signedKinds.has(entry.kind) ? entry.kind : 'outcome'
    const ids = { session: String(entry.session), decision_id: String(entry.decision_id) }
    const unrecordable = error instanceof Refusal ? error.message : 'it could not be read'
    return JSON.stringify({ kind, ...ids, unrecordable })
  }
}

/** Reads a line's header; undefined when it is not a line of this log's form. */
export function headerOf(line: Buffer): Header | undefined {
  const [, seq, timestamp, prev, kind] =
    headerForm.exec(line.toString('latin1', 0, headerBytesMax)) ?? []
  if (seq === undefined || timestamp === undefined || prev === undefined || kind === undefined) {
    return undefined
  }
  return { seq: Number(seq), timestamp, prev, kind }
}

function problemOf(entry: AuditEntry): string | undefined {
  if (!kindForm.test(entry.kind) || signedKinds.has(entry.kind)) {
    return 'an entry is of a kind that only the log itself may write'
  }
  const reserved = reservedFields.find((name) => name in entry)
  return reserved && `an entry has a field "${reserved}", which belongs to the log`
}

function jsonOf(entry: AuditEntry): string {
  try {
    return json(entry, 'kind')
  } catch {
    throw new Refusal('audit_unavailable', 'an entry cannot be written as JSON')
  }
}

function tooLong(body: string): boolean {
  return Buffer.byteLength(body) + headerBytesMax > lineBytesMax
}

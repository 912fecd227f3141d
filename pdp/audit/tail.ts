import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Refusal } from '../refusal.ts'
import { type Header, hashOf, headerOf, signedKinds } from './line.ts'
import { headFile, type Segment, segmentsIn } from './segments.ts'
import { isSigned } from './signer.ts'

/** The end of a log as it was found. */
export type Tail = {
  readonly segment: Segment
  /** Bytes of whole lines in the last file. */
  readonly bytes: number
  readonly seq: number
  readonly hash: string
  /** The newest signed line. */
  readonly head: Head
  /** What stands after the last whole line: a write that did not finish. */
  readonly torn?: Buffer
  /** Entries that the signed head covers and the log no longer holds. */
  readonly missing?: { readonly from: number; readonly to: number }
  /** Set when the copy of the head is gone. */
  readonly head_lost?: true
}

/** A signed line and where it stands. */
export type Head = { readonly seq: number; readonly hash: string; readonly line: Buffer }

type Scan = {
  readonly bytes: number
  readonly last?: { readonly seq: number; readonly hash: string }
  readonly heads: readonly Head[]
  readonly rest: Buffer
}

const newline = 10

/**
 * Reads and checks the end of a log; undefined when nothing was ever recorded in the folder. What a crash or a power
 * cut can leave is reported, for the log to record; what only a hand can have made is a Refusal.
 */
export function readTail(folder: string, publicKey: KeyObject): Tail | undefined {
  const segments = segmentsIn(folder)
  const copy = readHead(folder, publicKey)
  const segment = segments.at(-1)
  if (segment === undefined && copy === undefined) return undefined
  if (segment === undefined) throw damaged(folder, 'the signed head has no log')
  const scan = scanEnd(segments)
  const head = scan.heads.at(-1) ?? copy
  if (scan.last === undefined && copy === undefined) return undefined
  if (head === undefined) throw damaged(segment.file, 'nothing in it is signed')
  if (!isSigned(head.line, publicKey)) throw damaged(segment.file, 'it was signed with another key')
  if (copy !== undefined) checkCopy(folder, scan, copy)
  const end = scan.last ?? { seq: 0, hash: '' }
  return {
    segment,
    bytes: scan.bytes,
    ...end,
    head,
    ...(scan.rest.length > 0 ? { torn: scan.rest } : {}),
    ...(copy === undefined ? { head_lost: true } : {}),
    ...(copy !== undefined && copy.seq > end.seq
      ? { missing: { from: end.seq + 1, to: copy.seq } }
      : {}),
  }
}

function scanEnd(segments: readonly Segment[]): Scan {
  const [before, last] = [segments.at(-2), segments.at(-1)]
  if (last === undefined) return { bytes: 0, heads: [], rest: Buffer.alloc(0) }
  const scan = scanFile(last)
  if (before === undefined || scan.heads.length > 0) return scan
  // A young file has no head of its own yet, perhaps not even a line: the file before ends in one.
  const earlier = scanFile(before)
  if (earlier.rest.length > 0 || earlier.last?.seq !== last.first - 1) {
    throw damaged(before.file, `it does not lead up to ${basename(last.file)}`)
  }
  return { ...scan, heads: earlier.heads, last: scan.last ?? earlier.last }
}

function scanFile(segment: Segment): Scan {
  const bytes = readFileSync(segment.file)
  let at = 0
  let seq = segment.first - 1
  let hash: string | undefined
  const heads: Head[] = []
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, at)) {
    const line = bytes.subarray(at, end)
    const header = headerOf(line)
    if (header === undefined || !follows(header, seq, hash)) {
      throw damaged(segment.file, `the line after entry ${seq} does not continue the chain`)
    }
    hash = hashOf(line)
    seq = header.seq
    at = end + 1
    if (signedKinds.has(header.kind)) heads.push({ seq, hash, line })
  }
  const rest = bytes.subarray(at)
  return { bytes: at, heads, rest, ...(hash === undefined ? {} : { last: { seq, hash } }) }
}

function follows(header: Header, seq: number, hash: string | undefined): boolean {
  return header.seq === seq + 1 && (hash === undefined || header.prev === hash)
}

// A power cut can leave the file empty or take it away; it cannot fill it with something else.
function readHead(folder: string, publicKey: KeyObject): Head | undefined {
  const text = existsSync(headFile(folder)) ? readFileSync(headFile(folder)) : Buffer.alloc(0)
  if (text.length === 0) return undefined
  const line = text.at(-1) === newline ? text.subarray(0, -1) : text
  const header = headerOf(line)
  if (header === undefined) throw damaged(folder, 'head.json is not a signed line of a log')
  if (!isSigned(line, publicKey)) throw damaged(folder, 'head.json was signed with another key')
  return { seq: header.seq, hash: hashOf(line), line }
}

function checkCopy(folder: string, scan: Scan, copy: Head): void {
  const original = scan.heads.find((head) => head.seq === copy.seq)
  const within = copy.seq >= (scan.heads[0]?.seq ?? 0) && copy.seq <= (scan.last?.seq ?? 0)
  if (within && original?.hash !== copy.hash) {
    throw damaged(folder, `entry ${copy.seq} is not the one that was signed`)
  }
}

function damaged(where: string, what: string): Refusal {
  return new Refusal(
    'audit_unavailable',
    `the audit log is damaged: ${basename(where)}: ${what}; run "postern audit verify", then move the folder aside to begin a new log`,
  )
}

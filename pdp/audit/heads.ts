import type { KeyObject } from 'node:crypto'
import { type Findings, type Problem, range, type Seen } from './findings.ts'
import { hashOf, headerOf } from './line.ts'
import { isSigned, keyIdOf } from './signer.ts'

/** Checks signed lines and the copy of the last one. */
export type Heads = {
  signed(seen: Seen, kind: string, bytes: Buffer): void
  /** `settled` is the newest head the copy must not be older than, `end` the last entry of the log. */
  copy(text: Buffer | undefined, settled: number, end: number): void
  /** The newest good head, and the one before it. */
  last(): { readonly seq: number; readonly before: number }
  count(): number
  /** The log's own name. */
  log(): string | undefined
}

type Verdict = readonly [what: Problem['what'] | undefined, message: string]
type Fields = Readonly<Record<string, unknown>>

// The copy is never older than this many heads unless somebody put it there.
const keptMax = 1000
const file = 'head.json'
const gone: Verdict = ['truncated', 'the copy of the head is gone']

/** Begins to check signed lines against one public key. */
export function headChecker(publicKey: KeyObject, found: Findings): Heads {
  const keyId = keyIdOf(publicKey)
  const kept: Seen[] = []
  let count = 0
  let log: string | undefined

  function signed(seen: Seen, kind: string, bytes: Buffer): void {
    const fields = fieldsOf(bytes)
    if (!isSigned(bytes, publicKey)) {
      forged(seen, fields)
      return
    }
    if (log !== undefined && fields['log'] !== log) {
      found.add('forged', seen, 'the line belongs to another log')
    }
    log ??= String(fields['log'])
    count += 1
    kept.push(seen)
    if (kept.length > keptMax) kept.shift()
    if (kind === 'recovered') recovered(seen, fields, found)
  }

  function forged(seen: Seen, fields: Fields): void {
    const other = fields['key_id']
    const since = kept.at(-1)?.seq ?? 0
    const why =
      other === keyId
        ? `this line or an entry after ${since} was replaced`
        : `it names key ${String(other)}`
    found.add('forged', seen, `the signature is not one of key ${keyId}: ${why}`)
  }

  function copy(text: Buffer | undefined, settled: number, end: number): void {
    const bytes = text?.at(-1) === 10 ? text.subarray(0, -1) : text
    const seq = bytes && headerOf(bytes)?.seq
    const [what, message] = bytes === undefined ? gone : wrong(bytes, seq, settled, end)
    if (what !== undefined) {
      found.add(what, { file, ...(seq === undefined ? {} : { seq }) }, message)
    }
  }

  function wrong(bytes: Buffer, seq: number | undefined, settled: number, end: number): Verdict {
    if (seq === undefined) return ['unreadable', 'not a signed line']
    if (!isSigned(bytes, publicKey)) return ['forged', `the signature is not one of key ${keyId}`]
    if (seq > end) return ['truncated', `${range(end + 1, seq)} missing at the end of the log`]
    const original = kept.find((candidate) => candidate.seq === seq)
    const forgotten = original === undefined && seq < (kept[0]?.seq ?? 0)
    if (!forgotten && original?.hash !== hashOf(bytes)) {
      return ['forked', `entry ${seq} of the log is another one`]
    }
    return seq < settled
      ? ['old_head', `the log itself has a later head, entry ${settled}`]
      : [undefined, '']
  }

  return {
    signed,
    copy,
    last: () => ({ seq: kept.at(-1)?.seq ?? 0, before: kept.at(-2)?.seq ?? 0 }),
    count: () => count,
    log: () => log,
  }
}

function recovered(seen: Seen, fields: Fields, found: Findings): void {
  const { missing, head_lost, torn, failed_since, dropped } = fields
  if (missing !== undefined) {
    const range = JSON.stringify(missing)
    found.add('truncated', seen, `signed entries were gone when the gate started: ${range}`)
  }
  if (head_lost === true) {
    found.add('truncated', seen, 'the copy of the head was gone when the gate started')
  }
  if (torn !== undefined) {
    found.note(`entry ${seen.seq}: half a line was set aside in ${String(torn)}`)
  }
  if (failed_since !== undefined) {
    found.note(`entry ${seen.seq}: no record since ${failed_since}, ${dropped} entries given up`)
  }
}

function fieldsOf(bytes: Buffer): Fields {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return {}
  }
}

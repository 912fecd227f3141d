import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Audit, AuditEntry } from '../parts.ts'
import { type Chain, type Gap, type Item, openChain } from './chain.ts'
import { bodyOf, faithfulOf } from './line.ts'
import { lockFolder } from './lock.ts'
import { segmentsIn } from './segments.ts'
import { openSigner } from './signer.ts'
import { type Failure, openWriter } from './writer.ts'

export type AuditOptions = {
  /** Made if it is not there; this process alone may write to it. */
  readonly folder: string
  /** Ed25519 private key in PEM; made on the first start. Default: `audit.key` in the folder. */
  readonly keyFile?: string
  /** `os`: on record once the system has it, which survives a crash of the gate. `disk`: survives a power cut. */
  readonly durability?: 'os' | 'disk'
  /** A file is finished before it would grow much beyond this. */
  readonly segmentBytesMax?: number
  /** Signs at least this often: every so many entries, and this long after an entry. */
  readonly headEvery?: { readonly entries: number; readonly ms: number }
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export type AuditStatus = {
  /** Entries ever recorded: the number of the last one. */
  readonly entries: number
  readonly file: string
  readonly file_bytes: number
  readonly head: { readonly seq: number; readonly hash: string; readonly timestamp: string }
  /** Entries since the last signed head. */
  readonly unsigned: number
  /** Entries that wait to be written, and the age of the oldest. */
  readonly pending: number
  readonly lag_ms: number
  /** Entries given up while the log could not be written; the log names the number once it works again. */
  readonly dropped: number
  readonly failed?: Failure
}

/** The append-only record: JSON lines, each with the hash of the one before, signed at intervals. */
export interface AuditLog extends Audit {
  status(): AuditStatus
  /** The last entries of the current file, oldest first. */
  tail(count: number): readonly Readonly<Record<string, unknown>>[]
  /** Writes what waits, signs, and lets go of the folder, which it does even where the former fails: then it rejects. */
  close(): Promise<void>
}

const laterMs = 50
const laterEntriesMax = 1000
const laterCharsMax = 1024 * 1024
const retryMs = 1000

/** Opens the record for writing. Throws Refusal `audit_unavailable`. */
export function openAudit(options: AuditOptions): AuditLog {
  const { folder, durability = 'os', headEvery = { entries: 1000, ms: 1000 } } = options
  const now = options.now ?? Date.now
  const unlock = claim(folder)
  const writer = orElse(unlock, () => openWriter(opener(options, now), now))
  let pending: Item[] = []
  let pendingChars = 0
  let soon: NodeJS.Timeout | undefined
  let retrying = false
  let due: NodeJS.Timeout | undefined
  let closing: Promise<void> | undefined

  function append(entry: AuditEntry): undefined | Promise<void> {
    flush({ ms: now(), body: bodyOf(entry) })
    return durability === 'disk' ? writer.flushed() : undefined
  }

  function later(entry: AuditEntry): void {
    if (full() || closing !== undefined) {
      writer.drop()
      return
    }
    const body = faithfulOf(entry)
    pending.push({ ms: now(), body })
    pendingChars += body.length
    if (full()) flushQuietly()
    else soon ??= setTimeout(flushQuietly, laterMs)
  }

  function full(): boolean {
    return pending.length >= laterEntriesMax || pendingChars >= laterCharsMax
  }

  // What waits is forgotten only after it was written: after a failure an entry may stand in the log twice.
  function flush(...items: readonly Item[]): void {
    const batch = pending.length === 0 ? items : [...pending, ...items]
    if (batch.length === 0) return
    writer.run((chain) => {
      chain.write(batch)
      pending = []
      pendingChars = 0
      soonAgain()
      signWhenDue(chain)
    })
  }

  /** The timer for what waits goes on: to stop and start it would cost more than one call in vain. */
  function soonAgain(): void {
    if (!retrying) return
    retrying = false
    clearTimeout(soon)
    soon = undefined
  }

  function signWhenDue(chain: Chain): void {
    const { seq, head } = chain.end()
    if (seq - head.seq >= headEvery.entries) chain.checkpoint()
    else due ??= setTimeout(signQuietly, headEvery.ms).unref()
  }

  function signQuietly(): void {
    due = undefined
    quietly(() => writer.run(signIfNeeded))
  }

  function flushQuietly(): void {
    clearTimeout(soon)
    soon = undefined
    if (quietly(flush) || closing !== undefined) return
    retrying = true
    soon = setTimeout(flushQuietly, retryMs).unref()
  }

  async function close(): Promise<void> {
    clearTimeout(soon)
    clearTimeout(due)
    try {
      flush()
      clearTimeout(due)
      writer.run(signIfNeeded)
      if (durability === 'disk') await writer.flushed()
    } finally {
      await writer.close()
      unlock()
    }
  }

  function status(): AuditStatus {
    const { end, failure, dropped } = writer.status()
    const oldest = pending[0]
    return {
      entries: end.seq,
      file: end.file,
      file_bytes: end.bytes,
      head: end.head,
      unsigned: end.seq - end.head.seq,
      pending: pending.length,
      lag_ms: oldest === undefined ? 0 : Math.max(0, now() - oldest.ms),
      dropped,
      ...(failure === undefined ? {} : { failed: failure }),
    }
  }

  return {
    append,
    later,
    status,
    tail: (count) => lastEntries(folder, count),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function claim(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return lockFolder(folder)
}

function opener(options: AuditOptions, now: () => number): (gap?: Gap) => Chain {
  const { folder, durability, segmentBytesMax = 64 * 1024 * 1024 } = options
  const keyFile = options.keyFile ?? join(folder, 'audit.key')
  // A new key for an old log would only look as if somebody had replaced it.
  const signer = openSigner(keyFile, segmentsIn(folder).length === 0)
  writeFileSync(join(folder, 'audit.pub'), signer.pem, { mode: 0o644 })
  return (gap) =>
    openChain({ folder, signer, disk: durability === 'disk', segmentBytesMax, now }, gap)
}

function orElse<Result>(undo: () => void, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    undo()
    throw error
  }
}

// The failure is in `status`, and every append repeats it.
function quietly(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

function signIfNeeded(chain: Chain): void {
  const { seq, head } = chain.end()
  if (seq > head.seq) chain.checkpoint()
}

function lastEntries(folder: string, count: number): readonly Readonly<Record<string, unknown>>[] {
  const file = segmentsIn(folder).at(-1)?.file
  const lines = file === undefined ? [] : readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.slice(-count).map((line) => JSON.parse(line))
}

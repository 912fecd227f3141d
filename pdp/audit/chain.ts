import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { batches } from './batch.ts'
import { groupFlush } from './flush.ts'
import { hashOf, lineOf, nothingBefore, type Place } from './line.ts'
import { headFile, type Segment, segmentAt, tornBefore, tornFile } from './segments.ts'
import type { Signer } from './signer.ts'
import { readTail, type Tail } from './tail.ts'

/** An entry ready to be chained: when it happened and its JSON. */
export type Item = { readonly ms: number; readonly body: string }

/** Where the chain ends. */
export type End = {
  readonly seq: number
  readonly hash: string
  /** Bytes in the current file. */
  readonly bytes: number
  readonly file: string
  readonly head: { readonly seq: number; readonly hash: string; readonly timestamp: string }
}

/** A stretch in which nothing could be recorded. */
export type Gap = {
  /** RFC 3339. */
  readonly failed_since: string
  readonly reason: string
  /** Entries given up meanwhile. */
  readonly dropped: number
}

/** The open end of a log. Whatever throws leaves it unusable: close it and open it anew. */
export type Chain = {
  end(): End
  /** Writes the entries with one call to the system. */
  write(items: readonly Item[]): void
  /** Signs everything written so far, in the log and in its copy outside. */
  checkpoint(): void
  /** Resolves when everything written is on the disk. */
  flushed(): Promise<void>
  close(): Promise<void>
}

export type ChainOptions = {
  readonly folder: string
  readonly signer: Signer
  /** Where entries, files and heads are forced to the disk and not left to the system. */
  readonly disk: boolean
  readonly segmentBytesMax: number
  readonly now: () => number
}

/** Opens the end of a log, begins one where there is none, and records what had to be mended. Throws Refusal. */
export function openChain(options: ChainOptions, gap?: Gap): Chain {
  const { folder, signer, disk, now } = options
  const tail = readTail(folder, signer.publicKey)
  let segment = tail?.segment ?? segmentAt(folder, 1)
  let bytes = tail?.bytes ?? 0
  let seq = tail?.seq ?? 0
  let hash = tail === undefined || seq === 0 ? nothingBefore : tail.hash
  let head = { seq: tail?.head.seq ?? 0, hash: tail?.head.hash ?? '', timestamp: '' }
  const log = tail === undefined ? randomUUID() : logOf(tail.head.line)
  trim(folder, segment, tail)
  let fd = openSync(segment.file, 'a', 0o600)
  const flush = groupFlush(() => fd)
  const batchOf = batches()
  const placeAfter = places()

  function write(items: readonly Item[]): void {
    const expected = items.reduce((sum, item) => sum + item.body.length + 160, 0)
    if (bytes > 0 && bytes + expected > options.segmentBytesMax) rotate()
    const lines = batchOf(expected)
    let place = { seq, hash }
    for (const { ms, body } of items) {
      const line = lines.add(lineOf(placeAfter(place, ms), body))
      place = { seq: place.seq + 1, hash: hashOf(line) }
    }
    put(lines.all())
    seq = place.seq
    hash = place.hash
  }

  function sign(fields: { readonly kind: string; readonly [field: string]: unknown }): void {
    const place = placeAfter({ seq, hash }, now())
    const line = signer.line(place, { ...fields, log })
    put(Buffer.from(`${line}\n`))
    seq = place.seq
    hash = hashOf(line)
    head = { seq, hash, timestamp: place.timestamp }
    replaceHead(folder, line, disk)
  }

  function put(buffer: Buffer): void {
    const written = writeSync(fd, buffer)
    bytes += written
    if (written < buffer.length) throw new Error('the disk took only part of an entry')
  }

  function rotate(): void {
    sign({ kind: 'checkpoint' })
    if (disk) fdatasyncSync(fd)
    const finished = fd
    segment = segmentAt(folder, seq + 1)
    fd = openSync(segment.file, 'a', 0o600)
    bytes = 0
    if (disk) syncFolder(folder)
    void flush.idle().then(() => closeSync(finished))
  }

  async function close(): Promise<void> {
    await flush.idle()
    closeSync(fd)
  }

  try {
    const mended = tail && recovery(folder, tail, gap)
    if (tail === undefined) sign({ kind: 'genesis', public_key: signer.pem })
    else if (mended !== undefined) sign({ kind: 'recovered', ...mended })
    if (disk) syncFolder(folder)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    end: () => ({ seq, hash, bytes, file: segment.file, head }),
    write,
    checkpoint: () => sign({ kind: 'checkpoint' }),
    flushed: flush.flushed,
    close,
  }
}

type Linked = { readonly seq: number; readonly hash: string }

/** Gives entries their places; many of them are of the same millisecond. */
function places(): (end: Linked, ms: number) => Place {
  let lastMs: number | undefined
  let timestamp = ''
  return (end, ms) => {
    if (ms !== lastMs) timestamp = new Date(ms).toISOString()
    lastMs = ms
    return { seq: end.seq + 1, timestamp, prev: end.hash }
  }
}

// The torn bytes are copied before they are cut, so that a crash in between loses nothing.
function trim(folder: string, segment: Segment, tail: Tail | undefined): void {
  if (tail === undefined) rmSync(segment.file, { force: true })
  if (tail?.torn === undefined) return
  const aside = tornFile(folder, tail.seq + 1, hashOf(tail.torn))
  writeFileSync(aside, tail.torn, { mode: 0o600, flush: true })
  truncateSync(segment.file, tail.bytes)
}

function recovery(folder: string, tail: Tail, gap: Gap | undefined): object | undefined {
  const torn = tornBefore(folder, tail.seq + 1)
  const { missing, head_lost } = tail
  if (torn.length === 0 && !missing && !head_lost && !gap) return undefined
  return {
    ...(torn.length > 0 ? { torn } : {}),
    ...(missing ? { missing } : {}),
    ...(head_lost ? { head_lost } : {}),
    ...gap,
  }
}

function replaceHead(folder: string, line: string, disk: boolean): void {
  const file = headFile(folder)
  writeFileSync(`${file}.new`, `${line}\n`, { mode: 0o600, flush: disk })
  renameSync(`${file}.new`, file)
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function logOf(line: Buffer): string {
  const { log }: { readonly log?: unknown } = JSON.parse(line.toString())
  return String(log)
}

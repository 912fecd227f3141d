import { closeSync, openSync, readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { hashOf, lineBytesMax } from './line.ts'
import { type Segment, segmentsIn } from './segments.ts'
import { clearStore, inTransaction } from './store.ts'
import { type Field, termsOf } from './terms.ts'

/** Feeds the index from the log. */
export interface Indexer {
  /** Takes in a bounded number of entries; false when there are no more. */
  advance(): boolean
}

/** A place in the log; segment 0 is its beginning. */
export type Position = { readonly segment: number; readonly offset: number; readonly seq: number }
/** Whole lines from a place on. */
export type Chunk = { readonly at: Position; readonly lines: readonly Buffer[] }

const linesMax = 500
const chunkBytes = 512 * 1024
const blockEntries = 1024
const newline = 10

/** Begins where the index ends; an index of another log, or of more than the log holds, is made anew. */
export function indexer(folder: string, database: DatabaseSync): Indexer {
  function advance(): boolean {
    const first = segmentsIn(folder)[0]
    return first !== undefined && inTransaction(database, () => step(logOf(first)))
  }

  function step(log: string): boolean {
    const row = database.prepare('select segment, offset, seq, log from position').get()
    if (row !== undefined && row['log'] !== log) return anew()
    const at = {
      segment: Number(row?.['segment'] ?? 0),
      offset: Number(row?.['offset'] ?? 0),
      seq: Number(row?.['seq'] ?? 0),
    }
    const chunk = nextChunk(segmentsIn(folder), at)
    if (chunk === 'gone') return anew()
    if (chunk === undefined) return false
    const end = store(chunk)
    if (end === undefined) return anew()
    database.exec('delete from position')
    database
      .prepare('insert into position values (?, ?, ?, ?)')
      .run(end.segment, end.offset, end.seq, log)
    return true
  }

  function anew(): boolean {
    clearStore(database)
    return true
  }

  function store({ at, lines }: Chunk): Position | undefined {
    const write = writer(database)
    let { offset, seq } = at
    for (const line of lines) {
      const entry = parsed(line)
      const number = Number(entry['seq'])
      // Entries that were lost to a power cut have their numbers used again.
      if (number <= seq) return undefined
      seq = number
      write.entry(entry, { segment: at.segment, offset, seq }, line.length)
      offset += line.length + 1
    }
    write.end()
    return { segment: at.segment, offset, seq }
  }

  return { advance }
}

function writer(database: DatabaseSync) {
  const find = database.prepare('select id from terms where field = ? and value = ?')
  const add = database.prepare('insert into terms (field, value, count) values (?, ?, 0)')
  const grow = database.prepare('update terms set count = count + ? where id = ?')
  const post = database.prepare('insert or ignore into postings values (?, ?)')
  const keep = database.prepare('insert into entries values (?, ?, ?, ?, ?, ?)')
  const index = database.prepare('insert into texts (rowid, text) values (?, ?)')
  const stretch = database.prepare(
    `insert into blocks values (?1, ?2, ?2) on conflict (block) do update
     set first_ms = min(first_ms, ?2), last_ms = max(last_ms, ?2)`,
  )
  const ids = new Map<string, number>()
  const counts = new Map<number, number>()

  function idOf(field: Field, value: string): number {
    const key = `${field}\0${value}`
    const known = ids.get(key) ?? find.get(field, value)?.['id']
    const id = Number(known ?? add.run(field, value).lastInsertRowid)
    ids.set(key, id)
    return id
  }

  return {
    entry(entry: Readonly<Record<string, unknown>>, at: Position, length: number): void {
      const { ms, decision, text, terms } = termsOf(entry)
      keep.run(at.seq, ms, at.segment, at.offset, length, decision ?? null)
      stretch.run(Math.floor(at.seq / blockEntries), ms)
      if (text !== undefined) index.run(at.seq, text)
      for (const [field, value] of terms) {
        const id = idOf(field, value)
        post.run(id, at.seq)
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    },
    end(): void {
      for (const [id, count] of counts) grow.run(count, id)
    },
  }
}

/** The entries in a stretch of time, by blocks: exact enough to skip the rest, whatever the clock did. */
export function rangeOf(database: DatabaseSync, fromMs: number, toMs: number) {
  const row = database
    .prepare(
      'select min(block) as first, max(block) as last from blocks where last_ms >= ? and first_ms < ?',
    )
    .get(fromMs, toMs)
  const { first, last } = row ?? {}
  if (typeof first !== 'number' || typeof last !== 'number') return undefined
  return { first: first * blockEntries, last: (last + 1) * blockEntries - 1 }
}

/** The next lines after a place, a bounded number of them; `gone` where the log no longer holds the place. */
export function nextChunk(segments: readonly Segment[], at: Position): Chunk | 'gone' | undefined {
  const index = at.segment === 0 ? 0 : segments.findIndex(({ first }) => first === at.segment)
  const segment = segments[index]
  if (segment === undefined) return at.segment === 0 ? undefined : 'gone'
  const place = { ...at, segment: segment.first }
  const lines = linesAt(segment.file, at.offset)
  if (lines === 'gone') return 'gone'
  if (lines.length > 0) return { at: place, lines }
  const next = segments[index + 1]
  if (next === undefined) return undefined
  const more = linesAt(next.file, 0)
  if (more === 'gone' || more.length === 0) return undefined
  return { at: { ...at, segment: next.first, offset: 0 }, lines: more }
}

function linesAt(file: string, offset: number): readonly Buffer[] | 'gone' {
  const fd = openSync(file, 'r')
  try {
    if (offset > 0 && readAt(fd, offset - 1, 1)[0] !== newline) return 'gone'
    const chunk = readAt(fd, offset, chunkBytes)
    const full = chunk.includes(newline) || chunk.length < chunkBytes
    return split(full ? chunk : readAt(fd, offset, lineBytesMax + 1))
  } finally {
    closeSync(fd)
  }
}

function split(chunk: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  let at = 0
  for (
    let end = chunk.indexOf(newline);
    end >= 0 && lines.length < linesMax;
    end = chunk.indexOf(newline, at)
  ) {
    lines.push(chunk.subarray(at, end))
    at = end + 1
  }
  return lines
}

/** Bytes of a file from an offset on, as many as there are. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  return buffer.subarray(0, readSync(fd, buffer, 0, length, offset))
}

/** A line as an entry; what cannot be read has no fields, for verifying is not the index's task. */
export function parsed(line: Buffer): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(line.toString()) }
  } catch {
    return {}
  }
}

// The first line names the log, as nobody can make another with its hash.
function logOf(first: Segment): string {
  const lines = linesAt(first.file, 0)
  return lines === 'gone' || lines[0] === undefined ? '' : hashOf(lines[0])
}

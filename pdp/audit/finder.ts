import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { indexer, parsed, rangeOf, readAt } from './indexer.ts'
import { type AuditQuery, type Knowledge, sqlOf } from './query.ts'
import { segmentAt } from './segments.ts'
import { openStore } from './store.ts'

export type AuditPage = {
  /** Newest first, as they stand in the log. */
  readonly entries: readonly Readonly<Record<string, unknown>>[]
  /** Where the next page begins; absent on the last. */
  readonly cursor?: string
}

/** Finds entries of a log. Blocks while it works: a gate uses it through openSearch. */
export interface Finder {
  /** Takes in a bounded number of new entries; false when there are no more. */
  advance(): boolean
  /** Throws Refusal `bad_request`. */
  find(query: AuditQuery): AuditPage
  close(): void
}

type Hit = {
  readonly seq: number
  readonly segment: number
  readonly offset: number
  readonly length: number
}

const pageBytesMax = 16 * 1024 * 1024
const limitMax = 1000

/** Opens the index that lies in the log's folder. */
export function openFinder(folder: string): Finder {
  const database = openStore(join(folder, 'index.db'))
  const { advance } = indexer(folder, database)
  const known = knowledge(database)

  function find(query: AuditQuery): AuditPage {
    const limit = Math.max(1, Math.min(query.limit, limitMax))
    const sql = sqlOf({ ...query, limit }, known)
    if (sql === undefined) return { entries: [] }
    const hits = database
      .prepare(sql.text)
      .all(...sql.values)
      .map(hitOf)
    const shown = withinBytes(hits.slice(0, limit))
    const last = shown.at(-1)
    const more = last !== undefined && shown.length < hits.length
    return { entries: read(folder, shown), ...(more ? { cursor: String(last.seq) } : {}) }
  }

  return { advance, find, close: () => database.close() }
}

function knowledge(database: DatabaseSync): Knowledge {
  const term = database.prepare('select id, count from terms where field = ? and value = ?')
  return {
    term(field, value) {
      const row = term.get(field, value)
      return row && { id: Number(row['id']), count: Number(row['count']) }
    },
    range: (fromMs, toMs) => rangeOf(database, fromMs, toMs),
  }
}

function hitOf(row: Readonly<Record<string, unknown>>): Hit {
  const { seq, segment, offset, length } = row
  return {
    seq: Number(seq),
    segment: Number(segment),
    offset: Number(offset),
    length: Number(length),
  }
}

// A page holds at least one entry, however long.
function withinBytes(hits: readonly Hit[]): readonly Hit[] {
  let bytes = 0
  return hits.filter(({ length }, index) => {
    bytes += length
    return index === 0 || bytes <= pageBytesMax
  })
}

// From the log itself: the index only knows where an entry is, never what it says.
function read(folder: string, hits: readonly Hit[]): AuditPage['entries'] {
  const files = new Map<number, number>()
  try {
    return hits.map(({ seq, segment, offset, length }) => {
      const fd = files.get(segment) ?? openSync(segmentAt(folder, segment).file, 'r')
      files.set(segment, fd)
      const entry = parsed(readAt(fd, offset, length))
      return entry['seq'] === seq ? entry : { seq, unreadable: true }
    })
  } finally {
    for (const fd of files.values()) closeSync(fd)
  }
}

import { Refusal } from '../refusal.ts'
import type { Field } from './terms.ts'

/** What to look for; all conditions must hold. Times in milliseconds since the epoch, `toMs` excluded. */
export type AuditQuery = {
  /** Who was accountable, acted for them, or reviewed. */
  readonly subject?: string | undefined
  readonly resource?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  /** A decision's effect (`deny`) or a command's (`write`). */
  readonly effect?: string | undefined
  readonly rule?: string | undefined
  readonly object?: string | undefined
  /** Words of the statement, all of them; `custom*` for words that begin so. */
  readonly text?: string | undefined
  readonly session?: string | undefined
  readonly decision?: string | undefined
  readonly kind?: string | undefined
  /** From 1 to 1000. */
  readonly limit: number
  readonly cursor?: string | undefined
}

/** One statement for SQLite. */
export type Sql = { readonly text: string; readonly values: readonly (string | number)[] }

/** What the index knows that a query needs. */
export type Knowledge = {
  /** The term's number and how many entries have it; undefined where none has. */
  term(field: Field, value: string): { readonly id: number; readonly count: number } | undefined
  /** Entries outside these numbers are outside the time range. */
  range(fromMs: number, toMs: number): { readonly first: number; readonly last: number } | undefined
}

const termFields = ['subject', 'resource', 'effect', 'rule', 'object', 'session', 'kind'] as const
const wordsMax = 20

/** The statement that finds a page, newest first; undefined when nothing can match. Throws Refusal `bad_request`. */
export function sqlOf(query: AuditQuery, known: Knowledge): Sql | undefined {
  const terms = termFields.flatMap((field) => {
    const value = query[field]
    return value === undefined ? [] : [known.term(field, value)]
  })
  const { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER } = query
  const range = known.range(fromMs, toMs)
  if (range === undefined || terms.includes(undefined)) return undefined
  const rarest = terms
    .flatMap((term) => (term === undefined ? [] : [term]))
    .toSorted((one, two) => one.count - two.count)
  const last = Math.min(range.last, before(query.cursor) - 1)
  const driver = driverOf(query, rarest[0]?.id)
  // Each condition but the first is looked up for the entries the first one finds.
  const others = rarest.slice(driver.usesTerm ? 1 : 0)
  const lookups = others.map(
    () => 'and exists (select 1 from postings where term = ? and seq = d.seq)',
  )
  return {
    text: `select e.seq, e.segment, e.offset, e.length
      from (${driver.text}) d cross join entries e on e.seq = d.seq
      where e.ms >= ? and e.ms < ? ${query.decision === undefined ? '' : 'and e.decision = ?'}
      ${lookups.join(' ')} order by d.seq desc limit ?`,
    values: [
      ...driver.values,
      range.first,
      last,
      fromMs,
      toMs,
      ...(query.decision === undefined ? [] : [query.decision]),
      ...others.map(({ id }) => id),
      query.limit + 1,
    ],
  }
}

function driverOf(query: AuditQuery, rarest: number | undefined): Sql & { usesTerm: boolean } {
  if (query.decision !== undefined) {
    const text = 'select seq from entries where decision = ? and seq >= ? and seq <= ?'
    return { text, values: [query.decision], usesTerm: false }
  }
  if (query.text !== undefined) {
    const text = 'select rowid as seq from texts where texts match ? and rowid >= ? and rowid <= ?'
    return { text, values: [matchOf(query.text)], usesTerm: false }
  }
  if (rarest !== undefined) {
    const text = 'select seq from postings where term = ? and seq >= ? and seq <= ?'
    return { text, values: [rarest], usesTerm: true }
  }
  return {
    text: 'select seq from entries where seq >= ? and seq <= ?',
    values: [],
    usesTerm: false,
  }
}

/** Words for FTS5, each a quoted phrase, so that nothing in them is syntax. Throws Refusal `bad_request`. */
export function matchOf(text: string): string {
  const words = text
    .replaceAll('\0', ' ')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
  if (words.length === 0 || words.length > wordsMax) {
    throw new Refusal('bad_request', `text to look for has from 1 to ${wordsMax} words`)
  }
  return words
    .map((word) => {
      const phrase = `"${word.replaceAll('"', '""')}"`
      return word.endsWith('*') ? `${phrase}*` : phrase
    })
    .join(' ')
}

function before(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new Refusal('bad_request', 'the cursor is not one of this search')
}

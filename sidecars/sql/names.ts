import type { Relation } from './catalogue.ts'
import { type Book, type Entry, type Ref, type Settled, settle } from './settled.ts'

export type { Entry, Ref, Settled } from './settled.ts'

/**
 * Which stored columns a name may mean, over a whole statement at once. Scopes are not told apart: a name means every column
 * of that name anywhere in the statement, and every name a subquery gives to something means all that went into it. So the
 * answer may hold too much and never too little.
 */
export interface Names {
  /** A stored relation under its alias; `renamed` are the column names an alias list gives. */
  entry(relation: Relation, alias: string | undefined, renamed: readonly string[]): Entry
  /** The statement goes through its rows, whatever it shows of them. */
  scanned(entry: Entry): void
  /** Another name for an entry, such as `excluded`, `old` and `new`. */
  also(alias: string, entry: Entry): void
  /** An alias of something that is no stored relation. */
  derived(alias: string): void
  /** A name of something whose contents were counted where they were read, such as a function's column. */
  free(name: string): void
  /** Any name may be such a name. */
  expectAny(): void
  /** A reference by its parts. */
  use(parts: readonly string[]): Ref
  /** All columns of these entries; `open` when something that is no stored relation is among them. */
  star(entries: readonly Entry[], open: boolean): Ref
  /** The subquery's output `name` is made of these references. */
  gives(name: string, refs: readonly Ref[]): void
  decide(refs: Iterable<Ref>): void
  decideAll(): void
  /** How many references there are; `since` gives those added after. */
  mark(): number
  since(mark: number): readonly Ref[]
  /** Works out what was recorded. Nothing may be recorded afterwards. */
  settle(): Settled
}

/** More references than this are not read; PostgreSQL shows at most 1,664 columns at a time. */
const REFS_MAX = 100_000

/** Starts with no name known. What it records it may refuse with a RangeError: a statement of too many references. */
export function names(): Names {
  const book: Book = {
    entries: [],
    scanned: new Set(),
    aliases: new Map(),
    derived: new Set(),
    freed: new Set(),
    given: new Map(),
    refs: [],
    decided: new Set(),
    any: false,
    all: false,
  }
  const { entries, refs } = book
  const record = (ref: Ref) => {
    if (refs.length >= REFS_MAX) throw new RangeError(`more than ${REFS_MAX} references`)
    refs.push(ref)
    return ref
  }
  return {
    entry: (relation, alias, renamed) => {
      const columns = relation.columns.map((column, i) => renamed[i] ?? column.name)
      const entry = { relation, alias: alias ?? relation.name, columns }
      entries.push(entry)
      append(book.aliases, entry.alias, entry)
      return entry
    },
    scanned: (entry) => void book.scanned.add(entry.relation),
    also: (alias, entry) => append(book.aliases, alias, entry),
    derived: (alias) => void book.derived.add(alias),
    free: (name) => void book.freed.add(name),
    expectAny: () => {
      book.any = true
    },
    use: (parts) => record({ parts }),
    star: (list, open) => record({ parts: ['*'], star: { entries: list, open } }),
    gives: (name, list) => append(book.given, name, ...list),
    decide: (list) => {
      for (const ref of list) book.decided.add(ref)
    },
    decideAll: () => {
      book.all = true
    },
    mark: () => refs.length,
    since: (mark) => refs.slice(mark),
    settle: () => settle(book),
  }
}

function append<T>(map: Map<string, T[]>, key: string, ...values: readonly T[]): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [...values])
  else for (const value of values) list.push(value)
}

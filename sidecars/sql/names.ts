import type { Catalogue, Column, Relation, Sources } from './catalogue.ts'
import { isView } from './catalogue.ts'

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

export type Entry = {
  readonly relation: Relation
  readonly alias: string
  readonly columns: readonly string[]
}

/** One reference. Compared by identity. */
export type Ref = {
  readonly parts: readonly string[]
  readonly star?: { readonly entries: readonly Entry[]; readonly open: boolean }
}

export type Settled = {
  /** Columns read, by relation. */
  readonly read: ReadonlyMap<Relation, ReadonlySet<Column>>
  /** Columns that decide something, by relation. */
  readonly decides: ReadonlyMap<Relation, ReadonlySet<Column>>
  /** Names that mean nothing here. */
  readonly unknown: readonly string[]
  /** Where the values of these references come from. */
  sources(refs: readonly Ref[], catalogue: Catalogue): Sources
}

/** Columns every table has without declaring them. */
const system = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** A reference's possible meanings. */
type Meaning = {
  readonly columns: readonly (readonly [Relation, Column])[]
  /** Names of subquery outputs it may mean. */
  readonly given: readonly string[]
  /** It may be a row of all that the statement reads. */
  readonly everything: boolean
  /** It holds what was counted elsewhere. */
  readonly vague?: boolean
  readonly known: boolean
}

const nothing: Meaning = { columns: [], given: [], everything: false, known: true }

/** All that was recorded. */
type Book = {
  readonly entries: Entry[]
  readonly scanned: Set<Relation>
  readonly aliases: Map<string, Entry[]>
  readonly derived: Set<string>
  readonly freed: Set<string>
  readonly given: Map<string, Ref[]>
  readonly refs: Ref[]
  readonly decided: Set<Ref>
  any: boolean
  all: boolean
}

/** Starts with no name known. */
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
  else list.push(...values)
}

function settle(book: Book): Settled {
  const meanings = book.refs.map((ref) => meaning(book, ref))
  const read = byRelation(meanings)
  for (const relation of book.scanned) if (!read.has(relation)) read.set(relation, new Set())
  const deciding = book.all ? meanings : flow(book, book.decided)
  const decides = deciding.some((one) => one.everything) ? read : byRelation(deciding)
  const unknown = book.refs.filter((_, i) => meanings[i]?.known === false)
  return {
    read,
    decides,
    unknown: [...new Set(unknown.map((ref) => ref.parts.join('.')))],
    sources: (refs, catalogue) => {
      const flowing = flow(book, refs)
      const everything = flowing.some((one) => one.everything || one.vague)
      return traced(everything ? meanings : flowing, catalogue)
    },
  }
}

function meaning(book: Book, ref: Ref): Meaning {
  if (ref.star !== undefined) {
    const columns = ref.star.entries.flatMap(whole)
    return { columns, given: [], everything: ref.star.open, known: true }
  }
  const name = ref.parts[ref.parts.length - 1] ?? ''
  const qualifier = ref.parts[ref.parts.length - 2]
  return qualifier === undefined ? bare(book, name) : qualified(book, qualifier, name)
}

function bare(book: Book, name: string): Meaning {
  // A relation's alias by itself is its row.
  const rows = (book.aliases.get(name) ?? []).flatMap(whole)
  const columns = [...book.entries.flatMap((one) => named(one, name)), ...rows]
  const everything = book.derived.has(name)
  const vague = book.freed.has(name)
  if (columns.length > 0 || everything || book.given.has(name) || book.aliases.has(name)) {
    return { columns, given: [name], everything, vague, known: true }
  }
  if (system.has(name)) return nothing
  return { ...nothing, vague: true, known: book.any || vague }
}

function qualified(book: Book, qualifier: string, name: string): Meaning {
  const own = book.aliases.get(qualifier) ?? []
  const derived = book.derived.has(qualifier)
  const vague = book.freed.has(qualifier)
  const known = book.any || derived || vague
  const row = { columns: own.flatMap(whole), given: [], everything: derived }
  if (name === '*') return { ...row, vague, known: known || own.length > 0 }
  // Through `select *` a subquery shows columns under their own name, wherever they come from.
  const columns = (derived ? book.entries : own).flatMap((one) => named(one, name))
  if (columns.length > 0 || (derived && book.given.has(name))) {
    return { columns, given: derived ? [name] : [], everything: false, vague, known: true }
  }
  if (system.has(name)) return nothing
  // `t.f` may be `f(t)`: the whole row goes in.
  return { ...row, vague: true, known }
}

/** What flows into these references, through every name a subquery gave. */
function flow(book: Book, start: Iterable<Ref>): readonly Meaning[] {
  const meanings: Meaning[] = []
  const seen = new Set<string>()
  const waiting = [...start]
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    const one = meaning(book, ref)
    meanings.push(one)
    for (const name of one.given) {
      if (seen.has(name)) continue
      seen.add(name)
      waiting.push(...(book.given.get(name) ?? []))
    }
  }
  return meanings
}

function named(entry: Entry, name: string): Meaning['columns'] {
  const { relation } = entry
  return entry.columns.flatMap((one, i) => {
    const column = relation.columns[i]
    return one === name && column !== undefined ? [[relation, column] as const] : []
  })
}

function whole(entry: Entry): Meaning['columns'] {
  return entry.relation.columns.map((column) => [entry.relation, column] as const)
}

function byRelation(meanings: readonly Meaning[]): Map<Relation, Set<Column>> {
  const found = new Map<Relation, Set<Column>>()
  for (const { columns } of meanings) {
    for (const [relation, column] of columns) {
      const set = found.get(relation)
      if (set === undefined) found.set(relation, new Set([column]))
      else set.add(column)
    }
  }
  return found
}

function traced(meanings: readonly Meaning[], catalogue: Catalogue): Sources {
  const sources = new Set<string>()
  let exact = meanings.length === 1
  for (const one of meanings) {
    if (one.columns.length !== 1 || one.everything || one.vague) exact = false
    for (const [relation, column] of one.columns) {
      const origin = columnSources(catalogue, relation, column)
      if (!origin.exact) exact = false
      for (const source of origin.sources) sources.add(source)
    }
  }
  return { sources: [...sources], exact }
}

/** Where a stored column's or a view's column's values come from, itself included. */
export function columnSources(catalogue: Catalogue, relation: Relation, column: Column): Sources {
  const alone = relation.children.length === 0 && relation.parents.length === 0
  if (alone && !isView(relation) && column.from === undefined) {
    return { sources: [`${relation.full}.${column.name}`], exact: true }
  }
  const known = catalogue.column(relation.oid, column.number)
  if (known !== undefined) return known
  const below = catalogue
    .below(relation)
    .flatMap((one) => one.columns.map(({ name }) => `${one.full}.${name}`))
  return { sources: [`${relation.full}.${column.name}`, ...below], exact: false }
}

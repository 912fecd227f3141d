import { type Catalogue, type Column, isView, type Relation, type Sources } from './catalogue.ts'

/** A stored relation under one alias; `columns` are its names there, in the order of the relation's. */
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

/** All that is recorded of the names in a statement. */
export type Book = {
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

/** Columns every table has without declaring them. */
const system = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** A reference's possible meanings. */
type Meaning = {
  readonly columns: Found
  /** Names of subquery outputs it may mean. */
  readonly given: readonly string[]
  /** It may be a row of all that the statement reads. */
  readonly everything: boolean
  /** It holds what was counted elsewhere. */
  readonly vague?: boolean
  /** It is a row, not the value of a column. */
  readonly row?: boolean
  readonly known: boolean
}

const nothing: Meaning = { columns: [], given: [], everything: false, known: true }

/** Works out what the names in a statement may mean. */
export function settle(book: Book): Settled {
  const index = indexOf(book)
  const meanings = book.refs.map((ref) => meaning(index, ref))
  const read = byRelation(meanings)
  for (const relation of book.scanned) if (!read.has(relation)) read.set(relation, new Set())
  const deciding = book.all ? meanings : flow(index, book.decided)
  const decides = deciding.some((one) => one.everything) ? read : byRelation(deciding)
  const unknown = book.refs.filter((_, i) => meanings[i]?.known === false)
  let all: Sources | undefined
  return {
    read,
    decides,
    unknown: [...new Set(unknown.map((ref) => ref.parts.join('.')))],
    sources: (refs, catalogue) => {
      const flowing = flow(index, refs)
      if (flowing.some((one) => one.everything || one.vague)) {
        all ??= { ...traced(meanings, catalogue), exact: false }
        return all
      }
      return traced(flowing, catalogue)
    },
  }
}

type Found = readonly (readonly [Relation, Column])[]

/** The book, with every column found by its name: a statement may hold thousands of both. */
type Index = Pick<Book, 'aliases' | 'derived' | 'freed' | 'given' | 'any'> & {
  readonly columns: ReadonlyMap<string, Found>
  readonly under: ReadonlyMap<string, ReadonlyMap<string, Found>>
  readonly rows: ReadonlyMap<string, Found>
}

function indexOf(book: Book): Index {
  const under = new Map<string, ReadonlyMap<string, Found>>()
  const rows = new Map<string, Found>()
  for (const [alias, entries] of book.aliases) {
    under.set(alias, columnsOf(entries))
    rows.set(alias, [...new Set(entries.map((one) => one.relation))].flatMap(whole))
  }
  return { ...book, columns: columnsOf(book.entries), under, rows }
}

function columnsOf(entries: readonly Entry[]): ReadonlyMap<string, Found> {
  const found = new Map<string, Map<Column, readonly [Relation, Column]>>()
  for (const { relation, columns } of entries) {
    for (const [i, name] of columns.entries()) {
      const column = relation.columns[i]
      if (column === undefined) continue
      const known = found.get(name)
      if (known === undefined) found.set(name, new Map([[column, [relation, column]]]))
      else known.set(column, [relation, column])
    }
  }
  return new Map(Array.from(found, ([name, columns]) => [name, [...columns.values()]]))
}

function whole(relation: Relation): Found {
  return relation.columns.map((column) => [relation, column] as const)
}

const none: Found = []

function meaning(index: Index, ref: Ref): Meaning {
  if (ref.star !== undefined) {
    const columns = ref.star.entries.flatMap((one) => whole(one.relation))
    return { columns, given: [], everything: ref.star.open, row: true, known: true }
  }
  const name = ref.parts[ref.parts.length - 1] ?? ''
  const qualifier = ref.parts[ref.parts.length - 2]
  return qualifier === undefined ? bare(index, name) : qualified(index, qualifier, name)
}

function bare(index: Index, name: string): Meaning {
  // A relation's alias by itself is its row.
  const rows = index.rows.get(name) ?? none
  const named = index.columns.get(name) ?? none
  const columns = rows.length === 0 ? named : [...named, ...rows]
  const everything = index.derived.has(name)
  const vague = index.freed.has(name)
  const row = rows.length > 0
  if (columns.length > 0 || everything || index.given.has(name) || index.aliases.has(name)) {
    return { columns, given: [name], everything, vague, row, known: true }
  }
  if (system.has(name)) return nothing
  return { ...nothing, vague: true, known: index.any || vague }
}

function qualified(index: Index, qualifier: string, name: string): Meaning {
  const rows = index.rows.get(qualifier) ?? none
  const derived = index.derived.has(qualifier)
  const vague = index.freed.has(qualifier)
  const known = index.any || derived || vague
  const row = { columns: rows, given: [], everything: derived, row: true }
  if (name === '*') return { ...row, vague, known: known || index.aliases.has(qualifier) }
  // Through `select *` a subquery shows columns under their own name, wherever they come from.
  const own = derived ? index.columns : index.under.get(qualifier)
  const columns = own?.get(name) ?? none
  if (columns.length > 0 || (derived && index.given.has(name))) {
    return { columns, given: derived ? [name] : [], everything: false, vague, known: true }
  }
  if (system.has(name)) return nothing
  // `t.f` may be `f(t)`: the whole row goes in.
  return { ...row, vague: true, known }
}

/** What flows into these references, through every name a subquery gave. */
function flow(index: Index, start: Iterable<Ref>): readonly Meaning[] {
  const meanings: Meaning[] = []
  const seen = new Set<string>()
  const waiting = [...start]
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    const one = meaning(index, ref)
    meanings.push(one)
    for (const name of one.given) {
      if (seen.has(name)) continue
      seen.add(name)
      for (const inner of index.given.get(name) ?? []) waiting.push(inner)
    }
  }
  return meanings
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
    if (one.columns.length !== 1 || one.everything || one.vague || one.row) exact = false
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

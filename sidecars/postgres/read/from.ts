import type {
  Alias,
  JoinExpr,
  JsonTable,
  Node,
  RangeFunction,
  RangeSubselect,
  RangeTableFunc,
  RangeTableSample,
  RangeVar,
} from 'libpg-query'
import type { Entry, Ref } from '../../sql/names.ts'
import { as, below, open, words } from './ast.ts'
import {
  type At,
  COLUMNS_MAX,
  type Columns,
  deciding,
  fullName,
  type Reading,
  relationOf,
  type Shown,
} from './reading.ts'

/** One item of FROM: the stored relations in it, whether there is anything else, and what `*` shows of it. */
export type Item = {
  readonly entries: readonly Entry[]
  readonly open: boolean
  /** Undefined where the columns cannot be told. Asking counts as reading them. */
  columns(): Columns
}

const nothing: Item = { entries: [], open: true, columns: () => undefined }

/** Reads one item of FROM: everything it refers to is in scope from then on. */
export function fromItem(reading: Reading, node: Node | undefined, at: At): Item {
  const opened = node === undefined ? undefined : open(node)
  if (opened === undefined) return nothing
  const { kind, body } = opened
  switch (kind) {
    case 'RangeVar':
      return range(reading, body, at)
    case 'RangeSubselect':
      return subselect(reading, body, at)
    case 'JoinExpr':
      return join(reading, body, at)
    case 'RangeFunction':
      return functions(reading, body, at)
    case 'RangeTableSample':
      return sample(reading, body, at)
    case 'RangeTableFunc':
    case 'JsonTable':
      return table(reading, body, at)
  }
  reading.facts.doubt(`${kind} is not understood`)
  return nothing
}

/** All items together, as `*` sees them. */
export function together(items: readonly Item[]): Item {
  return {
    entries: items.flatMap((one) => one.entries),
    open: items.some((one) => one.open),
    columns: () => {
      const columns: Shown[] = []
      for (const one of items) {
        const some = one.columns()
        if (some === undefined || columns.length + some.length > COLUMNS_MAX) return undefined
        columns.push(...some)
      }
      return columns
    },
  }
}

function range(reading: Reading, body: RangeVar, at: At): Item {
  const { names, facts } = reading
  const renamed = words(body.alias?.colnames)
  for (let cte = body.schemaname ? undefined : at.ctes; cte !== undefined; cte = cte.outer) {
    if (cte.name === body.relname) {
      return derived(reading, cte.columns, body.alias ?? { aliasname: cte.name })
    }
  }
  const relation = relationOf(reading, body)
  if (relation === undefined) {
    facts.touch('table', fullName(reading, body), 'read')
    facts.effect('read')
    names.derived(body.alias?.aliasname ?? body.relname ?? '')
    names.expectAny()
    return nothing
  }
  facts.effect('read')
  const entry = names.entry(relation, body.alias?.aliasname, renamed)
  names.scanned(entry)
  return { entries: [entry], open: false, columns: () => stored(reading, entry) }
}

/** What `*` shows of a stored relation. */
export function stored({ names }: Reading, entry: Entry): Columns {
  return entry.columns.map((name) => ({
    name,
    refs: [names.use([entry.alias, name])],
    plain: true,
  }))
}

function subselect(reading: Reading, body: RangeSubselect, at: At): Item {
  const renames = body.alias?.colnames !== undefined
  const query = body.subquery
  const columns = query && reading.query(query, renames ? deciding(at) : at)
  return derived(reading, columns, body.alias)
}

/** Something that is no stored relation, under an alias. New names for its columns make all of them decide. */
function derived(reading: Reading, columns: Columns, alias: Alias | undefined): Item {
  const { names } = reading
  const renamed = words(alias?.colnames)
  if (alias?.aliasname !== undefined) names.derived(alias.aliasname)
  if (renamed.length > 0) {
    if (columns === undefined) names.decideAll()
    for (const one of columns ?? []) names.decide(one.refs)
    for (const name of renamed) names.free(name)
  }
  const shown = columns?.map((one, i) => ({ ...one, name: renamed[i] ?? one.name }))
  return { entries: [], open: true, columns: () => shown }
}

function functions(reading: Reading, body: RangeFunction, at: At): Item {
  const { names } = reading
  for (const one of body.functions ?? []) {
    const [call] = as(one, 'List')?.items ?? []
    reading.expression(call, deciding(at))
  }
  if (body.alias?.aliasname !== undefined) names.free(body.alias.aliasname)
  names.expectAny()
  return nothing
}

function sample(reading: Reading, body: RangeTableSample, at: At): Item {
  for (const one of body.args ?? []) reading.expression(one, deciding(at))
  reading.expression(body.repeatable, deciding(at))
  return fromItem(reading, body.relation, at)
}

function table(reading: Reading, body: RangeTableFunc | JsonTable, at: At): Item {
  below(body, (one) => reading.expression(one, deciding(at)))
  if (body.alias?.aliasname !== undefined) reading.names.free(body.alias.aliasname)
  reading.names.expectAny()
  return nothing
}

function join(reading: Reading, body: JoinExpr, at: At): Item {
  const { names } = reading
  const left = fromItem(reading, body.larg, at)
  const right = fromItem(reading, body.rarg, at)
  const both = together([left, right])
  const using = body.isNatural ? common(left, right) : words(body.usingClause)
  if (using === undefined) {
    names.decide([names.star(both.entries, true)])
    names.decideAll()
  }
  const merged = using?.map((name) => names.use([name])) ?? []
  names.decide(merged)
  reading.expression(body.quals, deciding(at))
  joinAlias(reading, body.join_using_alias, both)
  joinAlias(reading, body.alias, both)
  if (body.alias?.colnames !== undefined) {
    names.decide([names.star(both.entries, both.open)])
    for (const name of words(body.alias.colnames)) names.free(name)
    return { ...both, columns: () => undefined }
  }
  return { ...both, columns: () => joined(left, right, using, merged) }
}

/** A join's alias means a row of all that is in it. */
function joinAlias({ names }: Reading, alias: Alias | undefined, item: Item): void {
  if (alias?.aliasname === undefined) return
  for (const entry of item.entries) names.also(alias.aliasname, entry)
  if (item.open) names.derived(alias.aliasname)
}

/** Names on both sides; undefined where a side is not known. */
function common(left: Item, right: Item): readonly string[] | undefined {
  if (left.open || right.open) return undefined
  const names = new Set(right.entries.flatMap((one) => one.columns))
  return [...new Set(left.entries.flatMap((one) => one.columns))].filter((name) => names.has(name))
}

/** What `*` shows of a join: merged columns first, then what is left of each side. */
function joined(
  left: Item,
  right: Item,
  using: readonly string[] | undefined,
  merged: readonly Ref[],
): Columns {
  const first = left.columns()
  const second = right.columns()
  if (first === undefined || second === undefined || using === undefined) return undefined
  const rest = [...first, ...second].filter((one) => !using.includes(one.name))
  const shown = using.map((name, i) => {
    const ref = merged[i]
    return { name, refs: ref === undefined ? [] : [ref], plain: false }
  })
  return [...shown, ...rest]
}

import { type Body, name } from './build.ts'
import { holders, type Item, inSight, named, qualified } from './scope.ts'
import { type At, bodyOf, inexact, listOf, namesOf, type Work } from './work.ts'

/** Columns every stored row has, and a query does not (PostgreSQL 5.6). */
const system = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** A reference as it must read once queries stand in for relations. Throws Refusal where it would mean something else. */
export function reference(body: Body, at: At): Body {
  const parts = namesOf(body['fields'])
  if (parts.length === 1) bare(parts[0] ?? '', at)
  else if (parts.length === 2) ofItem(named(at.scope, parts[0] ?? ''), parts[1] ?? '')
  else return long(body, parts, at)
  return body
}

function bare(part: string, at: At): void {
  if (part === '*') {
    for (const item of at.scope?.items ?? []) guardedWhole(item)
    return
  }
  const found = holders(at.scope, part)
  for (const item of found) guarded(item, part)
  if (found.length > 0) return
  if (system.has(part)) {
    for (const item of inSight(at.scope)) if (item.replaced) throw systemColumn(item, part)
  }
  const item = named(at.scope, part)
  if (item !== undefined) {
    guardedWhole(item)
    ownNames(item)
  }
}

function ofItem(item: Item | undefined, part: string): void {
  if (item === undefined) return
  if (part === '*') {
    guardedWhole(item)
    return
  }
  guarded(item, part)
  if (!item.replaced || item.columns?.includes(part)) return
  if (system.has(part)) throw systemColumn(item, part)
  throw inexact(
    `${item.name}.${part} is no column: a function would be given a row`,
    'Name the columns it needs.',
  )
}

/** `schema.table.column`: a query that stands for the table is known by its last name only. */
function long(body: Body, parts: readonly string[], at: At): Body {
  const [schema = '', relation = '', part = ''] = parts.slice(-3)
  const item = qualified(at.scope, `${schema}.${relation}`)
  ofItem(item, part)
  if (!item?.replaced) return body
  if (named(at.scope, relation) !== item)
    throw inexact(`two relations are called ${relation}`, 'Give each an alias of its own.')
  return { ...body, fields: [name(relation), ...listOf(body['fields']).slice(-1)] }
}

function guarded(item: Item, part: string): void {
  if (item.guarded?.has(part))
    throw inexact(
      `${item.name}.${part} is protected and decides about, or shows, what is written`,
      'Leave it out of WHERE, SET and RETURNING.',
    )
}

function guardedWhole(item: Item): void {
  if (item.guarded !== undefined && item.guarded.size > 0)
    throw inexact(
      `the whole row of ${item.name} holds protected columns`,
      'Name the columns in RETURNING that are not protected.',
    )
}

/** The row of a table keeps the names its columns have there. */
function ownNames(item: Item | undefined): void {
  if (item?.replaced && item.renamed === true)
    throw inexact(
      `the whole row of ${item.name} has other column names than its alias gives`,
      'Name its columns, or leave the list of column names out of the alias.',
    )
}

function systemColumn(item: Item, part: string): Error {
  return inexact(`${item.name} has protected columns, and its ${part} cannot be shown`)
}

/** A function somebody made must not be given the row of a relation that a query stands for: its type is another one. */
export function call(work: Work, body: Body, at: At): void {
  const rows = listOf(body['args']).filter((arg) => isRow(arg, at))
  if (rows.length === 0) return
  for (const row of rows) ownNames(rowOf(row, at))
  const parts = namesOf(body['funcname'])
  const last = parts.at(-1) ?? ''
  const { catalogue, searchPath } = work.sealing
  const meant = catalogue.functions(last, parts.at(-2), searchPath)
  if (meant.length === 0 || meant.some(({ schema }) => schema !== 'pg_catalog'))
    throw inexact(
      `${last} would be given a row with protected columns`,
      'Name the columns it needs.',
    )
}

/** `(row).name` is a call where there is no column of that name. */
export function indirection(body: Body, at: At): void {
  const item = rowOf(body['arg'], at)
  const [part] = namesOf(body['indirection'])
  if (item !== undefined && part !== undefined && part !== '') ofItem(item, part)
}

const isRow = (node: unknown, at: At): boolean => rowOf(node, at) !== undefined

/** The replaced relation whose whole row this is. */
function rowOf(node: unknown, at: At): Item | undefined {
  const reference = bodyOf(node, 'ColumnRef')
  if (reference === undefined) return undefined
  const parts = namesOf(reference['fields'])
  const name = parts.filter((part) => part !== '*').at(-1) ?? ''
  if (parts.length === 1 && holders(at.scope, name).length > 0) return undefined
  if (parts.length === 2 && parts[1] !== '*') return undefined
  const item = named(at.scope, name)
  return item?.replaced ? item : undefined
}

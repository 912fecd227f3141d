import type { CommonTableExpr, Node, SelectStmt, WithClause } from 'libpg-query'
import type { Ref } from '../../sql/names.ts'
import { as, type Opened, open, words } from './ast.ts'
import { touchRelation } from './define.ts'
import { fromItem, type Item, together } from './from.ts'
import { type At, type Columns, deciding, type Reading } from './reading.ts'
import { given, targets } from './targets.ts'
import { insert, merge, remove, update } from './writes.ts'

/** Reads a query wherever it stands, and answers its output columns. */
export function query(reading: Reading, node: Node, at: At): Columns {
  const opened = open(node)
  if (opened?.kind === 'SelectStmt') return select(reading, opened.body, at)
  const columns = opened && written(reading, opened, at)
  given(reading, columns)
  return columns
}

function written(reading: Reading, { kind, body }: Opened, at: At): Columns {
  switch (kind) {
    case 'InsertStmt':
      return insert(reading, body, inside(reading, body.withClause, at))
    case 'UpdateStmt':
      return update(reading, body, inside(reading, body.withClause, at))
    case 'DeleteStmt':
      return remove(reading, body, inside(reading, body.withClause, at))
    case 'MergeStmt':
      return merge(reading, body, inside(reading, body.withClause, at))
  }
  reading.facts.doubt(`${kind} is not understood`)
  return undefined
}

/** Inside a statement that writes, everything decides but what it returns. */
function inside(reading: Reading, clause: WithClause | undefined, at: At): At {
  return { place: at.place, ctes: scoped(reading, clause, deciding(at)).ctes }
}

function select(reading: Reading, body: SelectStmt, outer: At): Columns {
  if (body.valuesLists === undefined) reading.facts.kind('select')
  const into = body.intoClause?.rel
  if (into !== undefined) {
    reading.facts.kind('create_table_as')
    reading.facts.effect('define', 'write')
    touchRelation(reading, into, 'write')
  }
  const at = scoped(reading, body.withClause, outer)
  const columns = selected(reading, body, at)
  given(reading, columns)
  tail(reading, body, columns, at)
  return columns
}

function selected(reading: Reading, body: SelectStmt, at: At): Columns {
  if (body.valuesLists !== undefined) return values(reading, body.valuesLists, at)
  if (body.larg !== undefined && body.rarg !== undefined) {
    return combined(reading, body.larg, body.rarg, deciding(at))
  }
  const item = together((body.fromClause ?? []).map((one) => fromItem(reading, one, at)))
  reading.expression(body.whereClause, deciding(at))
  const columns = targets(reading, body.targetList, item, at)
  for (const one of body.groupClause ?? []) ordinalOr(reading, one, columns, at)
  reading.expression(body.havingClause, deciding(at))
  for (const one of body.windowClause ?? []) reading.expression(one, deciding(at))
  if (body.distinctClause !== undefined) distinct(reading, body.distinctClause, columns, at)
  if (body.lockingClause !== undefined) lock(reading, item)
  return columns
}

function values(reading: Reading, lists: readonly Node[], at: At): Columns {
  const columns: Ref[][] = []
  const { names } = reading
  let counted = true
  for (const list of lists) {
    for (const [i, one] of (as(list, 'List')?.items ?? []).entries()) {
      // `VALUES (t.*)` has as many columns as the row.
      if (isStar(one)) counted = false
      const before = names.mark()
      reading.expression(one, at)
      columns[i] = [...(columns[i] ?? []), ...names.since(before)]
    }
  }
  if (!counted) {
    names.expectAny()
    return undefined
  }
  return columns.map((refs, i) => ({
    name: `column${i + 1}`,
    refs,
    plain: refs.length === 0 && !reading.opaque,
  }))
}

function isStar(node: Node): boolean {
  const list = as(node, 'ColumnRef')?.fields ?? as(node, 'A_Indirection')?.indirection
  return words(list).at(-1) === '*'
}

function combined(reading: Reading, left: SelectStmt, right: SelectStmt, at: At): Columns {
  const first = select(reading, left, at)
  const second = select(reading, right, at)
  if (first?.length !== second?.length) return undefined
  return first?.map(({ name, refs }, i) => {
    const others = second?.[i]?.refs ?? []
    const constant =
      refs.length === 0 && others.length === 0 && first[i]?.plain && second?.[i]?.plain
    return { name, refs: [...refs, ...others], plain: constant === true }
  })
}

function tail(reading: Reading, body: SelectStmt, columns: Columns, at: At): void {
  for (const one of body.sortClause ?? []) {
    const sort = as(one, 'SortBy')
    ordinalOr(reading, sort?.node, columns, at)
  }
  reading.expression(body.limitCount, deciding(at))
  reading.expression(body.limitOffset, deciding(at))
}

/** `ORDER BY 2` and `GROUP BY 1` mean an output column; everything else says itself what it means. */
function ordinalOr(reading: Reading, node: Node | undefined, columns: Columns, at: At): void {
  const list = as(node, 'GroupingSet')?.content ?? as(node, 'RowExpr')?.args
  if (list !== undefined) {
    for (const one of list) ordinalOr(reading, one, columns, at)
    return
  }
  const ordinal = as(node, 'A_Const')?.ival?.ival
  if (ordinal === undefined) {
    reading.expression(node, deciding(at))
    return
  }
  const column = columns?.[ordinal - 1]
  if (column === undefined) reading.names.decideAll()
  else reading.names.decide(column.refs)
}

function distinct(reading: Reading, clause: readonly Node[], columns: Columns, at: At): void {
  const on = clause.filter((one) => open(one) !== undefined)
  for (const one of on) ordinalOr(reading, one, columns, at)
  if (on.length > 0) return
  if (columns === undefined) reading.names.decideAll()
  for (const one of columns ?? []) reading.names.decide(one.refs)
}

/** Locked rows keep others waiting: that counts as writing to them, though no column changes. */
function lock({ facts }: Reading, item: Item): void {
  facts.flag('locking')
  facts.effect('write')
  for (const { relation } of item.entries) facts.touch(relation.kind, relation.full, 'write', [])
}

/** The place inside a statement that has WITH queries. */
function scoped(reading: Reading, clause: WithClause | undefined, at: At): At {
  if (clause === undefined) return at
  const list = (clause.ctes ?? []).flatMap((one) => as(one, 'CommonTableExpr') ?? [])
  let ctes = at.ctes
  if (clause.recursive) {
    // Inside itself a query's name stands for what cannot be told yet.
    for (const one of list) ctes = { name: one.ctename ?? '', columns: undefined, outer: ctes }
    for (const one of list) for (const name of words(one.aliascolnames)) reading.names.free(name)
  }
  for (const one of list) {
    // New names for columns, or a query that reads itself: all that goes in decides.
    const hidden = clause.recursive === true || one.aliascolnames !== undefined
    const inner: At = { place: hidden ? 'decides' : at.place, ctes }
    const columns = cteColumns(reading, one, inner)
    reading.names.derived(one.ctename ?? '')
    ctes = { name: one.ctename ?? '', columns, outer: ctes }
  }
  return { ...at, ctes }
}

function cteColumns(reading: Reading, cte: CommonTableExpr, at: At): Columns {
  const renamed = words(cte.aliascolnames)
  const columns = cte.ctequery && reading.query(cte.ctequery, at)
  for (const name of renamed) reading.names.free(name)
  if (cte.search_clause !== undefined || cte.cycle_clause !== undefined) {
    reading.names.expectAny()
    return undefined
  }
  return columns?.map((one, i) => ({
    name: renamed[i] ?? one.name,
    refs: one.refs,
    plain: one.plain && at.place === 'output',
  }))
}

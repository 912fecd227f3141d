import type { DeleteStmt, InsertStmt, Node, ReturningClause, UpdateStmt } from 'libpg-query'
import type { Fields } from '../../sql/lineage/output.ts'
import type { Item, Scope, Source } from '../../sql/lineage/scope.ts'
import { as } from '../read/ast.ts'
import { tied } from '../read/ties.ts'
import { allOf, assignments, defaultsIn, defaultsOf, namesOf } from './assignments.ts'
import { conflict } from './conflict.ts'
import { together } from './from.ts'
import { predicate } from './predicate.ts'
import { type At, type Reading, use } from './reading.ts'
import { afterwards, scanned, type Target, target, written } from './target.ts'
import { targets } from './targets.ts'

/** Reads INSERT. */
export function insert(reading: Reading, body: InsertStmt, at: At): Fields {
  const { facts } = reading
  facts.kind('insert')
  facts.effect('write')
  const given = body.cols && namesOf(body.cols)
  const to = target(reading, body.relation, given)
  const names = body.cols === undefined ? allOf(to) : namesOf(body.cols)
  const shown = body.selectStmt === undefined ? [] : reading.query(body.selectStmt, at)
  if (shown === undefined) facts.doubt('what is inserted is not known')
  if (to.relation !== undefined) {
    const isShort = shown === undefined || shown.length < names.length
    const defaults = body.cols === undefined && isShort ? names : defaultsIn(body.selectStmt, names)
    tied(reading, to.relation, 'insert', { names: given, defaults })
  }
  for (const [i, { value }] of (shown ?? []).entries()) written(reading, to, names[i], value)
  const inserted = new Map((shown ?? []).map(({ value }, i) => [names[i] ?? '', value]))
  if (body.onConflictClause !== undefined)
    conflict(reading, body.onConflictClause, to, inserted, at)
  return returning(reading, body.returningClause, to, [], at)
}

/** Reads UPDATE. */
export function update(reading: Reading, body: UpdateStmt, at: At): Fields {
  const { facts } = reading
  facts.kind('update')
  facts.effect('write')
  const names = namesOf(body.targetList)
  const to = target(reading, body.relation, names)
  if (to.relation !== undefined)
    tied(reading, to.relation, 'update', { names, defaults: defaultsOf(body.targetList) })
  const items = together(reading, body.fromClause, at, [to.item])
  const inside: At = { ...at, scope: { items, outer: at.scope } }
  filter(reading, body.whereClause, to, inside)
  assignments(reading, body.targetList, to, inside)
  return returning(reading, body.returningClause, to, items.slice(1), at)
}

/** Reads DELETE. */
export function remove(reading: Reading, body: DeleteStmt, at: At): Fields {
  const { facts } = reading
  facts.kind('delete')
  facts.effect('delete')
  const to = target(reading, body.relation)
  if (to.relation !== undefined) tied(reading, to.relation, 'delete')
  const items = together(reading, body.usingClause, at, [to.item])
  filter(reading, body.whereClause, to, { ...at, scope: { items, outer: at.scope } })
  return returning(reading, body.returningClause, to, items.slice(1), at)
}

function filter(reading: Reading, where: Node | undefined, to: Target, at: At): void {
  if (where === undefined) reading.facts.flag('unbounded')
  else {
    reading.facts.effect('read')
    scanned(reading, to)
  }
  predicate(reading, where, at, 'predicate')
}

/** RETURNING: the target also under `old` and `new`, or what WITH calls them. */
export function returning(
  reading: Reading,
  clause: ReturningClause | undefined,
  to: Target,
  others: readonly Item[],
  at: At,
  first: readonly Item[] = [],
): Fields {
  if (clause === undefined) return []
  reading.facts.effect('read')
  scanned(reading, to)
  const item = afterwards(to)
  const scope: Scope = {
    items: [...first, item, ...others, { columns: [], sources: versions(clause, to, item) }],
    outer: at.scope,
  }
  const columns = targets(reading, clause.exprs, { ...at, scope })
  for (const { value } of columns ?? []) use(reading, value, 'returned')
  return columns
}

/** The row before and after, under the names RETURNING gives them. */
function versions(clause: ReturningClause, to: Target, after: Item): readonly Source[] {
  const [before] = to.item.sources
  const [now] = after.sources
  if (before === undefined || now === undefined) return []
  const named = (clause.options ?? []).flatMap((one) => {
    const option = as(one, 'ReturningOption')
    const source = option?.option === 'RETURNING_OPTION_OLD' ? before : now
    return option?.value === undefined ? [] : [{ ...source, alias: option.value }]
  })
  return [{ ...before, alias: 'old' }, { ...now, alias: 'new' }, ...named]
}

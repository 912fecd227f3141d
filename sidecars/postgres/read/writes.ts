import type {
  DeleteStmt,
  InferClause,
  InsertStmt,
  MergeStmt,
  Node,
  OnConflictClause,
  ReturningClause,
  TruncateStmt,
  UpdateStmt,
} from 'libpg-query'
import type { Entry } from '../../sql/names.ts'
import { as } from './ast.ts'
import { fromItem, type Item, stored, together } from './from.ts'
import {
  type At,
  type Columns,
  deciding,
  type Reading,
  relationOf,
  target,
  writeTo,
} from './reading.ts'
import { targets } from './targets.ts'
import { type Change, tied } from './ties.ts'

/** Reads INSERT; `at` is where its RETURNING shows. */
export function insert(reading: Reading, body: InsertStmt, at: At): Columns {
  const { facts, names } = reading
  facts.kind('insert')
  facts.effect('write')
  const columns = body.cols && named(body.cols)
  const entry = target(reading, body.relation, columns)
  if (entry !== undefined) tied(reading, entry.relation, 'insert', columns)
  if (body.selectStmt !== undefined) reading.query(body.selectStmt, deciding(at))
  if (body.onConflictClause !== undefined) {
    if (entry !== undefined) names.also('excluded', entry)
    conflict(reading, body.onConflictClause, entry, deciding(at))
  }
  return returning(reading, body.returningClause, shown(reading, entry), at)
}

/** Reads UPDATE; `at` is where its RETURNING shows. */
export function update(reading: Reading, body: UpdateStmt, at: At): Columns {
  const { facts } = reading
  facts.kind('update')
  facts.effect('write')
  const columns = named(body.targetList)
  const entry = target(reading, body.relation, columns)
  if (entry !== undefined) tied(reading, entry.relation, 'update', columns)
  const items = (body.fromClause ?? []).map((one) => fromItem(reading, one, deciding(at)))
  filter(reading, body.whereClause, at)
  if (entry !== undefined && body.whereClause !== undefined) reading.names.scanned(entry)
  assignments(reading, body.targetList, at)
  return returning(reading, body.returningClause, together([shown(reading, entry), ...items]), at)
}

/** Reads DELETE; `at` is where its RETURNING shows. */
export function remove(reading: Reading, body: DeleteStmt, at: At): Columns {
  const { facts } = reading
  facts.kind('delete')
  facts.effect('delete')
  const entry = target(reading, body.relation)
  if (entry !== undefined) tied(reading, entry.relation, 'delete')
  const items = (body.usingClause ?? []).map((one) => fromItem(reading, one, deciding(at)))
  filter(reading, body.whereClause, at)
  if (entry !== undefined && body.whereClause !== undefined) reading.names.scanned(entry)
  return returning(reading, body.returningClause, together([shown(reading, entry), ...items]), at)
}

/** Reads MERGE; `at` is where its RETURNING shows. */
export function merge(reading: Reading, body: MergeStmt, at: At): Columns {
  const { facts } = reading
  facts.kind('merge')
  facts.effect('write')
  facts.flag('where')
  const entry = target(reading, body.relation)
  // Its rows are looked at even where no column is.
  if (entry !== undefined) reading.names.scanned(entry)
  const source = fromItem(reading, body.sourceRelation, deciding(at))
  reading.expression(body.joinCondition, deciding(at))
  for (const one of body.mergeWhenClauses ?? []) {
    const when = as(one, 'MergeWhenClause')
    reading.expression(when?.condition, deciding(at))
    assignments(reading, when?.targetList, at)
    for (const value of when?.values ?? []) reading.expression(value, deciding(at))
    const change = changes[when?.commandType ?? '']
    if (change === undefined) continue
    facts.kind(change)
    if (change === 'delete') facts.effect('delete')
    if (entry !== undefined)
      tied(reading, entry.relation, change, when?.targetList && named(when.targetList))
  }
  return returning(reading, body.returningClause, together([source, shown(reading, entry)]), at)
}

const changes: Readonly<Record<string, Change>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
}

/** Reads TRUNCATE. */
export function truncate(reading: Reading, body: TruncateStmt): void {
  for (const one of body.relations ?? []) {
    const range = as(one, 'RangeVar')
    const relation = range && relationOf(reading, range)
    if (relation === undefined) continue
    writeTo(reading, relation, undefined)
    if (body.behavior === 'DROP_CASCADE') tied(reading, relation, 'truncate')
  }
}

const named = (list: readonly Node[] | undefined): readonly string[] =>
  (list ?? []).flatMap((one) => as(one, 'ResTarget')?.name ?? [])

function filter(reading: Reading, where: Node | undefined, at: At): void {
  if (where === undefined) reading.facts.flag('unbounded')
  else reading.facts.effect('read')
  reading.expression(where, deciding(at))
}

function assignments(reading: Reading, list: readonly Node[] | undefined, at: At): void {
  for (const one of list ?? []) {
    const assigned = as(one, 'ResTarget')
    reading.expression(assigned?.val, deciding(at))
    for (const index of assigned?.indirection ?? []) reading.expression(index, deciding(at))
  }
}

function conflict(
  reading: Reading,
  body: OnConflictClause,
  entry: Entry | undefined,
  at: At,
): void {
  arbiters(reading, body.infer, entry, at)
  if (body.action === 'ONCONFLICT_UPDATE') {
    reading.facts.kind('update')
    reading.facts.effect('read')
  }
  assignments(reading, body.targetList, at)
  reading.expression(body.whereClause, at)
  if (entry !== undefined && body.targetList !== undefined) {
    const { relation } = entry
    reading.facts.touch(relation.kind, relation.full, 'write', named(body.targetList))
    tied(reading, relation, 'update', named(body.targetList))
  }
}

/** What makes two rows conflict shows whether such a row is there. */
function arbiters(
  reading: Reading,
  infer: InferClause | undefined,
  entry: Entry | undefined,
  at: At,
): void {
  for (const one of infer?.indexElems ?? []) {
    const index = as(one, 'IndexElem')
    if (index?.name !== undefined) reading.names.decide([reading.names.use([index.name])])
    reading.expression(index?.expr, at)
  }
  reading.expression(infer?.whereClause, at)
  const named = infer?.indexElems !== undefined
  if (!named && entry !== undefined) reading.names.decide([reading.names.star([entry], false)])
}

function shown(reading: Reading, entry: Entry | undefined): Item {
  if (entry === undefined) return { entries: [], open: true, columns: () => undefined }
  return { entries: [entry], open: false, columns: () => stored(reading, entry) }
}

function returning(
  reading: Reading,
  clause: ReturningClause | undefined,
  item: Item,
  at: At,
): Columns {
  if (clause === undefined) return []
  reading.facts.effect('read')
  const [entry] = item.entries
  for (const one of item.entries) reading.names.scanned(one)
  const aliases = (clause.options ?? []).flatMap((one) => as(one, 'ReturningOption')?.value ?? [])
  // Only the target has old and new rows, but any entry may be meant: too many, never too few.
  for (const alias of ['old', 'new', ...aliases]) {
    if (entry !== undefined) for (const one of item.entries) reading.names.also(alias, one)
  }
  return targets(reading, clause.exprs, item, at)
}

import type { Node, RangeVar } from 'libpg-query'
import { type Body, guarded } from './build.ts'
import { from, itemsOf } from './from.ts'
import { keptChanges, keptOut, keptRows } from './kept.ts'
import { isPlaceholder } from './placeholder.ts'
import { withQueries } from './query.ts'
import { returning } from './returning.ts'
import type { Item, Scope } from './scope.ts'
import { filtered } from './source.ts'
import type { Target } from './target.ts'
import { type Change, testedBy } from './ties.ts'
import { type At, bodyOf, inexact, listOf, nowhere, relationOf, type Work } from './work.ts'

/** Rewrites the inside of an INSERT. */
export function insert(work: Work, body: Body, outside: At): Body {
  const { withClause, selectStmt, relation, ...rest } = body
  const { clause, at } = withQueries(work, withClause, outside)
  const target = targetOf(work, relation)
  const names = body['cols'] === undefined ? all(target) : assigned(body['cols'])
  if (rest['onConflictClause'] !== undefined)
    conflict(work, rest['onConflictClause'] as Body, target)
  tested(work, target, 'insert', names)
  const rows = keptRows(work, target, names, selectStmt)
  const source = writing(work, target, names, () => work.walk(rows, at))
  values(target, names, selectStmt)
  return {
    ...(work.walk(
      { ...rest, ...returning(work, rest, target, true) },
      targeted(target, [excluded], rest, at),
    ) as Body),
    ...(clause === undefined ? {} : { withClause: clause }),
    ...(selectStmt === undefined ? {} : { selectStmt: source }),
    relation,
  }
}

/** Refuses a COPY FROM whose rows would tell what is protected, like an INSERT of them. */
export function loaded(work: Work, range: unknown, columns: readonly string[] | undefined): void {
  const target = targetOf(work, range)
  keptOut(work, target)
  tested(work, target, 'insert', columns ?? all(target))
}

/** Rewrites the inside of an UPDATE. */
export function update(work: Work, body: Body, outside: At): Body {
  const names = assigned(body['targetList'])
  return changed(work, body, outside, { change: 'update', names, list: 'fromClause' })
}

/** Rewrites the inside of a DELETE. */
export function remove(work: Work, body: Body, outside: At): Body {
  return changed(work, body, outside, { change: 'delete', names: [], list: 'usingClause' })
}

type Changing = {
  readonly change: Change
  readonly names: readonly string[]
  readonly list: 'fromClause' | 'usingClause'
}

function changed(work: Work, body: Body, outside: At, { change, names, list }: Changing): Body {
  const { withClause, relation, [list]: sources, whereClause, ...rest } = body
  const { clause, at } = withQueries(work, withClause, outside)
  const target = targetOf(work, relation)
  tested(work, target, change, names)
  literals(target, body['targetList'])
  const items = itemsOf(work, listOf(sources), at)
  const inside = targeted(target, items, rest, at)
  const shows = returning(work, rest, target, items.length === 0)
  const walked = writing(work, target, names, () => ({
    ...(work.walk({ ...rest, ...shows }, inside) as Body),
    ...(sources === undefined
      ? {}
      : { [list]: listOf(sources).map((one) => from(work, one, at, inside.scope)) }),
  }))
  const where = whereClause === undefined ? undefined : (work.walk(whereClause, inside) as Node)
  const prefix = [target.item.name]
  const filter = target.shield && filtered(work, target.relation, target.shield, { prefix })
  const set = change === 'update' ? keptChanges(work, target, walked['targetList']) : undefined
  const whole = filter === undefined ? where : guarded(filter, where)
  return {
    ...walked,
    ...(set === undefined ? {} : { targetList: set }),
    ...(clause === undefined ? {} : { withClause: clause }),
    ...(whole === undefined ? {} : { whereClause: whole }),
    relation,
  }
}

/** Rewrites the inside of a MERGE. */
export function merge(work: Work, body: Body, outside: At): Body {
  const { withClause, relation, sourceRelation, ...rest } = body
  const { clause, at } = withQueries(work, withClause, outside)
  const target = targetOf(work, relation)
  if (target.shield !== undefined && target.shield.filters.length > 0)
    throw inexact(`MERGE cannot be kept to some rows of ${target.relation.full}`)
  const names = listOf(rest['mergeWhenClauses']).flatMap((one) =>
    mergeNames(target, bodyOf(one, 'MergeWhenClause') ?? {}),
  )
  for (const change of ['insert', 'update', 'delete'] as const) tested(work, target, change, names)
  const source = sourceRelation as Node
  const inside = targeted(target, itemsOf(work, [source], at), rest, at)
  const shows = returning(work, rest, target, false)
  const walked = writing(work, target, names, () => ({
    ...(work.walk({ ...rest, ...shows }, inside) as Body),
    sourceRelation: from(work, source, at, inside.scope),
  }))
  return { ...walked, ...(clause === undefined ? {} : { withClause: clause }), relation }
}

function mergeNames(target: Target, when: Body): readonly string[] {
  const list = listOf(when['targetList'])
  const names = list.length === 0 && when['values'] !== undefined ? all(target) : assigned(list)
  values(target, names, {
    SelectStmt: { valuesLists: [{ List: { items: when['values'] ?? [] } }] },
  })
  literals(target, list)
  return names
}

function targetOf(work: Work, range: unknown): Target {
  const body = range as RangeVar
  const relation = relationOf(work, body, nowhere.ctes)
  if (relation === undefined) throw inexact('its target is not known')
  const shield = work.shield(relation)
  if (shield !== undefined && (shield.inlined || relation.kind !== 'table'))
    throw inexact(`${relation.full} shows protected values`, 'Write to the table itself.')
  if (shield?.partial) throw inexact(`parts of ${relation.full} are filtered`)
  const item: Item = {
    name: body.alias?.aliasname ?? relation.name,
    full: body.alias === undefined ? relation.full : undefined,
    columns: relation.columns.map(({ name }) => name),
    replaced: false,
    guarded: shield?.columns,
  }
  return { relation, shield, item }
}

const excluded: Item = { name: 'excluded', columns: undefined, replaced: false }

/** What RETURNING, WHERE and SET see: the target, by its old and new rows too, and what stands beside it. */
function targeted(
  { item }: Target,
  beside: readonly Item[],
  body: Body,
  at: At,
): { readonly scope: Scope; readonly ctes: At['ctes'] } {
  const options = listOf((body['returningClause'] as Body | undefined)?.['options'])
  const aliases = options.map((one) => String(bodyOf(one, 'ReturningOption')?.['value']))
  const rows = ['old', 'new', ...aliases].map((name) => ({ ...item, name, full: undefined }))
  return { scope: { items: [item, ...beside, ...rows], outer: at.scope }, ctes: at.ctes }
}

const all = ({ relation }: Target): readonly string[] => relation.columns.map(({ name }) => name)

const assigned = (list: unknown): readonly string[] =>
  listOf(list).flatMap((one) => {
    const name = bodyOf(one, 'ResTarget')?.['name']
    return typeof name === 'string' ? [name] : []
  })

/** What a query put in the place of protected values must not be stored in their place. */
function writing<T>(
  work: Work,
  { relation, shield }: Target,
  names: readonly string[],
  walk: () => T,
): T {
  const before = work.replaced
  const result = walk()
  const hit = names.find((name) => shield?.columns.has(name))
  if (hit !== undefined && work.replaced > before)
    throw inexact(
      `${relation.full}.${hit} would be set from rows whose values are masked`,
      'Set it from values of your own.',
    )
  return result
}

/** Whether a key is taken, or a check holds, shows in the error. */
function tested(work: Work, target: Target, change: Change, names: readonly string[]): void {
  const { catalogue, mask, sealed } = work.sealing
  if (!sealed) return
  for (const column of testedBy(catalogue, target.relation, change, names)) {
    if (mask.column(column) !== undefined)
      throw inexact(`the write is tested against ${column}, so that its error would tell a value`)
  }
}

/** What two rows conflict by shows whether such a row is there. */
function conflict(work: Work, clause: Body, { relation, shield }: Target): void {
  if (shield === undefined) return
  const infer = clause['infer'] as Body | undefined
  const names = listOf(infer?.['indexElems']).map((one) => bodyOf(one, 'IndexElem')?.['name'])
  const safe = names.length > 0 && names.every((one) => typeof one === 'string')
  if (shield.filters.length > 0 || !safe || names.some((one) => shield.columns.has(String(one))))
    throw inexact(`ON CONFLICT would tell whether a row of ${relation.full} is there`)
  if (clause['action'] !== 'ONCONFLICT_UPDATE') return
  tested(work, { relation, shield, item: excluded }, 'update', assigned(clause['targetList']))
  literals({ relation, shield, item: excluded }, clause['targetList'])
}

/** Refuses masks among what VALUES puts into protected columns. */
function values(target: Target, names: readonly string[], source: unknown): void {
  for (const row of listOf(bodyOf(source, 'SelectStmt')?.['valuesLists'])) {
    const items = listOf(bodyOf(row, 'List')?.['items'])
    for (const [index, item] of items.entries()) own(target, names[index], item)
  }
}

/** Refuses masks among what SET puts into protected columns. */
function literals(target: Target, list: unknown): void {
  for (const one of listOf(list)) {
    const set = bodyOf(one, 'ResTarget')
    if (set !== undefined) own(target, String(set['name']), set['val'])
  }
}

function own({ relation, shield }: Target, column: string | undefined, value: unknown): void {
  if (column === undefined || !shield?.columns.has(column)) return
  const text = (bodyOf(value, 'A_Const')?.['sval'] as Body | undefined)?.['sval']
  const cast = bodyOf(value, 'TypeCast')
  if (cast !== undefined) own({ relation, shield } as Target, column, cast['arg'])
  if (typeof text === 'string' && isPlaceholder(text))
    throw inexact(
      `${relation.full}.${column} would be overwritten with the mask that stands for its value`,
      'Leave the column out, or send the value itself.',
    )
}

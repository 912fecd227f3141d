import type { InferClause, OnConflictClause } from 'libpg-query'
import type { Item, Source } from '../../sql/lineage/scope.ts'
import { nothing, type Value } from '../../sql/lineage/value.ts'
import { as } from '../read/ast.ts'
import { tied } from '../read/ties.ts'
import { assignments, defaultsOf, namesOf } from './assignments.ts'
import { predicate } from './predicate.ts'
import { type At, type Reading, use } from './reading.ts'
import { reference } from './reference.ts'
import { type Target, writeTo } from './target.ts'

/** ON CONFLICT; `excluded` is the row that was to be inserted. */
export function conflict(
  reading: Reading,
  body: OnConflictClause,
  to: Target,
  inserted: ReadonlyMap<string, Value>,
  at: At,
): void {
  const own: At = { ...at, scope: { items: [to.item], outer: at.scope } }
  arbiters(reading, body.infer, to, own)
  if (body.action !== 'ONCONFLICT_UPDATE') return
  reading.facts.kind('update')
  reading.facts.effect('read')
  if (to.relation !== undefined) {
    const names = namesOf(body.targetList)
    writeTo(reading, to.relation, names)
    tied(reading, to.relation, 'update', { names, defaults: defaultsOf(body.targetList) })
  }
  const items: readonly Item[] = [to.item, { columns: [], sources: [excluded(to, inserted)] }]
  const inside: At = { ...at, scope: { items, outer: at.scope } }
  assignments(reading, body.targetList, to, inside)
  predicate(reading, body.whereClause, inside, 'predicate')
}

/** Columns that were not given hold their defaults. */
function excluded({ item }: Target, inserted: ReadonlyMap<string, Value>): Source {
  const [source] = item.sources
  // To the server, naming such a column is reading the target's.
  const columns = (source?.columns ?? []).map((one) => ({
    ...one,
    value: inserted.get(one.name) ?? nothing,
  }))
  const open = source?.open
  return { alias: 'excluded', columns, ...(open === undefined ? {} : { open }) }
}

/** What makes two rows conflict shows whether such a row is there. */
function arbiters(reading: Reading, infer: InferClause | undefined, to: Target, at: At): void {
  for (const one of infer?.indexElems ?? []) {
    const index = as(one, 'IndexElem')
    if (index?.name !== undefined) use(reading, reference(reading, [index.name], at), 'predicate')
    use(reading, reading.expression(index?.expr, at), 'predicate')
  }
  predicate(reading, infer?.whereClause, at, 'predicate')
  if (infer?.indexElems !== undefined) return
  // Any index may be the one: all columns.
  for (const { name } of to.item.columns) {
    use(reading, reference(reading, [name], at), 'predicate')
  }
}

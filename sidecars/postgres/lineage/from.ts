import type { JoinExpr, Node, RangeSubselect, RangeTableSample, RangeVar } from 'libpg-query'
import { aliased, common, join, renamed } from '../../sql/lineage/join.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import { type Item, itemOf, type Scope } from '../../sql/lineage/scope.ts'
import { anything } from '../../sql/lineage/value.ts'
import { open, words } from '../read/ast.ts'
import { doubtName, relationOf, unknownRelation } from './lookup.ts'
import { runOperator } from './operators.ts'
import { predicate } from './predicate.ts'
import { type At, type Reading, refer, step, use } from './reading.ts'
import { sourceOf } from './relations.ts'
import { functionRows, tableRows } from './rows.ts'

/** Items of FROM; each sees those before it where it is LATERAL. */
export function together(
  reading: Reading,
  list: readonly Node[] | undefined,
  at: At,
  before: readonly Item[] = [],
): readonly Item[] {
  const items = [...before]
  for (const one of list ?? []) items.push(fromItem(reading, one, at, items))
  return items
}

/** One item of FROM; `left` is what LATERAL sees. */
export function fromItem(
  reading: Reading,
  node: Node | undefined,
  at: At,
  left: readonly Item[],
): Item {
  step(reading)
  const opened = node === undefined ? undefined : open(node)
  const lateral: At = { ...at, scope: { items: [...left], outer: at.scope } }
  switch (opened?.kind) {
    case 'RangeVar':
      return range(reading, opened.body, at)
    case 'RangeSubselect':
      return subquery(reading, opened.body, opened.body.lateral ? lateral : at)
    case 'JoinExpr':
      return joined(reading, opened.body, at, left)
    case 'RangeFunction':
      return functionRows(reading, opened.body, lateral)
    case 'RangeTableFunc':
    case 'JsonTable':
      return tableRows(reading, opened.body, lateral)
    case 'RangeTableSample':
      return sample(reading, opened.body, at, lateral, left)
  }
  reading.facts.doubt(`${opened?.kind ?? 'an empty item'} is not understood`)
  return unknownItem(undefined)
}

/** Something nobody knows the columns of. */
export function unknownItem(alias: string | undefined): Item {
  return itemOf({ alias, columns: [], open: anything })
}

function range(reading: Reading, body: RangeVar, at: At): Item {
  const alias = body.alias?.aliasname ?? body.relname
  for (let cte = body.schemaname ? undefined : at.ctes; cte !== undefined; cte = cte.outer) {
    if (cte.name === body.relname) return derived(cte.columns(), alias, words(body.alias?.colnames))
  }
  reading.facts.effect('read')
  const relation = relationOf(reading, body)
  if (relation !== undefined) return itemOf(sourceOf(reading, relation, body))
  unknownRelation(reading, body, 'read')
  return unknownItem(alias)
}

function subquery(reading: Reading, body: RangeSubselect, at: At): Item {
  const columns = body.subquery && reading.query(body.subquery, at)
  return derived(columns, body.alias?.aliasname, words(body.alias?.colnames))
}

function derived(columns: Fields, alias: string | undefined, names: readonly string[]): Item {
  if (columns === undefined) return unknownItem(alias)
  return itemOf({ alias, columns: renamed(columns, names) })
}

function joined(reading: Reading, body: JoinExpr, at: At, before: readonly Item[]): Item {
  const left = fromItem(reading, body.larg, at, before)
  const right = fromItem(reading, body.rarg, at, [...before, left])
  const using = body.isNatural ? common(left, right) : words(body.usingClause)
  const both = join(left, right, { using, usingAlias: body.join_using_alias?.aliasname })
  if (body.isNatural && [left, right].some(isOpen)) {
    reading.facts.doubt('what a natural join compares is not known')
  }
  for (const name of both.missing) {
    if (![left, right].some(isOpen)) doubtName(reading, 'column', name, undefined)
  }
  for (const { value, stored } of both.merged) {
    use(reading, value, 'join')
    refer(reading, stored)
    runOperator(reading, '=', value, value)
  }
  const outer: Scope = { items: [...before], outer: at.scope }
  predicate(reading, body.quals, { ...at, scope: { items: [both], outer } }, 'join')
  const { alias } = body
  return alias === undefined ? both : aliased(both, alias.aliasname ?? '', words(alias.colnames))
}

const isOpen = (item: Item): boolean => item.sources.some((one) => one.open !== undefined)

function sample(
  reading: Reading,
  body: RangeTableSample,
  at: At,
  lateral: At,
  left: readonly Item[],
): Item {
  for (const one of body.args ?? []) use(reading, reading.expression(one, lateral), 'limit')
  use(reading, reading.expression(body.repeatable, lateral), 'limit')
  return fromItem(reading, body.relation, at, left)
}

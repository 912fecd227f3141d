import type { Node, RangeVar } from 'libpg-query'
import type { Body } from './build.ts'
import type { Item, Scope } from './scope.ts'
import { stand } from './source.ts'
import {
  type At,
  bodyOf,
  inexact,
  listOf,
  namesOf,
  relationOf,
  shieldOf,
  type Work,
} from './work.ts'

/** What the items of FROM make known, before any of them is rewritten. */
export function itemsOf(work: Work, list: readonly Node[], at: At): readonly Item[] {
  const items = list.flatMap((node) => itemsIn(work, node, at))
  for (const item of items) {
    const same = items.filter(({ name }) => name === item.name)
    if (same.length > 1 && same.some(({ replaced }) => replaced))
      throw inexact(`two relations are called ${item.name}`, 'Give each an alias of its own.')
  }
  return items
}

function itemsIn(work: Work, node: Node, at: At): readonly Item[] {
  const range = bodyOf(node, 'RangeVar') as RangeVar | undefined
  if (range !== undefined) return [stored(work, range, at)]
  const join = bodyOf(node, 'JoinExpr')
  if (join !== undefined) return joinedItems(work, join, at)
  const sample = bodyOf(node, 'RangeTableSample')
  if (sample !== undefined) return itemsIn(work, sample['relation'] as Node, at)
  const [kind = ''] = Object.keys(node)
  const alias = bodyOf(node, kind)?.['alias'] as Body | undefined
  return alias === undefined ? [unknown('')] : [unknown(String(alias['aliasname']))]
}

function joinedItems(work: Work, join: Body, at: At): readonly Item[] {
  const sides = [join['larg'], join['rarg']].flatMap((one) => itemsIn(work, one as Node, at))
  const alias = join['alias'] as Body | undefined
  const using = join['join_using_alias'] as Body | undefined
  // An alias of the whole hides what is inside.
  if (alias !== undefined) return [unknown(String(alias['aliasname']))]
  return using === undefined ? sides : [...sides, unknown(String(using['aliasname']))]
}

const unknown = (name: string): Item => ({ name, columns: undefined, replaced: false })

function stored(work: Work, range: RangeVar, at: At): Item {
  const relation = relationOf(work, range, at.ctes)
  const name = range.alias?.aliasname ?? range.relname ?? ''
  if (relation === undefined) return unknown(name)
  const renamed = namesOf(range.alias?.colnames)
  return {
    name,
    full: range.alias === undefined ? relation.full : undefined,
    columns: relation.columns.map((column, at) => renamed[at] ?? column.name),
    replaced: shieldOf(work, relation) !== undefined,
    renamed: renamed.length > 0,
  }
}

/** Rewrites one item of FROM. `at` is outside of it; `inner` is what its own expressions see. */
export function from(work: Work, node: Node, at: At, inner: Scope): Node {
  const range = bodyOf(node, 'RangeVar') as RangeVar | undefined
  if (range !== undefined) return read(work, node, range, at)
  const inside: At = { ...at, scope: inner }
  const join = bodyOf(node, 'JoinExpr')
  if (join !== undefined) {
    const { larg, rarg, ...rest } = join
    const side = (one: unknown): Node => from(work, one as Node, at, inner)
    const walked = work.walk(rest, inside) as Body
    return { JoinExpr: { ...walked, larg: side(larg), rarg: side(rarg) } }
  }
  const sub = bodyOf(node, 'RangeSubselect')
  if (sub !== undefined) {
    const subquery = work.walk(sub['subquery'], sub['lateral'] === true ? inside : at)
    return { RangeSubselect: { ...sub, subquery: subquery as Node } }
  }
  const sample = bodyOf(node, 'RangeTableSample')
  if (sample === undefined) return work.walk(node, inside) as Node
  sampled(work, sample, at)
  const { relation, ...rest } = sample
  return { RangeTableSample: { ...(work.walk(rest, inside) as Body), relation: relation as Node } }
}

function read(work: Work, node: Node, range: RangeVar, at: At): Node {
  const relation = relationOf(work, range, at.ctes)
  const shield = relation && shieldOf(work, relation)
  if (relation === undefined || shield === undefined) return node
  return stand(work, range, relation, shield)
}

function sampled(work: Work, sample: Body, at: At): void {
  const range = bodyOf(sample['relation'], 'RangeVar') as RangeVar | undefined
  const relation = range && relationOf(work, range, at.ctes)
  if (relation !== undefined && shieldOf(work, relation) !== undefined)
    throw inexact(`${relation.full} has protected columns and cannot be sampled`)
}

/** Rows of what a query took the place of cannot be locked. */
export function locking(clauses: readonly Node[], items: readonly Item[]): void {
  for (const clause of clauses) {
    const of = listOf(bodyOf(clause, 'LockingClause')?.['lockedRels'])
    const locked = of.map((one) => (bodyOf(one, 'RangeVar') as RangeVar | undefined)?.relname)
    const hit = items.find(
      ({ name, replaced }) => replaced && (locked.length === 0 || locked.includes(name)),
    )
    if (hit !== undefined)
      throw inexact(`${hit.name} has protected columns and its rows cannot be locked`)
  }
}

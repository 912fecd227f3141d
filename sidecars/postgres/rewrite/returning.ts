import type { Node } from 'libpg-query'
import { type Body, column, shown } from './build.ts'
import { constant } from './source.ts'
import type { Target } from './target.ts'
import { bodyOf, listOf, namesOf, type Work } from './work.ts'

/**
 * RETURNING with constants in place of what is protected of the target. `alone` when it can mean nothing but the target.
 * Whatever else it does with protected columns is left as it is, and refused where it is read.
 */
export function returning(
  work: Work,
  body: Body,
  target: Target,
  alone: boolean,
): { readonly returningClause?: Body } {
  const clause = body['returningClause'] as Body | undefined
  if (clause === undefined) return {}
  const { shield } = target
  if (shield === undefined || shield.columns.size === 0) return { returningClause: clause }
  const exprs = listOf(clause['exprs']).flatMap((one) => replaced(work, one, target, alone))
  return { returningClause: { ...clause, exprs } }
}

function replaced(work: Work, node: Node, target: Target, alone: boolean): readonly Node[] {
  const shows = bodyOf(node, 'ResTarget')
  const parts = namesOf(bodyOf(shows?.['val'], 'ColumnRef')?.['fields'])
  const own = alone ? parts.length === 1 : false
  if (!own && !(parts.length === 2 && parts[0] === target.item.name)) return [node]
  const last = parts.at(-1) ?? ''
  const { relation, shield } = target
  if (last === '*') return relation.columns.map(({ name }) => one(work, name, target))
  if (!shield?.columns.has(last)) return [node]
  const as = shows?.['name']
  return [one(work, last, target, typeof as === 'string' ? as : last)]
}

function one(work: Work, name: string, { relation, shield, item }: Target, as = name): Node {
  if (shield?.columns.has(name)) return shown(constant(work, relation, name), as)
  return shown(column(item.name, name))
}

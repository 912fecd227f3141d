import type { FuncCall, Node } from 'libpg-query'
import { alsoFrom, computed, type Value } from '../../sql/lineage/value.ts'
import { as, words } from '../read/ast.ts'
import type { Answer } from './answers.ts'
import { call } from './calls.ts'
import { predicate } from './predicate.ts'
import { type At, type Reading, use } from './reading.ts'
import { TSVECTOR } from './types.ts'
import { over } from './windows.ts'

/** What a call answers, also as rows; any other expression answers its value. */
export function answerOf(reading: Reading, node: Node, at: At): Answer {
  const body = as(node, 'FuncCall')
  return body === undefined
    ? { value: reading.expression(node, at) }
    : invocation(reading, body, at, true)
}

/** A call with all that can be written around it: DISTINCT, ORDER BY, FILTER, WITHIN GROUP, OVER. */
export function invocation(reading: Reading, body: FuncCall, at: At, rows = false): Answer {
  const parts = words(body.funcname)
  const name = parts[parts.length - 1] ?? ''
  const nodes = body.args ?? []
  const args = nodes.map((one) => reading.expression(one, at))
  const order = (body.agg_order ?? []).map((one) => reading.expression(as(one, 'SortBy')?.node, at))
  for (const one of order) use(reading, one, 'sort')
  if (body.agg_distinct) for (const one of args) use(reading, one, 'distinct')
  predicate(reading, body.agg_filter, at, 'predicate')
  const given = body.agg_within_group ? [...args, ...order] : args
  const loose = body.func_variadic === true || nodes.some((one) => as(one, 'NamedArgExpr'))
  const schema = parts[parts.length - 2]
  const answer =
    rows && name === 'unnest' && args.length > 1
      ? sideBySide(args)
      : call(reading, { name, schema, nodes, args: given, loose })
  if (body.over === undefined) return answer
  return { value: alsoFrom(answer.value, over(reading, body.over, at)) }
}

/** `unnest(a, b)` in FROM is one column for each, or as many as its rows have. */
function sideBySide(args: readonly Value[]): Answer {
  const columns = args.flatMap(({ element, sources, type }) => {
    const value = computed({ sources, copy: false, depth: 0 })
    if (type === TSVECTOR)
      return ['lexeme', 'positions', 'weights'].map((name) => ({ name, value }))
    return element?.fields ?? [{ name: 'unnest', value }]
  })
  return { value: computed(...args), columns }
}

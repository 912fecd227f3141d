import type { CaseExpr } from 'libpg-query'
import { alsoFrom, computed, either, type Value } from '../../../sql/lineage/value.ts'
import { as } from '../../read/ast.ts'
import { runOperator } from '../operators.ts'
import { type At, type Reading, use } from '../reading.ts'
import { all, type Handlers } from './handlers.ts'

/** One of several values. */
export const choices: Handlers = {
  CaseExpr: choice,
  CoalesceExpr: (reading, body, at) => either(...all(reading, body.args, at)),
}

function choice(reading: Reading, body: CaseExpr, at: At): Value {
  const about = body.arg === undefined ? undefined : reading.expression(body.arg, at)
  const conditions = about === undefined ? [] : [about]
  const results: Value[] = []
  for (const one of body.args ?? []) {
    const when = as(one, 'CaseWhen')
    const condition = reading.expression(when?.expr, at)
    if (about !== undefined) runOperator(reading, '=', about, condition)
    conditions.push(condition)
    results.push(reading.expression(when?.result, at))
  }
  results.push(reading.expression(body.defresult, at))
  const condition = computed(...conditions)
  use(reading, condition, 'predicate')
  return alsoFrom(either(...results), condition)
}

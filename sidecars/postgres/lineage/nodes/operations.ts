import type { A_Expr, MinMaxExpr } from 'libpg-query'
import {
  computed,
  either,
  isNothing,
  nothing,
  typed,
  type Value,
} from '../../../sql/lineage/value.ts'
import { as, word } from '../../read/ast.ts'
import { isTotalOperator } from '../../read/builtins.ts'
import { cast } from '../casts.ts'
import { invocation } from '../invoke.ts'
import { runOperator } from '../operators.ts'
import { type At, type Reading, use } from '../reading.ts'
import { BOOL } from '../types.ts'
import { all, type Handlers } from './handlers.ts'

/** Operators, functions, casts and tests. */
export const operations: Handlers = {
  A_Expr: operation,
  FuncCall: (reading, body, at) => invocation(reading, body, at).value,
  TypeCast: cast,
  BoolExpr: (reading, body, at) => typed(computed(...all(reading, body.args, at)), BOOL),
  NullTest: (reading, body, at) => typed(computed(reading.expression(body.arg, at)), BOOL),
  BooleanTest: (reading, body, at) => typed(computed(reading.expression(body.arg, at)), BOOL),
  MinMaxExpr: extreme,
}

function operation(reading: Reading, body: A_Expr, at: At): Value {
  const name = word(body.name?.[body.name.length - 1])
  const left = body.lexpr === undefined ? undefined : reading.expression(body.lexpr, at)
  const list = as(body.rexpr, 'List')?.items
  // Constants of one type are one value, however many.
  const rights =
    list === undefined ? [reading.expression(body.rexpr, at)] : [...new Set(all(reading, list, at))]
  const range = body.kind?.includes('BETWEEN') ? ['>=', '<='] : undefined
  const results = (range ?? [name]).flatMap((operator) =>
    rights.map((right) => compared(reading, operator, body.kind, left, right)),
  )
  const value = computed(...results)
  if (!(range ?? [name]).every(isTotalOperator)) use(reading, value, 'partial')
  if (body.kind === 'AEXPR_NULLIF') return either(left ?? nothing, value)
  const [only] = results
  return results.length === 1 && only !== undefined && !isNothing(only)
    ? only
    : withType(value, only)
}

function withType(value: Value, of: Value | undefined): Value {
  return of?.type === undefined ? value : typed(value, of.type)
}

/** `= ANY (array)` and its kind compare with what the array holds. */
function compared(
  reading: Reading,
  operator: string,
  kind: A_Expr['kind'],
  left: Value | undefined,
  right: Value,
): Value {
  const many = kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL'
  const type =
    right.type === undefined ? 0 : (reading.around.library.type(right.type)?.element ?? 0)
  const beside = many ? typed(computed(right), type || undefined) : right
  return runOperator(reading, operator, left, beside)
}

function extreme(reading: Reading, body: MinMaxExpr, at: At): Value {
  const values = all(reading, body.args, at)
  for (const one of values) runOperator(reading, '<', one, one)
  return computed(...values)
}

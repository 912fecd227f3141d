import type { RowExpr, SelectStmt, SubLink } from 'libpg-query'
import {
  anything,
  arrayOf,
  computed,
  nothing,
  rowOf,
  typed,
  type Value,
} from '../../../sql/lineage/value.ts'
import { word } from '../../read/ast.ts'
import { runOperator } from '../operators.ts'
import { type At, type Reading, use } from '../reading.ts'
import { spread } from '../targets.ts'
import { BOOL } from '../types.ts'
import { all, type Handlers } from './handlers.ts'

/** Rows, arrays, and queries where a value stands. */
export const queries: Handlers = {
  RowExpr: row,
  A_ArrayExpr: (reading, body, at) => arrayOf(...all(reading, body.elements, at)),
  SubLink: subquery,
  SelectStmt: selected,
}

function row(reading: Reading, { args }: RowExpr, at: At): Value {
  const values = spread(reading, args, at).map((one) => one ?? anything)
  return rowOf(values.map((value, i) => ({ name: `f${i + 1}`, value })))
}

function selected(reading: Reading, body: SelectStmt, at: At): Value {
  const columns = reading.query({ SelectStmt: body }, at)
  return columns === undefined ? anything : computed(...columns.map((one) => one.value))
}

function subquery(reading: Reading, body: SubLink, at: At): Value {
  const test = reading.expression(body.testexpr, at)
  const columns = body.subselect && reading.query(body.subselect, at)
  const [first] = columns ?? []
  switch (body.subLinkType) {
    case 'EXISTS_SUBLINK':
      // What it selects is never worked out; what decides in it is recorded there.
      return nothing
    case 'EXPR_SUBLINK':
      // One that shows several columns is compared, or assigned, as a row.
      if (columns === undefined) return anything
      return columns.length === 1 && first !== undefined ? first.value : rowOf(columns)
    case 'ARRAY_SUBLINK':
      return columns?.length === 1 && first !== undefined ? arrayOf(first.value) : anything
  }
  const operator = word(body.operName?.[body.operName.length - 1]) || '='
  const compared = columns?.map(({ value }, i) =>
    runOperator(reading, operator, test.fields?.[i]?.value ?? test, value),
  ) ?? [anything]
  const value = computed(test, ...compared)
  use(reading, value, 'predicate')
  return typed(value, BOOL)
}

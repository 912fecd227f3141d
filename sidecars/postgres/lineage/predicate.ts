import type { A_Expr, Node } from 'libpg-query'
import type { Role } from '../../sql/lineage/roles.ts'
import { as, open, word } from '../read/ast.ts'
import { runOperator } from './operators.ts'
import { type At, type Reading, step, use } from './reading.ts'

/** A condition: what it looks at decides, and equality with a constant and tests for NULL are told apart. */
export function predicate(
  reading: Reading,
  node: Node | undefined,
  at: At,
  role: Extract<Role, 'predicate' | 'join'>,
): void {
  if (node === undefined) return
  step(reading)
  const opened = open(node)
  if (opened?.kind === 'BoolExpr') {
    for (const one of opened.body.args ?? []) predicate(reading, one, at, role)
    return
  }
  if (opened?.kind === 'NullTest' && role === 'predicate') {
    use(reading, reading.expression(opened.body.arg, at), 'null_test')
    return
  }
  if (opened?.kind === 'A_Expr' && role === 'predicate' && equality(reading, opened.body, at))
    return
  use(reading, reading.expression(node, at), role)
}

/** `column = constant`, either way round. */
function equality(reading: Reading, body: A_Expr, at: At): boolean {
  if (body.kind !== 'AEXPR_OP' || body.name?.length !== 1 || word(body.name[0]) !== '=')
    return false
  const { lexpr: left, rexpr: right } = body
  const column = isConstant(right) ? left : isConstant(left) ? right : undefined
  if (column === undefined || as(column, 'ColumnRef') === undefined) return false
  const value = reading.expression(column, at)
  const constant = reading.expression(column === left ? right : left, at)
  runOperator(reading, '=', value, constant)
  use(reading, value, value.copy ? 'equality' : 'predicate')
  return true
}

function isConstant(node: Node | undefined): boolean {
  const inner = as(node, 'TypeCast')?.arg ?? node
  return as(inner, 'A_Const') !== undefined || as(inner, 'ParamRef') !== undefined
}

import type { Node } from 'libpg-query'
import type { Fields } from '../../sql/lineage/output.ts'
import type { Role } from '../../sql/lineage/roles.ts'
import { columnsNamed } from '../../sql/lineage/scope.ts'
import { either, type Value } from '../../sql/lineage/value.ts'
import { as, open, word } from '../read/ast.ts'
import { dependent } from './keys.ts'
import { runOrdering } from './operators.ts'
import { type At, type Reading, use } from './reading.ts'

/** ORDER BY: a name means an output column first. */
export function sorted(
  reading: Reading,
  list: readonly Node[] | undefined,
  columns: Fields,
  at: At,
): void {
  for (const one of list ?? []) {
    const sort = as(one, 'SortBy')
    const value = shown(sort?.node, columns) ?? meaning(reading, sort?.node, at)
    use(reading, value, 'sort')
    if (sort?.useOp !== undefined)
      runOrdering(reading, word(sort.useOp[sort.useOp.length - 1]), value)
  }
}

/** GROUP BY: a name means an input column first. */
export function groups(
  reading: Reading,
  list: readonly Node[] | undefined,
  columns: Fields,
  at: At,
  told: ReadonlySet<Node> = dependent(list ?? [], at),
): void {
  for (const one of list ?? []) {
    const inner = as(one, 'GroupingSet')?.content ?? as(one, 'RowExpr')?.args
    // Each of several sets may lack the key.
    if (inner !== undefined) groups(reading, inner, columns, at, new Set())
    else if (as(one, 'GroupingSet') === undefined) {
      const name = bareName(one)
      const input =
        name !== undefined &&
        columnsNamed(at.scope && { ...at.scope, outer: undefined }, name).columns.length > 0
      const value = input ? undefined : shown(one, columns)
      const grouped = value ?? meaning(reading, one, at)
      if (!told.has(one)) use(reading, grouped, 'group')
    }
  }
}

/** DISTINCT and DISTINCT ON. */
export function distinct(
  reading: Reading,
  clause: readonly Node[] | undefined,
  columns: Fields,
  at: At,
): void {
  if (clause === undefined) return
  const on = clause.filter((one) => open(one) !== undefined)
  for (const one of on) use(reading, shown(one, columns) ?? meaning(reading, one, at), 'distinct')
  if (on.length > 0) return
  if (columns === undefined) reading.facts.doubt('what must be distinct is not known')
  const role: Role = 'distinct'
  for (const { value } of columns ?? []) use(reading, value, role)
}

function meaning(reading: Reading, node: Node | undefined, at: At): Value {
  return reading.expression(node, at)
}

/** The output column that a position or a bare name means. */
function shown(node: Node | undefined, columns: Fields): Value | undefined {
  const position = as(node, 'A_Const')?.ival?.ival
  if (position !== undefined) return columns?.[position - 1]?.value
  const name = bareName(node)
  const named = name === undefined ? [] : (columns?.filter((one) => one.name === name) ?? [])
  return named.length === 0 ? undefined : either(...named.map((one) => one.value))
}

function bareName(node: Node | undefined): string | undefined {
  const fields = as(node, 'ColumnRef')?.fields
  return fields?.length === 1 ? as(fields[0], 'String')?.sval : undefined
}

import type { Node, SelectStmt } from 'libpg-query'
import { combined, type Fields } from '../../sql/lineage/output.ts'
import type { Item, Scope } from '../../sql/lineage/scope.ts'
import { anything, either, type Field } from '../../sql/lineage/value.ts'
import { as } from '../read/ast.ts'
import { together } from './from.ts'
import { locking } from './locking.ts'
import { predicate } from './predicate.ts'
import { type At, type Reading, use } from './reading.ts'
import { namingSettings } from './secrets.ts'
import { distinct, groups, sorted } from './sorting.ts'
import { spread, targets } from './targets.ts'
import { window } from './windows.ts'
import { withQueries } from './with.ts'

/** Reads SELECT, VALUES, TABLE and set operations. */
export function select(reading: Reading, body: SelectStmt, outer: At): Fields {
  const at = withQueries(reading, body.withClause, outer)
  if (body.valuesLists !== undefined) return values(reading, body, at)
  reading.facts.kind('select')
  if (body.intoClause !== undefined) reading.facts.kind('create_table_as')
  if (body.larg !== undefined && body.rarg !== undefined) return operation(reading, body, at)
  return plain(reading, body, at)
}

function plain(reading: Reading, body: SelectStmt, at: At): Fields {
  const items = namingSettings(reading, body, () => together(reading, body.fromClause, at))
  const windows = new Map(
    (body.windowClause ?? []).flatMap((one) => {
      const definition = as(one, 'WindowDef')
      return definition === undefined ? [] : [[definition.name ?? '', definition] as const]
    }),
  )
  const inside: At = { scope: scopeOf(items, at.scope), ctes: at.ctes, windows }
  predicate(reading, body.whereClause, inside, 'predicate')
  const columns = targets(reading, body.targetList, inside)
  groups(reading, body.groupClause, columns, inside)
  predicate(reading, body.havingClause, inside, 'predicate')
  for (const one of windows.values()) window(reading, one, inside)
  distinct(reading, body.distinctClause, columns, inside)
  tail(reading, body, columns, inside)
  if (body.lockingClause !== undefined) locking(reading, body.fromClause)
  return columns
}

export function scopeOf(items: readonly Item[], outer: Scope | undefined): Scope {
  return { items, outer }
}

function values(reading: Reading, body: SelectStmt, at: At): Fields {
  const lists = (body.valuesLists ?? []).map((one) => as(one, 'List')?.items ?? [])
  const read = lists.map((list) => spread(reading, list, at).map((one) => one ?? anything))
  const columns: readonly Field[] = (read[0] ?? []).map((_, i) => ({
    name: `column${i + 1}`,
    value: either(...read.flatMap((row) => row[i] ?? [])),
  }))
  tail(reading, body, columns, at)
  return columns
}

function operation(reading: Reading, body: SelectStmt, at: At): Fields {
  const { larg, rarg } = body
  if (larg === undefined || rarg === undefined) return undefined
  const left = reading.query({ SelectStmt: larg }, at)
  const right = reading.query({ SelectStmt: rarg }, at)
  const columns = combined(left, right)
  // Whether a row comes depends on the others, unless all of them come.
  if (body.op !== 'SETOP_UNION' || !body.all) {
    for (const { value } of [...(left ?? []), ...(right ?? [])])
      use(reading, value, 'set_operation')
  }
  if (columns === undefined) reading.facts.doubt('the columns of a set operation do not match')
  tail(reading, body, columns, { ...at, scope: { items: [], outer: at.scope } })
  return columns
}

function tail(reading: Reading, body: SelectStmt, columns: Fields, at: At): void {
  sorted(reading, body.sortClause, columns, at)
  for (const one of [body.limitCount, body.limitOffset]) limit(reading, one, at)
}

function limit(reading: Reading, node: Node | undefined, at: At): void {
  if (node !== undefined) use(reading, reading.expression(node, at), 'limit')
}

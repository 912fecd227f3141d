import type { Node } from 'libpg-query'
import { as } from '../read/ast.ts'
import type { Reading } from './reading.ts'

/** Locked rows keep others waiting: that counts as writing to them, though no column changes. */
export function locking(reading: Reading, list: readonly Node[] | undefined): void {
  reading.facts.flag('locking')
  reading.facts.effect('write')
  for (const one of list ?? []) lock(reading, one)
}

function lock(reading: Reading, node: Node | undefined): void {
  const join = as(node, 'JoinExpr')
  if (join !== undefined) {
    lock(reading, join.larg)
    lock(reading, join.rarg)
    return
  }
  const sampled = as(node, 'RangeTableSample')
  if (sampled !== undefined) lock(reading, sampled.relation)
  const inner = as(as(node, 'RangeSubselect')?.subquery, 'SelectStmt')
  for (const one of inner?.fromClause ?? []) lock(reading, one)
  const range = as(node, 'RangeVar')
  if (range === undefined) return
  const { catalogue, searchPath } = reading.around
  const relation = catalogue.relation(range.relname ?? '', range.schemaname, searchPath)
  if (relation !== undefined) reading.facts.touch(relation.kind, relation.full, 'write', [])
}

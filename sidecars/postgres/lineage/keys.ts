import type { Node } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import type { Named, Source } from '../../sql/lineage/scope.ts'
import { as, words } from '../read/ast.ts'
import type { At } from './reading.ts'
import { named } from './reference.ts'

/**
 * Those of a list of grouping columns that decide nothing: next to a key of their table, whose rows are told apart by it
 * alone. A key that an outer join made NULL goes with columns that are NULL too.
 */
export function dependent(list: readonly Node[], at: At): ReadonlySet<Node> {
  const found = list.flatMap((node) => {
    const column = columnOf(node, at)
    return column === undefined ? [] : [{ node, ...column }]
  })
  const rest = new Set<Node>()
  for (const [source, columns] of Map.groupBy(found, (one) => one.source)) {
    const key = keyIn(source, new Set(columns.map((one) => one.column)))
    for (const { node, column } of columns)
      if (key !== undefined && !key.has(column)) rest.add(node)
  }
  return rest
}

type Found = { readonly source: Source; readonly column: Named }

/** The one column of a source of this query that a reference means. */
function columnOf(node: Node, { scope }: At): Found | undefined {
  if (scope === undefined) return undefined
  const parts = words(as(node, 'ColumnRef')?.fields)
  const name = parts[parts.length - 1] ?? ''
  const own = scope.items.flatMap((item) => item.sources)
  const qualified =
    parts.length > 1 ? named({ ...scope, outer: undefined }, parts.slice(0, -1)) : undefined
  const sources = parts.length > 1 ? own.filter((one) => one === qualified) : own
  const found = sources.flatMap((source) =>
    source.columns.filter((one) => one.name === name).map((column) => ({ source, column })),
  )
  const [only] = found
  return found.length === 1 && !own.some((one) => one.open !== undefined) ? only : undefined
}

/** A key of the source's table that is all among these. */
function keyIn(source: Source, columns: ReadonlySet<Named>): ReadonlySet<Named> | undefined {
  const relation = tableOf(source)
  for (const numbers of relation?.keys ?? []) {
    const key = source.columns.filter((one) => numbers.includes(numberOf(one)))
    if (key.length === numbers.length && key.every((one) => columns.has(one))) return new Set(key)
  }
  return undefined
}

/** The table whose rows the source is, if it is nothing else. */
function tableOf({ columns }: Source): Relation | undefined {
  const [first] = columns[0]?.stored ?? []
  const isOwn = (one: Named) =>
    one.stored?.length === 1 && one.stored[0]?.relation === first?.relation
  return first?.relation.kind === 'table' && columns.every(isOwn) ? first.relation : undefined
}

const numberOf = ({ stored }: Named): number => stored?.[0]?.column.number ?? 0

import type { WindowDef } from 'libpg-query'
import { computed, type Value } from '../../sql/lineage/value.ts'
import { as } from '../read/ast.ts'
import { type At, type Reading, use } from './reading.ts'

/** What a window looks at, with that of the window it is made from: the value of a rank comes from it. */
export function window(reading: Reading, body: WindowDef, at: At): Value {
  const seen = new Set<WindowDef>()
  const values: Value[] = []
  for (let one: WindowDef | undefined = body; one !== undefined && !seen.has(one); ) {
    seen.add(one)
    for (const node of one.partitionClause ?? []) values.push(reading.expression(node, at))
    for (const node of one.orderClause ?? []) {
      values.push(reading.expression(as(node, 'SortBy')?.node, at))
    }
    for (const node of [one.startOffset, one.endOffset]) {
      if (node !== undefined) values.push(reading.expression(node, at))
    }
    one = one.refname === undefined ? undefined : at.windows?.get(one.refname)
  }
  const value = computed(...values)
  use(reading, value, 'window')
  return value
}

/** The window after OVER: one written there, or one of the WINDOW clause. */
export function over(reading: Reading, body: WindowDef, at: At): Value {
  const named = body.name === undefined ? undefined : at.windows?.get(body.name)
  return window(reading, named ?? body, at)
}

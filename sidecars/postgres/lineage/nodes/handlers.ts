import type { Node } from 'libpg-query'
import type { Value } from '../../../sql/lineage/value.ts'
import type { Nodes } from '../../read/ast.ts'
import type { At, Reading } from '../reading.ts'

/** For each kind of node, what its value comes from. */
export type Handlers = {
  readonly [K in keyof Nodes]?: (reading: Reading, body: Nodes[K], at: At) => Value
}

/** The values of a list of expressions. */
export function all(reading: Reading, list: readonly Node[] | undefined, at: At): readonly Value[] {
  return list?.map((one) => reading.expression(one, at)) ?? []
}

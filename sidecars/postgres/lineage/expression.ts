import type { Node } from 'libpg-query'
import { nothing, type Value } from '../../sql/lineage/value.ts'
import { open } from '../read/ast.ts'
import { choices } from './nodes/choices.ts'
import { columns } from './nodes/columns.ts'
import type { Handlers } from './nodes/handlers.ts'
import { operations } from './nodes/operations.ts'
import { parts } from './nodes/parts.ts'
import { plain } from './nodes/plain.ts'
import { queries } from './nodes/queries.ts'
import { type At, type Reading, step } from './reading.ts'

let made: Handlers | undefined
// Put together when first used: the modules of some handlers lead back here.
const handlers = (): Handlers => {
  made ??= { ...plain, ...columns, ...operations, ...choices, ...queries }
  return made
}

/** What an expression comes from. Records what it refers to, calls and asks. */
export function expression(reading: Reading, node: Node | undefined, at: At): Value {
  const opened = node === undefined ? undefined : open(node)
  if (opened === undefined) return nothing
  step(reading)
  const { kind, body } = opened
  const handler = handlers()[kind] as
    | ((reading: Reading, body: object, at: At) => Value)
    | undefined
  return handler === undefined ? parts(reading, kind, body, at) : handler(reading, body, at)
}

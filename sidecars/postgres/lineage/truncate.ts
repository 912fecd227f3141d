import type { TruncateStmt } from 'libpg-query'
import { as } from '../read/ast.ts'
import { tied } from '../read/ties.ts'
import { relationOf } from './lookup.ts'
import type { Reading } from './reading.ts'
import { writeTo } from './target.ts'

/** Reads TRUNCATE. */
export function truncate(reading: Reading, body: TruncateStmt): void {
  for (const one of body.relations ?? []) {
    const range = as(one, 'RangeVar')
    const relation = range && relationOf(reading, range)
    if (relation === undefined) continue
    writeTo(reading, relation, undefined)
    tied(reading, relation, 'truncate', { cascade: body.behavior === 'DROP_CASCADE' })
  }
}

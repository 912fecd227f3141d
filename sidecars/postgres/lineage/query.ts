import type { Node } from 'libpg-query'
import type { Fields } from '../../sql/lineage/output.ts'
import { open } from '../read/ast.ts'
import { merge } from './merge.ts'
import { type At, type Reading, step } from './reading.ts'
import { select } from './select.ts'
import { withQueries } from './with.ts'
import { insert, remove, update } from './writes.ts'

/** Reads a query wherever it stands, and answers the columns it shows; undefined where they cannot be told. */
export function query(reading: Reading, node: Node, at: At): Fields {
  step(reading)
  const opened = open(node)
  switch (opened?.kind) {
    case 'SelectStmt':
      return select(reading, opened.body, at)
    case 'InsertStmt':
      return insert(reading, opened.body, withQueries(reading, opened.body.withClause, at))
    case 'UpdateStmt':
      return update(reading, opened.body, withQueries(reading, opened.body.withClause, at))
    case 'DeleteStmt':
      return remove(reading, opened.body, withQueries(reading, opened.body.withClause, at))
    case 'MergeStmt':
      return merge(reading, opened.body, withQueries(reading, opened.body.withClause, at))
  }
  reading.facts.doubt(`${opened?.kind ?? 'an empty query'} is not understood`)
  return undefined
}

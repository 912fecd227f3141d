import type { Node, RuleStmt } from 'libpg-query'
import type { Change, Relation } from '../../sql/catalogue.ts'
import { as } from '../read/ast.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import { predicate } from './predicate.ts'
import type { At, Reading } from './reading.ts'
import { versions } from './versions.ts'

const events: Readonly<Record<Change, RuleStmt['event'] | undefined>> = {
  insert: 'CMD_INSERT',
  update: 'CMD_UPDATE',
  delete: 'CMD_DELETE',
  truncate: undefined,
}

/** Rules that lead to each other are read no further than this; the server refuses those that do so without end. */
const DEPTH_MAX = 6
let depth = 0

/** Records what the rules of a relation do along with a change of it, or in its place. */
export function ruled(reading: Reading, relation: Relation, change: Change): void {
  for (const text of relation.rules) {
    const refused = problem(text)
    const node = refused === undefined ? parse(text).statements?.[0]?.stmt : undefined
    const rule = as(node, 'RuleStmt')
    if (rule === undefined) reading.facts.doubt(`a rule on ${relation.full} cannot be read`)
    else if (rule.event === events[change]) applied(reading, relation, change, rule)
  }
}

function applied(reading: Reading, relation: Relation, change: Change, rule: RuleStmt): void {
  const { facts } = reading
  if (depth >= DEPTH_MAX) {
    facts.doubt(`rules on ${relation.full} lead on without end`)
    return
  }
  depth += 1
  try {
    const at: At = { scope: versions(reading, relation, change, undefined), ctes: undefined }
    predicate(reading, rule.whereClause, at, 'predicate')
    for (const one of rule.actions ?? []) action(reading, relation, one, at)
  } finally {
    depth -= 1
  }
}

/** What an action shows is shown in place of the statement's own rows, or besides them. */
function action(reading: Reading, relation: Relation, node: Node, at: At): void {
  const list = as(node, 'List')?.items
  if (list !== undefined) {
    for (const one of list) action(reading, relation, one, at)
    return
  }
  const isWrite = ['InsertStmt', 'UpdateStmt', 'DeleteStmt'].some((kind) => kind in node)
  const columns = isWrite ? reading.query(node, at) : reading.statement(node)
  if (columns === undefined || columns.length > 0 || !isWrite) {
    reading.facts.doubt(`a rule on ${relation.full} may show rows of its own`)
  }
}

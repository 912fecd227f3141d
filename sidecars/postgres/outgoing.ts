import type { Node } from 'libpg-query'
import { parsed } from './read/parser.ts'
import { type Canonical, canonical, writtenOut } from './rewrite/canonical.ts'
import { type Prepared, read, type Scope, type Statement } from './statement.ts'

/**
 * Facts of every statement in a text, and what goes upstream in its place: only what the parser reads the very same tree
 * from. A text that cannot be read keeps its own words; policy has to ask for it. Never throws.
 */
export function toRun(
  text: string,
  scope: Scope,
  prepared: Prepared = parsed(text),
): readonly Statement[] {
  const statements = read(text, scope, prepared)
  const nodes = (prepared.statements ?? []).flatMap(({ stmt }) =>
    stmt === undefined ? [] : [stmt],
  )
  if (prepared.statements?.length === 0) return statements.map((one) => running(one, { text: '' }))
  if (nodes.length !== statements.length) return statements
  return statements.map((one, index) => {
    const node = nodes[index]
    return node === undefined ? one : running(one, outgoing(node, index, prepared))
  })
}

function outgoing(node: Node, index: number, prepared: Prepared): Canonical {
  if ('json' in prepared) return writtenOut(node, prepared)
  const known = 'each' in prepared ? prepared.each[index]?.written : undefined
  return known ?? canonical(node)
}

/** What it prepares or declares runs as a part of it. */
function running(statement: Statement, { text, problem }: Canonical): Statement {
  const own = text === undefined ? { unwritable: problem } : { upstream: text }
  if (statement.names.every((change) => change.statement === undefined))
    return { ...statement, ...own }
  const names = statement.names.map((change) =>
    change.statement === undefined
      ? change
      : { ...change, statement: { ...change.statement, ...own } },
  )
  return { ...statement, names, ...own }
}

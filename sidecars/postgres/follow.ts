import type { NameChange, Statement } from './statement.ts'

/** EXECUTE of an EXECUTE of …: the server gives up somewhere, too. */
const depthMax = 8

type Lookup = (name: string) => Statement | undefined

/**
 * What SQL's EXECUTE does beyond its facts: a statement prepared through the protocol may itself change names or
 * start a COPY, and EXECUTE then does so in its place.
 */
export function followed(statements: readonly Statement[], prepared: Lookup): readonly Statement[] {
  if (!statements.some(isExecute)) return statements
  const given = new Map<string, Statement | undefined>()
  let cleared = false
  const lookup: Lookup = (name) =>
    given.has(name) ? given.get(name) : cleared ? undefined : prepared(name)

  return statements.map((statement) => {
    const whole = isExecute(statement) ? executing(statement, lookup, 0) : statement
    for (const change of whole.names) remember(change)
    return whole
  })

  function remember({ kind, name, statement }: NameChange): void {
    if (kind === 'prepare') given.set(name, statement)
    else if (kind === 'deallocate' && name !== '') given.set(name, undefined)
    else if (kind === 'deallocate') {
      given.clear()
      cleared = true
    }
  }
}

const isExecute = ({ command }: Statement): boolean => command.name === 'execute'

function executing(statement: Statement, lookup: Lookup, depth: number): Statement {
  if (depth > depthMax) return bottomless(statement)
  const [name] = statement.needs
  const target = name === undefined ? undefined : lookup(name)
  if (target === undefined) return statement
  const inner = isExecute(target) ? executing(target, lookup, depth + 1) : target
  const { names, copy, command, path } = inner
  // What comes after it in the same text was read already.
  const incomplete =
    command.incomplete ?? (path && 'EXECUTE of what changes a transaction or search_path')
  return {
    ...statement,
    command: incomplete === undefined ? statement.command : { ...statement.command, incomplete },
    names,
    ...(copy !== undefined && { copy }),
  }
}

/** Should it run in spite of that, every name is forgotten: what is not known is never passed on. */
function bottomless(statement: Statement): Statement {
  const incomplete = statement.command.incomplete ?? 'EXECUTE is nested too deep'
  return {
    ...statement,
    command: { ...statement.command, incomplete },
    names: [
      { kind: 'deallocate', name: '' },
      { kind: 'close', name: '' },
    ],
  }
}

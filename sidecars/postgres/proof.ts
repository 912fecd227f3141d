import type { Command } from '../../pdp/contract.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import type { SqlFacts } from '../sql/facts.ts'
import type { Field } from './rows.ts'
import type { Statement } from './statement.ts'

/**
 * Whether an answer shows by itself that the statement means what was read, whatever became of the catalogue since: it
 * reads plain tables alone and runs no code of anybody's, and each table is named by the answer as the origin of a column,
 * and every column by one of them. A relation that took a table's name, or its place on the search path, has another
 * identity.
 */
export function proves(
  fields: readonly Field[],
  command: Command,
  catalogue: Pick<Catalogue, 'byOid' | 'below'>,
): boolean {
  if (runsCode(command)) return false
  const read = relationsOf(command)
  if (read.length === 0) return true
  const shown = new Set<string>()
  for (const oid of new Set(fields.map(({ tableOid }) => tableOid))) {
    const relation = catalogue.byOid(oid)
    if (relation?.kind !== 'table') return false
    for (const one of [relation, ...catalogue.below(relation)]) shown.add(one.full)
  }
  return read.every(({ kind, name }) => kind === 'table' && shown.has(name))
}

/**
 * Whether a statement moves what it reads to where it stays, so that it would be too late to find out afterwards that it
 * read something else: into other tables, or to code that acts.
 */
export function carries(command: Command): boolean {
  if (command.effects.every((one) => one === 'read' || one === 'session')) return false
  const written = command.objects.flatMap(({ access, kind, name }) =>
    access === 'write' && kind === 'table' ? [`${name}.`] : [],
  )
  const columns = factsOf(command)?.columns ?? []
  return (
    runsCode(command) ||
    columns.some(
      ({ name, roles }) =>
        roles.includes('written_from') && !written.some((own) => name.startsWith(own)),
    )
  )
}

/** Relations that somebody may define anew; the server's own are left out. */
function relationsOf({ objects }: Command): Command['objects'] {
  return objects.filter(({ kind, name }) => !others.has(kind) && !name.startsWith('pg_catalog.'))
}

const others = new Set(['setting', 'function', 'type', 'schema', 'channel'])

/** Triggers run whatever they are: they are not chosen by who writes the statement. */
function runsCode(command: Command): boolean {
  const { functions = [] } = factsOf(command) ?? {}
  return functions.some((one) => one.class !== 'trigger' && !one.name.startsWith('pg_catalog.'))
}

/**
 * Whether something opened earlier may by now run other code than was read. What it reads of relations stays as it was
 * planned; functions are looked up again.
 */
export function isOutdated({ command, sign }: Statement, now: Pick<Catalogue, 'sign'>): boolean {
  return sign !== now.sign && runsCode(command)
}

const factsOf = (command: Command): SqlFacts | undefined => command['sql'] as SqlFacts | undefined

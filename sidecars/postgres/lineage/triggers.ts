import type { Change, Relation, Trigger } from '../../sql/catalogue.ts'
import { as } from '../read/ast.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import { absorb } from './absorb.ts'
import { bodyOf, functionsNamed } from './bodies.ts'
import { isServers } from './calls.ts'
import { promised } from './declared.ts'
import { predicate } from './predicate.ts'
import { type Reading, use } from './reading.ts'
import type { Written } from './standing.ts'
import { versions } from './versions.ts'

/** pg_trigger.h. */
const bits: readonly (readonly [number, Change])[] = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
  [32, 'truncate'],
]

/** One row of the query for triggers. */
export function trigger(row: readonly (string | null)[]): Trigger {
  const [, schema, name, type, columns, tables, definition] = row
  const named = JSON.parse(tables ?? '[]') as readonly (string | null)[]
  return {
    runs: `${schema}.${name}`,
    on: bits.filter(([bit]) => (Number(type) & bit) !== 0).map(([, change]) => change),
    columns: JSON.parse(columns ?? '[]'),
    tables: named.filter((one) => one !== null),
    definition: definition ?? undefined,
  }
}

/** Records what the triggers of a relation do with a change of these columns. */
export function triggered(
  reading: Reading,
  relation: Relation,
  change: Change,
  { given }: Pick<Written, 'given'>,
): void {
  for (const one of relation.triggers) {
    const { on, columns } = one
    if (!on.includes(change)) continue
    if (change === 'update' && columns.length > 0 && !columns.some((it) => given.has(it))) continue
    reading.facts.flag('triggers')
    condition(reading, relation, change, one)
    triggeredBy(reading, one.runs, { relation, change, tables: one.tables })
  }
}

/** Records what event triggers do along with a definition. */
export function defined(reading: Reading): void {
  const { onDefinition } = reading.around.catalogue
  if (onDefinition.length > 0) reading.facts.flag('triggers')
  for (const full of onDefinition) triggeredBy(reading, full, undefined)
}

/** A trigger without one runs always. */
function condition(
  reading: Reading,
  relation: Relation,
  change: Change,
  { definition }: Trigger,
): void {
  if (definition === undefined) return
  const refused = problem(definition)
  const node = refused === undefined ? parse(definition).statements?.[0]?.stmt : undefined
  const when = as(node, 'CreateTrigStmt')?.whenClause
  if (when === undefined) reading.facts.doubt(`a trigger on ${relation.full} cannot be read`)
  const scope = versions(reading, relation, change, undefined)
  predicate(reading, when, { scope, ctes: undefined }, 'predicate')
}

/** The rows that a trigger's function is about. */
export type About = {
  readonly relation: Relation
  readonly change: Change
  readonly tables: readonly string[]
}

function triggeredBy(reading: Reading, full: string, about: About | undefined): void {
  reading.facts.call(full, 'trigger')
  for (const one of functionsNamed(reading, full)) {
    if (isServers(one)) continue
    const said = promised(reading, one)
    if (said !== undefined) {
      use(reading, said, 'written_from')
      continue
    }
    const body = bodyOf(reading, one, about)
    if (body === undefined) reading.facts.doubt(`what ${full}() does as a trigger is not read`)
    else absorb(reading, body.command)
  }
}

import type { Change, Relation, Tie } from '../../sql/catalogue.ts'
import { type Reading, use } from '../lineage/reading.ts'
import { columnsOf } from '../lineage/relations.ts'
import { ruled } from '../lineage/rules.ts'
import { stands } from '../lineage/standing.ts'
import { triggered } from '../lineage/triggers.ts'
import { viewOf } from '../lineage/views.ts'

/** One row of the query for ties. */
export function tie(row: readonly (string | null)[]): Tie {
  const [, kind, columns, oid, shown, always, onDelete, onUpdate] = row
  return {
    kind: kind === 'check' || kind === 'referenced' ? kind : 'key',
    columns: JSON.parse(columns ?? '[]'),
    shows: { oid: Number(oid), columns: JSON.parse(shown ?? '[]') },
    always: always === 't',
    along: {
      ...(onDelete === 'c' ? { delete: 'delete' as const } : {}),
      ...(sets(onDelete) ? { delete: 'update' as const } : {}),
      ...(onUpdate === 'c' || sets(onUpdate) ? { update: 'update' as const } : {}),
    },
  }
}

/** SET NULL and SET DEFAULT (pg_constraint.confdeltype). */
const sets = (action: string | null | undefined): boolean => action === 'n' || action === 'd'

/** The columns a change is of. */
export type Changed = {
  /** Names of those that are given values; all when not told. */
  readonly names?: readonly string[] | undefined
  /** Names of those that are given their defaults, besides those that are left out. */
  readonly defaults?: readonly string[]
  /** TRUNCATE follows foreign keys. */
  readonly cascade?: boolean
}

/** Records what a change is tested against, what changes along, and what runs with it. */
export function tied(
  reading: Reading,
  relation: Relation,
  change: Change,
  changed: Changed = {},
): void {
  const { catalogue } = reading.around
  const all = [relation, ...catalogue.below(relation)]
  for (const one of all) {
    const written = writtenOf(reading, relation, one, change, changed)
    tested(reading, one, change, written)
    runs(reading, one, change, written)
  }
  if (change === 'insert') return
  const named = writtenOf(reading, relation, relation, change, changed)
  along(reading, all, change, changed.cascade === true, named)
}

/** What its definition has run with a change of these columns; one that moves between partitions is deleted and inserted. */
function runs(reading: Reading, relation: Relation, change: Change, written: Numbers): void {
  stands(reading, relation, change, written)
  ruled(reading, relation, change)
  triggered(reading, relation, change, written)
  if (change !== 'update' || relation.parents.length + relation.children.length === 0) return
  triggered(reading, relation, 'insert', written)
  triggered(reading, relation, 'delete', written)
}

type Numbers = { readonly given: ReadonlySet<number>; readonly defaulted: ReadonlySet<number> }

/** Numbers of the columns of `one` that are written where a change of `relation` is one of it. */
function writtenOf(
  reading: Reading,
  relation: Relation,
  one: Relation,
  change: Change,
  { names, defaults = [] }: Changed,
): Numbers {
  const through = viewOf(reading, relation)?.columns
  const sources = new Set(
    relation.columns.flatMap((column, i) =>
      names === undefined || names.includes(column.name) ? [...(through?.[i]?.sources ?? [])] : [],
    ),
  )
  const isWritten = (name: string): boolean =>
    one === relation || (through === undefined && relation.kind !== 'view')
      ? names === undefined || names.includes(name)
      : through === undefined || sources.has(`${one.full}.${name}`)
  const named = one.columns.filter(({ name }) => isWritten(name)).map(({ number }) => number)
  const made = one.columns.filter(({ from }) => from?.some((source) => named.includes(source)))
  const given = new Set([...named, ...made.map(({ number }) => number)])
  // Which column of a table a default of a view goes to is not worked out: any.
  const isDefault = (name: string, number: number): boolean =>
    (change === 'insert' && !given.has(number)) ||
    defaults.includes(name) ||
    (one !== relation && defaults.length > 0)
  const defaulted = one.columns.filter(({ name, number }) => isDefault(name, number))
  return { given, defaulted: new Set(defaulted.map(({ number }) => number)) }
}

function tested(reading: Reading, relation: Relation, change: Change, { given }: Numbers): void {
  const { facts, around } = reading
  for (const { kind, columns, shows, always } of relation.ties) {
    const touches =
      change === 'delete' ||
      (change === 'insert' && always) ||
      columns.some((column) => given.has(column))
    if (!touches || !by[change].has(kind)) continue
    const other = around.catalogue.byOid(shows.oid)
    if (other === undefined) continue
    const shown = other.columns.filter(({ number }) => shows.columns.includes(number))
    const values = columnsOf(reading, other)
    for (const one of shown) {
      const value = values[other.columns.indexOf(one)]?.value
      if (value !== undefined) use(reading, value, 'predicate')
    }
    const names = shown.map(({ name }) => name)
    if (other !== relation) facts.touch(other.kind, other.full, 'read', names)
  }
}

const by: Readonly<Record<Change, ReadonlySet<Tie['kind']>>> = {
  insert: new Set(['key']),
  update: new Set(['key', 'check', 'referenced']),
  delete: new Set(['referenced']),
  truncate: new Set(),
}

type Step = { readonly relation: Relation; readonly change: Change; readonly written: Numbers }

/** Foreign keys carry a change on, at any depth; TRUNCATE CASCADE follows all of them. */
function along(
  reading: Reading,
  start: readonly Relation[],
  change: Change,
  cascade: boolean,
  written: Numbers,
): void {
  const { facts, around } = reading
  const seen = new Set<string>()
  const waiting: Step[] = start.map((relation) => ({ relation, change, written }))
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    for (const tie of one.relation.ties) {
      const next = around.catalogue.byOid(tie.shows.oid)
      const then = next === undefined ? undefined : carried(tie, one, cascade)
      if (next === undefined || then === undefined || seen.has(`${next.oid} ${then}`)) continue
      seen.add(`${next.oid} ${then}`)
      const numbers = new Set(tie.shows.columns)
      const columns = next.columns.filter(({ number }) => numbers.has(number))
      facts.touch(next.kind, next.full, 'write', then === 'update' ? columns.map(nameOf) : [])
      facts.effect(then === 'update' ? 'write' : 'delete')
      for (const it of [next, ...around.catalogue.below(next)]) {
        const step = { relation: it, change: then, written: { given: numbers, defaulted: numbers } }
        runs(reading, it, then, step.written)
        waiting.push(step)
      }
    }
  }
}

const nameOf = ({ name }: { readonly name: string }): string => name

/** How the rows that refer to these change with them. */
function carried(tie: Tie, { change, written }: Step, cascade: boolean): Change | undefined {
  if (tie.kind !== 'referenced') return undefined
  if (change === 'truncate') return cascade ? 'truncate' : undefined
  if (change === 'delete') return tie.along.delete
  return tie.columns.some((column) => written.given.has(column)) ? tie.along.update : undefined
}

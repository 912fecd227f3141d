import type { Relation, Tie } from '../../sql/catalogue.ts'
import { type Reading, use } from '../lineage/reading.ts'
import { columnsOf } from '../lineage/relations.ts'
import { viewOf } from '../lineage/views.ts'

/** How rows are changed. */
export type Change = 'insert' | 'update' | 'delete' | 'truncate'

/** One row of the query for ties. */
export function tie(row: readonly (string | null)[]): Tie {
  const [, kind, columns, oid, shown, always, cascades] = row
  return {
    kind: kind === 'check' || kind === 'referenced' ? kind : 'key',
    columns: JSON.parse(columns ?? '[]'),
    shows: { oid: Number(oid), columns: JSON.parse(shown ?? '[]') },
    always: always === 't',
    cascades: cascades === 't',
  }
}

/** Records what a change of these columns is tested against, and what changes along. All columns when not told. */
export function tied(
  reading: Reading,
  relation: Relation,
  change: Change,
  names?: readonly string[],
): void {
  const { catalogue } = reading.around
  const through = viewOf(reading, relation)?.columns
  const sources = new Set(
    relation.columns.flatMap((column, i) =>
      names === undefined || names.includes(column.name) ? [...(through?.[i]?.sources ?? [])] : [],
    ),
  )
  const isWritten = (one: Relation, name: string): boolean =>
    one === relation || (through === undefined && relation.kind !== 'view')
      ? names === undefined || names.includes(name)
      : through === undefined || sources.has(`${one.full}.${name}`)
  for (const one of [relation, ...catalogue.below(relation)]) {
    const named = one.columns.filter(({ name }) => isWritten(one, name)).map(({ number }) => number)
    const made = one.columns.filter(({ from }) => from?.some((source) => named.includes(source)))
    tested(reading, one, change, new Set([...named, ...made.map(({ number }) => number)]))
  }
  if (change !== 'insert') along(reading, [relation, ...catalogue.below(relation)], change)
}

function tested(
  reading: Reading,
  relation: Relation,
  change: Change,
  written: ReadonlySet<number>,
): void {
  const { facts, around } = reading
  for (const { kind, columns, shows, always } of relation.ties) {
    const touches =
      change === 'delete' ||
      (change === 'insert' && always) ||
      columns.some((column) => written.has(column))
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

/** Foreign keys carry a change on, at any depth; TRUNCATE CASCADE follows all of them. */
function along({ facts, around }: Reading, start: readonly Relation[], change: Change): void {
  const seen = new Set<Relation>(start)
  const waiting = [...start]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    for (const { kind, shows, cascades } of one.ties) {
      const next = around.catalogue.byOid(shows.oid)
      if (kind !== 'referenced' || !(cascades || change === 'truncate')) continue
      if (next === undefined || seen.has(next)) continue
      seen.add(next)
      waiting.push(next)
      facts.touch(next.kind, next.full, 'write')
      if (next.triggers.length > 0) facts.flag('triggers')
      for (const trigger of next.triggers) facts.call(trigger, 'trigger')
    }
  }
}

import type { Effect, Touched } from '../../../pdp/contract.ts'
import { type Catalogue, isView, type Relation } from '../../sql/catalogue.ts'
import type { SqlFacts } from '../../sql/facts.ts'
import type { Value } from '../../sql/lineage/value.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import { nowhere, type Reading } from './reading.ts'

/** What a view's query says: what it reads, all the way down, and where each of its columns comes from. */
export type View = {
  readonly reads: readonly Touched[]
  /** Undefined where they cannot be told. */
  readonly columns: readonly Value[] | undefined
  /** Columns its query uses, whatever for. */
  readonly uses: readonly string[]
  readonly functions: SqlFacts['functions']
  /** Why its query is not fully understood. */
  readonly incomplete: string | undefined
  readonly effects: readonly Effect[]
}

const kept = new WeakMap<Catalogue, Map<number, View | undefined>>()

/** What a view shows; undefined where the relation is none, or is the server's own. Read once for each catalogue. */
export function viewOf(reading: Reading, relation: Relation): View | undefined {
  if (!isView(relation)) return undefined
  const { catalogue, library } = reading.around
  const views = kept.get(catalogue) ?? new Map<number, View | undefined>()
  kept.set(catalogue, views)
  if (views.has(relation.oid)) return views.get(relation.oid)
  // Set first: a view that reads itself finds nothing instead of no end.
  views.set(relation.oid, undefined)
  const definition = library.view(relation.oid)
  const view = definition === undefined ? undefined : read(reading, relation, definition)
  views.set(relation.oid, view)
  return view
}

/** A relation, and whatever shows through it, is read by the statement. */
export function through(reading: Reading, relation: Relation): View | undefined {
  const view = viewOf(reading, relation)
  if (view === undefined) return undefined
  const { facts } = reading
  facts.effect(...view.effects)
  if (view.incomplete !== undefined) facts.doubt(`${relation.full}: ${view.incomplete}`)
  for (const one of view.functions) facts.call(one.name, one.class)
  for (const one of view.reads) facts.touch(one.kind, one.name, one.access, one.columns)
  facts.use(view.uses, 'inside')
  return view
}

/** Turns the relations that were referred to into facts, with what shows through them. */
export function settle(reading: Reading): void {
  const { facts, around } = reading
  for (const [relation, columns] of reading.reads) {
    // In the table's own order, so that equal statements have equal facts.
    const names = relation.columns.filter((one) => columns.has(one)).map((one) => one.name)
    facts.touch(relation.kind, relation.full, 'read', names)
    if (through(reading, relation) !== undefined) continue
    for (const one of around.catalogue.below(relation)) {
      facts.touch(one.kind, one.full, 'read', shownBy(relation, one, names))
    }
  }
}

function shownBy(relation: Relation, below: Relation, names: readonly string[]): readonly string[] {
  const all = below.columns.map((column) => column.name)
  return isView(relation) ? all : all.filter((name) => names.includes(name))
}

function read(outer: Reading, relation: Relation, definition: string): View {
  const refused = problem(definition)
  const node = refused === undefined ? parse(definition).statements?.[0]?.stmt : undefined
  if (node === undefined) return unreadable(refused ?? 'its query cannot be parsed')
  const none = () => undefined
  // Definitions are written out with every name qualified.
  const around = { ...outer.around, searchPath: [], prepared: none, cursor: none }
  try {
    const reading = outer.fresh(around)
    const columns = reading.query(node, nowhere)
    settle(reading)
    const command = reading.facts.command('view', { dialect: 'postgres', text: '' })
    const sql = command['sql'] as SqlFacts
    return {
      reads: command.objects,
      columns:
        columns?.length === relation.columns.length ? columns.map((one) => one.value) : undefined,
      uses: sql.columns?.map((one) => one.name) ?? [],
      functions: sql.functions,
      incomplete: command.incomplete,
      effects: reading.facts.effects().size === 0 ? [] : command.effects,
    }
  } catch {
    return unreadable('its query is too large to be read')
  }
}

function unreadable(incomplete: string): View {
  return {
    reads: [],
    columns: undefined,
    uses: [],
    functions: [],
    incomplete,
    effects: ['execute'],
  }
}

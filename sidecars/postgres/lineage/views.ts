import type { Effect, Touched } from '../../../pdp/contract.ts'
import { type Catalogue, isView, type Relation } from '../../sql/catalogue.ts'
import type { Facts, SqlFacts } from '../../sql/facts.ts'
import { type ColumnUse, isDeciding } from '../../sql/lineage/roles.ts'
import { nothing, type Value } from '../../sql/lineage/value.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import { FIRST_USER_OID } from '../read/snapshot.ts'
import { safeByReview } from './declared.ts'
import { nowhere, pathOf, type Reading } from './reading.ts'

/** What a view's query says: what it reads, all the way down, and where each of its columns comes from. */
export type View = {
  readonly reads: readonly Touched[]
  /** Undefined where they cannot be told. */
  readonly columns: readonly Value[] | undefined
  /** What its query uses columns for. */
  readonly uses: readonly ColumnUse[]
  readonly functions: SqlFacts['functions']
  /** Why its query is not fully understood. */
  readonly incomplete: string | undefined
  readonly effects: readonly Effect[]
}

const kept = new WeakMap<Catalogue, Map<string, View | undefined>>()
/** Views times search paths that are remembered. */
const KEPT_MAX = 20_000

/** What a view shows; undefined where the relation is none, or is the server's own. Read once for each catalogue. */
export function viewOf(reading: Reading, relation: Relation): View | undefined {
  if (!isView(relation)) return undefined
  const { catalogue, library } = reading.around
  const views = kept.get(catalogue) ?? new Map<string, View | undefined>()
  kept.set(catalogue, views)
  const key = `${relation.oid} ${pathOf(reading.around).join()}`
  if (views.has(key)) return views.get(key)
  if (views.size >= KEPT_MAX) views.clear()
  // Set first: a view that reads itself finds nothing instead of no end.
  views.set(key, undefined)
  const definition = library.view(relation.oid)
  const view = safeByReview(reading, relation.full)
    ? reviewed(relation)
    : definition === undefined
      ? undefined
      : read(reading, relation, definition)
  views.set(key, view)
  return view
}

/** A relation, and whatever shows through it, is read by the statement. */
export function through(reading: Reading, relation: Relation): View | undefined {
  const view = viewOf(reading, relation)
  const { facts } = reading
  decidesInside(reading, relation)
  if (view === undefined) return undefined
  facts.effect(...view.effects)
  if (view.incomplete !== undefined) facts.doubt(`${relation.full}: ${view.incomplete}`)
  for (const one of view.functions) facts.call(one.name, one.class)
  for (const one of view.reads) facts.touch(one.kind, one.name, one.access, one.columns)
  return view
}

/** What a view filters, joins and sorts by decides about whoever uses it; of one that cannot be told, everything may. */
export function decidesInside(reading: Reading, relation: Relation): void {
  const view = viewOf(reading, relation)
  if (view?.columns === undefined) blind(reading, relation)
  if (view !== undefined) useInside(reading.facts, view.uses)
}

/** Of a view whose query cannot be told, everything below may decide. The server's own hold nobody's values. */
function blind({ facts, around }: Reading, relation: Relation): void {
  if (!isView(relation) || relation.oid < FIRST_USER_OID) return
  for (const one of around.catalogue.below(relation)) {
    facts.use(
      one.columns.map(({ name }) => `${one.full}.${name}`),
      'predicate',
    )
  }
}

/** What decides in a view or a function decides about whoever uses it: which rows there are shows it. */
export function useInside(facts: Facts, list: readonly ColumnUse[]): void {
  for (const { name, roles } of list) {
    facts.use([name], 'inside')
    for (const role of roles) if (isDeciding(role)) facts.use([name], role)
  }
}

function read(outer: Reading, relation: Relation, definition: string): View {
  const refused = problem(definition)
  const node = refused === undefined ? parse(definition).statements?.[0]?.stmt : undefined
  if (node === undefined) return unreadable(refused ?? 'its query cannot be parsed')
  const none = () => undefined
  // Definitions are written out with every name qualified, but for what is temporary.
  const searchPath = relation.schema.startsWith('pg_temp') ? [relation.schema] : []
  const sessionPath = pathOf(outer.around)
  const around = { ...outer.around, searchPath, sessionPath, prepared: none, cursor: none }
  try {
    const reading = outer.fresh(around)
    const columns = reading.query(node, nowhere)
    reading.settle()
    const command = reading.facts.command('view', { dialect: 'postgres', text: '' })
    const sql = command['sql'] as SqlFacts
    return {
      reads: command.objects,
      columns:
        columns?.length === relation.columns.length ? columns.map((one) => one.value) : undefined,
      uses: sql.columns ?? [],
      functions: sql.functions,
      incomplete: command.incomplete,
      effects: reading.facts.effects().size === 0 ? [] : command.effects,
    }
  } catch {
    return unreadable('its query is too large to be read')
  }
}

/** Somebody reviewed what it shows: each column comes from itself alone. */
function reviewed({ columns }: Relation): View {
  return {
    reads: [],
    columns: columns.map(() => nothing),
    uses: [],
    functions: [],
    incomplete: undefined,
    effects: ['read'],
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

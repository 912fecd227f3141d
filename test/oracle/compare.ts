/** What the server's own analyser says a statement touches, next to what ours says. */
import type { Command } from '../../pdp/contract.ts'
import type { Catalogue, Relation } from '../../sidecars/sql/catalogue.ts'

/** Columns of one relation, by what is done with them. */
export type Use = {
  readonly relation: Relation
  readonly read: ReadonlySet<string>
  readonly written: ReadonlySet<string>
  readonly reads: boolean
  readonly writes: boolean
}

export type Verdict = {
  readonly kind: 'identical' | 'superset' | 'missing'
  /** What the server reports and we do not. */
  readonly missing: readonly string[]
}

/** FirstLowInvalidHeapAttributeNumber (PostgreSQL's sysattr.h): bit sets of columns start there. */
const lowest = -7
/** ACL_SELECT, and ACL_INSERT, ACL_UPDATE and ACL_DELETE together (PostgreSQL's parsenodes.h). */
const select = 2
const change = 1 | 4 | 8

const permissions =
  /:relid (\d+)(?:(?!:relid ).)*? :requiredPerms (\d+) :checkAsUser \d+ :selectedCols \(b([^)]*)\) :insertedCols \(b([^)]*)\) :updatedCols \(b([^)]*)\)/gs

/** Every use of a relation in a pg_node_tree: of range table entries up to PostgreSQL 15, of their permissions after that. */
export function serverUses(tree: string, catalogue: Catalogue): readonly Use[] {
  return [...tree.matchAll(permissions)].flatMap(([, oid, perms, selected, inserted, updated]) => {
    const relation = catalogue.byOid(Number(oid))
    if (relation === undefined) return []
    return {
      relation,
      read: columns(relation, selected ?? ''),
      written: new Set([...columns(relation, inserted ?? ''), ...columns(relation, updated ?? '')]),
      reads: (Number(perms) & select) !== 0,
      writes: (Number(perms) & change) !== 0,
    }
  })
}

function columns(relation: Relation, bits: string): ReadonlySet<string> {
  const numbers = bits
    .trim()
    .split(/\s+/)
    .filter((bit) => bit !== '')
    .map((bit) => Number(bit) + lowest)
  // Zero is the whole row; what is below are the system's own columns, which hold nobody's values.
  const named = relation.columns.filter(
    (one) => numbers.includes(0) || numbers.includes(one.number),
  )
  return new Set(named.map((one) => one.name))
}

/** Whether ours has all that the server has, and whether it has more. */
export function compared(uses: readonly Use[], command: Command, catalogue: Catalogue): Verdict {
  const ours = ourUses(command)
  const missing = uses.flatMap((use) => missingOf(use, ours))
  if (missing.length > 0) return { kind: 'missing', missing }
  return { kind: hasMore(uses, ours, catalogue) ? 'superset' : 'identical', missing }
}

function missingOf(use: Use, ours: Ours): readonly string[] {
  const { full, columns: all } = use.relation
  const lacking = (access: 'read' | 'write', wanted: boolean, names: ReadonlySet<string>) => {
    const known = ours.get(`${access} ${full}`)
    if (known === undefined) return wanted || names.size > 0 ? [`${access} of ${full}`] : []
    const listed = known.columns ?? all.map((one) => one.name)
    const not = [...names].filter((name) => !listed.includes(name))
    return not.map((name) => `${access} of ${full}.${name}`)
  }
  return [...lacking('read', use.reads, use.read), ...lacking('write', use.writes, use.written)]
}

function hasMore(uses: readonly Use[], ours: Ours, catalogue: Catalogue): boolean {
  const below = uses.flatMap((use) => catalogue.below(use.relation).map((one) => one.full))
  return [...ours].some(([key, { columns }]) => {
    const full = key.slice(key.indexOf(' ') + 1)
    const own = uses.filter((use) => use.relation.full === full)
    if (own.length === 0) return !below.includes(full)
    // A deleted row has no columns of its own.
    if (key.startsWith('write')) return false
    return columns?.some((name) => !own.some((use) => use.read.has(name))) === true
  })
}

const relationKinds = new Set(['table', 'view', 'materialized_view', 'foreign_table', 'sequence'])

/** By access and name; columns undefined where all are meant. */
type Ours = ReadonlyMap<string, { readonly columns: readonly string[] | undefined }>

function ourUses(command: Command): Ours {
  const relations = command.objects.filter((one) => relationKinds.has(one.kind))
  return new Map(
    relations.map((one) => [`${one.access} ${one.name}`, { columns: one.columns }] as const),
  )
}

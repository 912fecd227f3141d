import type { Mask } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import { type Catalogue, isView, type Relation } from '../../sql/catalogue.ts'
import type { Library } from '../../sql/lineage/library.ts'
import type { Condition } from './filter.ts'

/** What rewriting has to go by. */
export type Sealing = {
  readonly catalogue: Catalogue
  readonly library: Pick<Library, 'type' | 'view'>
  /** Schemas in order, `$user` replaced. */
  readonly searchPath: readonly string[]
  readonly mask: Mask
  /** Masked columns are replaced where they are read; otherwise only rows are filtered. */
  readonly sealed: boolean
  /** Which rows may be seen, by relation (`schema.name`). */
  readonly filters: ReadonlyMap<string, Condition>
  /** The login that read the catalogue has to be unable to read what is replaced. */
  readonly backed?: boolean
}

/** What must not be seen of one relation. */
export type Shield = {
  /** Columns replaced by constants. */
  readonly columns: ReadonlySet<string>
  /** The conditions on its rows: its own, and those of the tables it inherits from. */
  readonly filters: readonly Condition[]
  /** A view over something shielded: its query takes its place. */
  readonly inlined: boolean
  /** Rows of it would be shown that only a part of it may be filtered for. */
  readonly partial: boolean
}

/** Looks up what must not be seen of a relation; undefined where everything may be. */
export type Shields = (relation: Relation) => Shield | undefined

/** What stands behind rewriting is that the server itself refuses: a role that may read it is no sealed one. Throws Refusal. */
function unreadable(relation: Relation, whole: boolean, columns: ReadonlySet<string>): void {
  const found = relation.columns.find(
    ({ name, readable }) => readable === true && (whole || columns.has(name)),
  )
  if (found === undefined) return
  const about = `${relation.full}.${found.name}`
  throw new Refusal('unsupported_obligation', `the login of sealed sessions may read ${about}`, {
    remedy: 'Tell whoever runs the gate: postern check names the grant that is too much.',
  })
}

/** Remembers what it found out: ask once for each statement or more. */
export function shields(sealing: Sealing): Shields {
  const { catalogue, filters, mask, sealed } = sealing
  const known = new Map<number, Shield | undefined>()
  const masks = sealed && !mask.empty
  if (!masks && filters.size === 0) return () => undefined

  return function shield(relation) {
    if (known.has(relation.oid)) return known.get(relation.oid)
    const made = shieldOf(relation)
    known.set(relation.oid, made)
    return made
  }

  function shieldOf(relation: Relation): Shield | undefined {
    const below = catalogue.below(relation)
    const above = catalogue.above(relation)
    // Whoever reviewed it answers for the values it shows, not for the rows that a filter keeps from somebody.
    const hides = catalogue.declassified(relation.full) ? isFiltered : hidden
    const inlined = relation.kind === 'view' && below.some(hides)
    const columns = new Set<string>()
    for (const one of relation.columns) {
      if (masks && isMasked(relation, one, inlined)) columns.add(one.name)
    }
    const own = [relation, ...above].flatMap((one) => filters.get(one.full) ?? [])
    const partial = !isView(relation) && below.some((one) => filters.has(one.full))
    if (columns.size === 0 && own.length === 0 && !inlined && !partial) return undefined
    if (sealing.backed === true && masks) unreadable(relation, inlined, columns)
    return { columns, filters: own, inlined, partial }
  }

  /** Whether a relation below a view is shielded itself; views among them are looked through by `below`. */
  function hidden(one: Relation): boolean {
    if (isFiltered(one)) return true
    return masks && one.columns.some((column) => isMasked(one, column, false))
  }

  function isFiltered(one: Relation): boolean {
    return filters.has(one.full) || catalogue.above(one).some(({ full }) => filters.has(full))
  }

  /** A column is masked with whatever it may be made of; what an inlined view is made of was masked before. */
  function isMasked(
    relation: Relation,
    { name, number }: { readonly name: string; readonly number: number },
    inlined: boolean,
  ): boolean {
    if (inlined) return mask.column(`${relation.full}.${name}`) !== undefined
    const origin = catalogue.column(relation.oid, number)
    return (
      origin === undefined || origin.sources.some((source) => mask.column(source) !== undefined)
    )
  }
}

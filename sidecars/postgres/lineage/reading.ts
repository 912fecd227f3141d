import type { Node, WindowDef } from 'libpg-query'
import type { Command } from '../../../pdp/contract.ts'
import type { Catalogue, Column, Relation } from '../../sql/catalogue.ts'
import type { Facts } from '../../sql/facts.ts'
import type { Library } from '../../sql/lineage/library.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import type { Role } from '../../sql/lineage/roles.ts'
import type { Scope, Stored } from '../../sql/lineage/scope.ts'
import type { Value } from '../../sql/lineage/value.ts'

/** What a name stands for while one statement is read. */
export type Surroundings = {
  readonly catalogue: Catalogue
  readonly library: Library
  /** Schemas in order, `$user` replaced. */
  readonly searchPath: readonly string[]
  /** What functions look names up in that have no search path of their own, where that is another one, as in a view. */
  readonly sessionPath?: readonly string[]
  /** The command that SQL's EXECUTE runs. */
  prepared(name: string): Command | undefined
  /** The command that FETCH reads from. */
  cursor(name: string): Command | undefined
}

/** One statement being read: what is known so far. */
export type Reading = {
  readonly facts: Facts
  readonly around: Surroundings
  /** Columns of stored relations that were referred to. */
  readonly reads: Map<Relation, Set<Column>>
  /** Something is not known, so that names which mean nothing may mean that. */
  lenient: boolean
  /** Something grows so large that all it is put together with may fail by its length. */
  grows: boolean
  /** The arguments of the set_config() that the whole statement is. */
  sets: readonly Node[] | undefined
  /** References to the settings of the server that do not name which. */
  unnamed: number
  /** Nodes read so far. */
  steps: number
  /** A query anywhere in the statement: what it shows. */
  query(node: Node, at: At): Fields
  expression(node: Node | undefined, at: At): Value
  /** A whole statement inside another: what it shows. */
  statement(node: Node): Fields
  /** Turns what was referred to into facts; called once, at the end. */
  settle(): void
  /** Another statement, of a view or a function, with facts of its own. */
  fresh(around: Surroundings): Reading
}

/** Where in the statement. */
export type At = {
  readonly scope: Scope | undefined
  readonly ctes: Ctes | undefined
  readonly windows?: ReadonlyMap<string, WindowDef>
}

/** The WITH queries in sight, innermost first. */
export type Ctes = {
  readonly name: string
  /** Asked for each time the name is used. */
  columns(): Fields
  readonly outer: Ctes | undefined
}

/** The search path that code runs with which has none of its own. */
export function pathOf({ searchPath, sessionPath }: Surroundings): readonly string[] {
  return sessionPath ?? searchPath
}

/** Outside of any query. */
export const nowhere: At = { scope: undefined, ctes: undefined }

/** PostgreSQL shows no more columns than this (MaxTupleAttributeNumber): stars in stars would be without end. */
export const COLUMNS_MAX = 1664

/** Recursion is read again and again until nothing new comes; a statement this large was not meant well. */
const STEPS_MAX = 300_000

/** Counts nodes, or columns that a star stands for. Throws RangeError. */
export function step(reading: Reading, count = 1): void {
  reading.steps += count
  if (reading.steps > STEPS_MAX) throw new RangeError(`more than ${STEPS_MAX} steps`)
}

/** Records what a value's columns are used for. */
export function use({ facts }: Reading, value: Value, role: Role): void {
  if (value.sources.size > 0) facts.use(value.sources, role)
}

/** Records that these columns are referred to. */
export function refer({ reads }: Reading, stored: readonly Stored[] | undefined): void {
  for (const { relation, column } of stored ?? []) {
    const known = reads.get(relation)
    if (known === undefined) reads.set(relation, new Set([column]))
    else known.add(column)
  }
}

import type { Node, RangeVar } from 'libpg-query'
import { Refusal } from '../../../pdp/refusal.ts'
import type { Relation } from '../../sql/catalogue.ts'
import type { Body } from './build.ts'
import type { Scope } from './scope.ts'
import type { Sealing, Shield, Shields } from './shield.ts'

/** Where in a statement: what names mean there. */
export type At = {
  readonly scope: Scope | undefined
  /** WITH queries in sight. */
  readonly ctes: ReadonlySet<string>
}

/** One statement being rewritten. */
export type Work = {
  readonly sealing: Sealing
  readonly shield: Shields
  /** Rewrites whatever it is given: nodes, lists of them, and what is inside. */
  walk(value: unknown, at: At): unknown
  /** Rewrites the query of a view. */
  view(node: Node): Node
  /** How often a query took the place of a relation. */
  replaced: number
  /** How many views deep. */
  readonly depth: number
}

/** Nothing is in sight at the start of a statement. */
export const nowhere: At = { scope: undefined, ctes: new Set() }

/** What a name in FROM means: a relation of the catalogue, or undefined for a WITH query. Throws Refusal. */
export function relationOf(work: Work, range: RangeVar, ctes: At['ctes']): Relation | undefined {
  const name = range.relname ?? ''
  if (range.schemaname === undefined && ctes.has(name)) return undefined
  const { catalogue, searchPath } = work.sealing
  const found = catalogue.relation(name, range.schemaname, searchPath)
  if (found === undefined) throw inexact(`relation ${name} is not known`)
  return found
}

/** The shield of a relation whose rows are read here. Throws Refusal where it cannot be held up. */
export function shieldOf(work: Work, relation: Relation): Shield | undefined {
  const shield = work.shield(relation)
  if (shield?.partial)
    throw inexact(`${relation.full} also shows rows of a table that is filtered by itself`)
  return shield
}

/** The body of a node that is known to be of this kind. */
export function bodyOf(node: unknown, kind: string): Body | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  return (node as Readonly<Record<string, Body | undefined>>)[kind]
}

export const listOf = (value: unknown): readonly Node[] => (Array.isArray(value) ? value : [])

/** The names in a list of String nodes; a star reads as `*`. */
export function namesOf(value: unknown): readonly string[] {
  return listOf(value).map((node) => {
    const text = bodyOf(node, 'String')?.['sval']
    return typeof text === 'string' ? text : bodyOf(node, 'A_Star') === undefined ? '' : '*'
  })
}

/** Why a statement cannot be rewritten so that it means the same on masked rows. */
export function inexact(why: string, remedy?: string): Refusal {
  const detail = remedy === undefined ? {} : { remedy }
  return new Refusal('mask_impossible', `protected values cannot be kept out: ${why}`, detail)
}

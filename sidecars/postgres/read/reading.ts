import type { Node, RangeVar } from 'libpg-query'
import type { Command } from '../../../pdp/contract.ts'
import { type Catalogue, isView, type Relation } from '../../sql/catalogue.ts'
import type { Facts } from '../../sql/facts.ts'
import type { Entry, Names, Ref } from '../../sql/names.ts'
import { isGuarded } from './builtins.ts'
import { FIRST_USER_OID } from './snapshot.ts'

/** What a name stands for while one statement is read. */
export type Surroundings = {
  readonly catalogue: Catalogue
  /** Schemas in order, `$user` replaced. */
  readonly searchPath: readonly string[]
  /** The command that SQL's EXECUTE runs. */
  prepared(name: string): Command | undefined
  /** The command that FETCH reads from. */
  cursor(name: string): Command | undefined
}

/** One statement being read: what is known so far, and how to read what is inside it. */
export type Reading = {
  readonly facts: Facts
  readonly names: Names
  readonly around: Surroundings
  query(node: Node, at: At): Columns
  expression(node: Node | undefined, at: At): void
  /** The same statement, with facts of their own. */
  apart(facts: Facts): Reading
  /** Set once code ran whose answer may hold anything. */
  opaque: boolean
}

/**
 * Where in the statement: `output` is what the client is shown of it and nothing else, everything else `decides`.
 * Values that are written elsewhere decide too: what was protected would be readable there.
 */
export type At = {
  readonly place: 'output' | 'decides'
  readonly ctes: Ctes | undefined
}

/** The WITH queries in sight, innermost first. */
export type Ctes = {
  readonly name: string
  readonly columns: Columns
  readonly outer: Ctes | undefined
}

/** One output column of a query. */
export type Shown = {
  readonly name: string
  readonly refs: readonly Ref[]
  readonly plain: boolean
}

/** Undefined where the number of columns cannot be told. */
export type Columns = readonly Shown[] | undefined

/** PostgreSQL shows no more columns than this (MaxTupleAttributeNumber): stars in stars would be without end. */
export const COLUMNS_MAX = 1664

export const deciding = (at: At): At => (at.place === 'decides' ? at : { ...at, place: 'decides' })

/** What a reference to a relation means; doubts it when the catalogue does not know. */
export function relationOf(reading: Reading, range: RangeVar): Relation | undefined {
  const { facts, around } = reading
  const name = range.relname ?? ''
  const relation = around.catalogue.relation(name, range.schemaname, around.searchPath)
  if (relation === undefined) {
    facts.doubt(`relation ${range.schemaname ? `${range.schemaname}.` : ''}${name} is not known`)
  } else if (isGuarded(relation.name) && !isOwn(relation)) {
    facts.doubt(`${relation.full} shows what other sessions do, or secrets`)
  }
  return relation
}

/** Made by somebody under a guarded name; extensions excepted, whose names are listed for that reason. */
function isOwn(relation: Relation): boolean {
  const servers = relation.schema === 'pg_catalog' || relation.schema === 'information_schema'
  return !servers && !relation.name.startsWith('pg_')
}

/** The name as policies see it, also of what does not exist yet. */
export function fullName(reading: Reading, range: RangeVar): string {
  const { around } = reading
  const name = range.relname ?? ''
  const relation = around.catalogue.relation(name, range.schemaname, around.searchPath)
  return relation?.full ?? `${range.schemaname ?? around.searchPath[0] ?? 'public'}.${name}`
}

/** A statement writes to a relation, and to everything that shows through it. */
export function writeTo(
  reading: Reading,
  relation: Relation,
  columns: readonly string[] | undefined,
): void {
  const { facts, around } = reading
  const all = (one: Relation) => one.columns.map((column) => column.name)
  decidesInside(reading, relation)
  facts.touch(relation.kind, relation.full, 'write', columns ?? all(relation))
  for (const one of around.catalogue.below(relation)) {
    const view = relation.kind === 'view' || one.kind === 'view'
    facts.touch(one.kind, one.full, 'write', view || columns === undefined ? all(one) : columns)
  }
  for (const one of [relation, ...around.catalogue.below(relation)]) {
    if (one.rules) facts.doubt(`rules on ${one.full} rewrite the statement`)
    if (one.triggers.length > 0) facts.flag('triggers')
    for (const trigger of one.triggers) facts.call(trigger, 'trigger')
  }
}

/** What a view filters, joins and sorts by decides about whoever uses it; of one that cannot be read, everything may. */
export function decidesInside({ facts, around }: Reading, relation: Relation): void {
  if (!isView(relation) || relation.oid < FIRST_USER_OID) return
  const view = around.catalogue.view(relation)
  const below = around.catalogue.below(relation)
  const all = () => below.flatMap((one) => one.columns.map(({ name }) => `${one.full}.${name}`))
  for (const column of view?.decides ?? all()) facts.decide(column)
}

/** The target of a write, under its alias. */
export function target(
  reading: Reading,
  range: RangeVar | undefined,
  columns?: readonly string[],
): Entry | undefined {
  if (range === undefined) return undefined
  const relation = relationOf(reading, range)
  if (relation === undefined) {
    reading.names.expectAny()
    reading.facts.touch('table', fullName(reading, range), 'write')
    return undefined
  }
  writeTo(reading, relation, columns)
  return reading.names.entry(relation, range.alias?.aliasname, [])
}

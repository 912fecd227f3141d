import type { Declared } from '../../pdp/contract.ts'
import type { Library } from './lineage/library.ts'

/** What a relation is, in the words policies use. */
export type RelationKind =
  | 'table'
  | 'view'
  | 'materialized_view'
  | 'foreign_table'
  | 'sequence'
  | 'index'
  | 'type'

/** One column as the datastore numbers it. `from` numbers the columns of the same row it is generated from. */
export type Column = {
  readonly name: string
  readonly number: number
  readonly type: number
  /** What its type is limited to, such as a length, as the datastore writes it down; absent without a limit. */
  readonly modifier?: number
  /** The login that read the catalogue may read its values. */
  readonly readable?: boolean
  readonly from?: readonly number[]
}

/** A relation of the catalogue. Other relations are given by identity, to be looked up in the same catalogue. */
export type Relation = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `schema.name`, the form policies see. */
  readonly full: string
  readonly kind: RelationKind
  readonly columns: readonly Column[]
  /** Tables this one inherits from or is a partition of. */
  readonly parents: readonly number[]
  /** Tables whose rows are also rows of this one. */
  readonly children: readonly number[]
  /** Relations a view reads, one level down. */
  readonly reads: readonly number[]
  /** Statements that create the rules other than a view's own: they run along with statements against it. */
  readonly rules: readonly string[]
  readonly triggers: readonly Trigger[]
  readonly ties: readonly Tie[]
  /** Expressions of its definition that may run somebody's code. */
  readonly standing: readonly Standing[]
  /** Numbers of columns, none of them ever null, that no two of its rows share; the columns of children do not count. */
  readonly keys: readonly (readonly number[])[]
}

/** How rows are changed. */
export type Change = 'insert' | 'update' | 'delete' | 'truncate'

/** What runs along with changes of a relation. */
export type Trigger = {
  /** Its function, as `schema.name`. */
  readonly runs: string
  readonly on: readonly Change[]
  /** Numbers of the columns whose update it is for; empty is any. */
  readonly columns: readonly number[]
  /** Names under which it sees all the rows as they were, or as they are. */
  readonly tables: readonly string[]
  /** A statement that creates it, where a condition is part of that. */
  readonly definition: string | undefined
}

/** An expression that is worked out with rows of a relation, because its definition says so. */
export type Standing = {
  readonly kind: 'default' | 'check' | 'index' | 'policy'
  /** Numbers of the columns it gives a value, or looks at. */
  readonly columns: readonly number[]
  /** What it is worked out for. */
  readonly on: readonly ('select' | Change)[]
  /** A list of expressions. */
  readonly text: string
}

/** What a write tells of rows it does not name: its error says whether a key is taken or referenced, or a check holds. */
export type Tie = {
  /** `key` is tested by INSERT and UPDATE, `check` by UPDATE, `referenced` by UPDATE and DELETE. */
  readonly kind: 'key' | 'check' | 'referenced'
  /** Numbers of the columns whose change is tested. */
  readonly columns: readonly number[]
  /** The rows it is tested against: columns of that relation. */
  readonly shows: { readonly oid: number; readonly columns: readonly number[] }
  /** An INSERT that leaves the columns out is tested too. */
  readonly always: boolean
  /** How the rows of `shows` change along with a change of these. */
  readonly along: { readonly delete?: 'delete' | 'update'; readonly update?: 'update' }
}

/** A function of the catalogue, one per overload. */
export type Routine = {
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window'
  readonly language: string
  readonly volatility: 'immutable' | 'stable' | 'volatile'
  /** Runs with its owner's rights. */
  readonly definer: boolean
  readonly argumentsMin: number
  readonly argumentsMax: number
  readonly set: boolean
}

/** Where values come from, as `schema.table.column`; `exact` when each source is copied, false when it may be computed. */
export type Sources = { readonly sources: readonly string[]; readonly exact: boolean }

/** A column a client is shown and every column its values may come from, itself first. */
export type Origin = Sources & {
  readonly relation: string
  readonly column: string
  readonly kind: RelationKind
}

/** What a database holds, as it was at one moment. */
export interface Catalogue {
  /** Differs between any two loads. */
  readonly version: number
  /** Equal in two loads only if nothing was defined between them. */
  readonly sign: string
  /** The relation a name means. `searchPath` has `$user` already replaced; the server's own schema comes first unless named. */
  relation(
    name: string,
    schema: string | undefined,
    searchPath: readonly string[],
  ): Relation | undefined
  byOid(oid: number): Relation | undefined
  /** Schemas the login that read it may use. */
  readonly schemas: ReadonlySet<string>
  /** What a column of an answer is; undefined when the catalogue does not know it. */
  column(tableOid: number, number: number): Origin | undefined
  /** Every relation whose rows can show through: below a view at any depth, children of a table at any depth. */
  below(relation: Relation): readonly Relation[]
  /** Every table it inherits from, at any depth. */
  above(relation: Relation): readonly Relation[]
  /** What can be called, and the texts of views. */
  readonly library: Library
  functions(
    name: string,
    schema: string | undefined,
    searchPath: readonly string[],
  ): readonly Routine[]
  /** Functions that somebody's casts to types of this name run. */
  casts(type: string): readonly string[]
  /** What is said of code that cannot be read, by signature; `unsure` where it names what there is not. */
  declared(signature: string): Declared | 'unsure' | undefined
  /** Whether a view or a function, `schema.name`, shows nothing protected whatever it reads. */
  declassified(full: string): boolean
  /** Settings with a value that may hold secrets, as far as the login sees them. */
  readonly secretSettings: ReadonlySet<string>
  /** Functions, as `schema.name`, that run along with definitions. */
  readonly onDefinition: readonly string[]
}

/** Whether it shows rows of other relations. */
export function isView(relation: Relation): boolean {
  return relation.kind === 'view' || relation.kind === 'materialized_view'
}

import type { Effect } from './contract.ts'

/** What somebody answers for who has read code that a gate cannot read. */
export type Declared = {
  /** Columns it looks at, as `schema.table.column`. */
  readonly reads: readonly string[]
  /** Columns its answer may come from, besides what it is given. */
  readonly returns: readonly string[]
  /** Relations it writes to, as `schema.table`. */
  readonly writes?: readonly string[]
  /** What else it does. */
  readonly effects?: readonly Effect[]
}

/** What a bundle says of the code in one datastore: `data.code.<resource>`. */
export type Declarations = {
  /** By signature: `schema.name(type, type)`, types as the datastore writes them out. */
  readonly functions: ReadonlyMap<string, Declared>
  /** Views and functions, as `schema.name`, that show nothing protected: somebody reviewed them. */
  readonly declassify: ReadonlySet<string>
}

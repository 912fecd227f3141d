import type { Routine } from '../catalogue.ts'

/** A type of the datastore. */
export type Type = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'pseudo' | 'range'
  /** The relation whose columns are a composite's; 0 for anything else. */
  readonly relation: number
  /** What an array holds; 0 for anything else. */
  readonly element: number
  /** What a domain is made of; 0 for anything else. */
  readonly base: number
  /** Checks of a domain that may run somebody's code, in which `value` stands for what is checked. */
  readonly checks: readonly string[]
}

/** A function, one per overload, with all that is needed to tell which one a call means and what it answers. */
export type Callable = Routine & {
  readonly oid: number
  /** `schema.name(type, type)`, types as the datastore writes them out. */
  readonly signature: string
  /** Types of what it is given; a variadic one's last is that of the array. */
  readonly takes: readonly number[]
  readonly variadic: boolean
  /** Names of what it is given, '' for none. */
  readonly names: readonly string[]
  /** The type it answers. */
  readonly gives: number
  /** What it answers piece by piece: OUT parameters, or the columns of RETURNS TABLE. */
  readonly out: readonly { readonly name: string; readonly type: number }[]
  /** A statement that creates it, where it is somebody's and its language can be read. */
  readonly definition: string | undefined
  /** The search path it runs with, where it has one of its own. */
  readonly searchPath: readonly string[] | undefined
  /** Functions somebody made, as `schema.name`, that an aggregate is put together from. */
  readonly parts: readonly string[]
  /** The extension it came with, where it is compiled code. */
  readonly extension: string | undefined
}

/** An operator; `left` is 0 where it has only one side. */
export type Operator = {
  readonly left: number
  readonly right: number
  readonly gives: number
  /** The function it runs, as `schema.name`, where somebody made it. */
  readonly runs: string | undefined
}

/** What can be called, and what tells which of several is meant. */
export interface Library {
  type(oid: number): Type | undefined
  /** The type of arrays of these. */
  arrayOf(oid: number): Type | undefined
  typeNamed(
    name: string,
    schema: string | undefined,
    searchPath: readonly string[],
  ): Type | undefined
  functions(
    name: string,
    schema: string | undefined,
    searchPath: readonly string[],
  ): readonly Callable[]
  /** Operators of this name, in whatever schema. */
  operators(name: string): readonly Operator[]
  /** What turns one type into another unasked: the server itself, or the function somebody made for it. */
  conversion(from: number, to: number): Conversion | undefined
  /** Functions, as `schema.name`, that somebody made for turning types into this one unasked. */
  conversionsTo(to: number): readonly string[]
  /** The text of a view's query. */
  view(oid: number): string | undefined
}

export type Conversion = {
  readonly runs: string | undefined
  /** Not only where a value is stored. */
  readonly anywhere: boolean
}

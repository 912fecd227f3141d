import type { Node } from 'libpg-query'
import { Refusal } from '../../../pdp/refusal.ts'
import type { Relation } from '../../sql/catalogue.ts'
import type { Library, Type } from '../../sql/lineage/library.ts'
import { column, joined, literal, operation } from './build.ts'

/** Which rows of a relation may be seen. */
export type Condition =
  | { readonly all_of: readonly Condition[] }
  | { readonly any_of: readonly Condition[] }
  | { readonly column: string; readonly op: 'is_null' | 'not_null'; readonly value?: undefined }
  | { readonly column: string; readonly op: 'in'; readonly value: readonly Value[] }
  | { readonly column: string; readonly op: Comparison; readonly value: Value }

type Value = string | number | boolean
type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

const operators: Readonly<Record<Comparison, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}
const depthMax = 8
const membersMax = 1_000

/** Reads a condition as policy wrote it. Throws Refusal for anything but a condition. */
export function condition(value: unknown, depth = 0): Condition {
  if (typeof value !== 'object' || value === null) throw unreadable('is not an object')
  if (depth > depthMax) throw unreadable('nests too deep')
  const said = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(said).sort().join()
  if (keys === 'all_of') return { all_of: conditions(said['all_of'], depth) }
  if (keys === 'any_of') return { any_of: conditions(said['any_of'], depth) }
  const { column, op, value: operand } = said
  if (typeof column !== 'string') throw unreadable('names no column')
  if (op === 'is_null' || op === 'not_null') {
    if (keys !== 'column,op') throw unreadable(`says more than ${op}`)
    return { column, op }
  }
  if (keys !== 'column,op,value') throw unreadable('needs column, op and value')
  if (op === 'in') return { column, op, value: list(operand).map(scalar) }
  if (typeof op !== 'string' || !Object.hasOwn(operators, op)) throw unreadable('has an unknown op')
  return { column, op: op as Comparison, value: scalar(operand) }
}

function conditions(value: unknown, depth: number): readonly Condition[] {
  return list(value).map((one) => condition(one, depth + 1))
}

/** An empty list would let everything through, or nothing: nobody means that. */
function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw unreadable('has an empty list')
  if (value.length > membersMax) throw unreadable(`has a list of more than ${membersMax}`)
  return value
}

function scalar(value: unknown): Value {
  if (typeof value === 'string' && !value.includes('\0')) return value
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return value
  throw unreadable('compares with something that is no text, number or boolean')
}

/** The columns a condition is about. */
export function columnsIn(one: Condition): readonly string[] {
  if ('all_of' in one) return one.all_of.flatMap(columnsIn)
  return 'any_of' in one ? one.any_of.flatMap(columnsIn) : [one.column]
}

/** What an expression on a condition's columns is made of. */
export type Writing = {
  /** What its columns stand after, such as the name of their relation. */
  readonly prefix?: readonly string[]
  /** Takes the place of a column. */
  readonly values?: ReadonlyMap<string, Node>
}

/** The condition as an expression on `relation`. Throws Refusal where that is not exact. */
export function expression(
  wanted: Condition,
  relation: Relation,
  library: Pick<Library, 'type'>,
  { prefix = [], values }: Writing = {},
): Node {
  return written(wanted)

  function written(one: Condition): Node {
    if ('all_of' in one) return members('AND_EXPR', one.all_of)
    if ('any_of' in one) return members('OR_EXPR', one.any_of)
    const found = relation.columns.find(({ name }) => name === one.column)
    if (found === undefined)
      throw unreadable(`names ${relation.full}.${one.column}, which is not there`)
    const reference = values?.get(one.column) ?? column(...prefix, one.column)
    if (one.value === undefined) {
      const nulltesttype = one.op === 'is_null' ? 'IS_NULL' : 'IS_NOT_NULL'
      return { NullTest: { arg: reference, nulltesttype } }
    }
    const type = comparable(library, found.type)
    const compared = (operator: string, value: Value): Node =>
      operation(operator, reference, literal(String(value), type))
    if (one.op !== 'in') return compared(operators[one.op], one.value)
    return some(
      'OR_EXPR',
      one.value.map((value) => compared('=', value)),
    )
  }

  function members(boolop: 'AND_EXPR' | 'OR_EXPR', all: readonly Condition[]): Node {
    return some(boolop, all.map(written))
  }
}

function some(boolop: 'AND_EXPR' | 'OR_EXPR', args: readonly Node[]): Node {
  const one = joined(boolop, args)
  if (one === undefined) throw unreadable('has an empty list')
  return one
}

/** The type whose comparison PostgreSQL's own operators are; those of an extension's types may mean something else. */
export function comparable(library: Pick<Library, 'type'>, oid: number): Type {
  const type = library.type(oid)
  if (type?.kind === 'domain') return comparable(library, type.base)
  if (type?.kind === 'enum' || (type?.kind === 'base' && type.schema === 'pg_catalog')) return type
  throw unreadable('compares a column of a type that is not PostgreSQL’s own')
}

function unreadable(why: string): Refusal {
  return new Refusal('unsupported_obligation', `the row filter of policy ${why}`)
}

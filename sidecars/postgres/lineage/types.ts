import type { TypeName } from 'libpg-query'
import type { Catalogue } from '../../sql/catalogue.ts'
import type { Library, Type } from '../../sql/lineage/library.ts'
import { computed, shaped, typed, type Value } from '../../sql/lineage/value.ts'
import { words } from '../read/ast.ts'
import { doubtName } from './lookup.ts'
import type { Reading } from './reading.ts'

/** Numbers the server gives to types of its own (pg_type.dat). */
export const BOOL = 16
export const INT8 = 20
export const INT4 = 23
export const TEXT = 25
export const VARCHAR = 1043
export const NUMERIC = 1700
export const UNKNOWN = 705
export const RECORD = 2249
export const VOID = 2278
export const TSVECTOR = 3614

/** Stand for whatever they are given: an element, an array of it, and others that take any. */
export const anyElement: ReadonlySet<number> = new Set([2283, 2776, 3500, 5077, 5079])
export const anyArray: ReadonlySet<number> = new Set([2277, 5078])

/** Composites hold composites; deeper than this nobody looks. */
const DEPTH_MAX = 4

export type Known = { readonly catalogue: Catalogue; readonly library: Library }

/** The same value, known to be of this type: rows and arrays of rows get their parts, which all come from the same. */
export function ofType(known: Known, value: Value, oid: number, depth = 0): Value {
  const type = basic(known.library, oid)
  if (type === undefined || type.kind === 'pseudo') return value
  const plain = typed(value, oid)
  if (depth > DEPTH_MAX) return plain
  if (type.kind === 'composite') {
    const relation = known.catalogue.byOid(type.relation)
    const part = computed(value)
    const fields = relation?.columns.map((column) => ({
      name: column.name,
      value: ofType(known, part, column.type, depth + 1),
    }))
    return shaped(plain, fields, undefined)
  }
  if (type.element === 0) return plain
  const element = ofType(known, computed(value), type.element, depth + 1)
  return element.fields === undefined ? plain : shaped(plain, undefined, element)
}

/** The type itself, without the domains around it. */
export function basic(library: Library, oid: number): Type | undefined {
  let type = library.type(oid)
  // Domains of domains end: the server lets none hold itself.
  while (type?.kind === 'domain') type = library.type(type.base)
  return type
}

/** The type a statement names; doubts it when the catalogue does not know. */
export function typeOf(reading: Reading, name: TypeName | undefined): Type | undefined {
  if (name === undefined || name.pct_type) return undefined
  const parts = words(name.names)
  const plain = parts[parts.length - 1] ?? ''
  const schema = parts[parts.length - 2]
  const { library, searchPath } = reading.around
  const one = library.typeNamed(plain, schema, searchPath)
  const type = name.arrayBounds === undefined ? one : one && library.arrayOf(one.oid)
  if (type === undefined && !reading.lenient) doubtName(reading, 'type', plain, schema)
  return type
}

import type { Callable, Conversion, Library, Operator, Type } from '../../sql/lineage/library.ts'
import { domainChecks, views } from '../read/snapshot.ts'
import { routines } from './routines.ts'
import * as sql from './snapshot.ts'

type Rows = readonly (readonly (string | null)[])[]
type Query = (sql: string) => Promise<Rows>

const TYPES_MAX = 1_000_000
const OPERATORS_MAX = 200_000

/** Reads what can be called, inside the transaction that the rest of the catalogue is read in. Rejects when it is too much. */
export async function loadLibrary(query: Query): Promise<Library> {
  return library({
    types: types(await query(sql.types), await query(domainChecks)),
    routines: routines(await query(sql.routines), await query(sql.aggregates)),
    operators: operators(await query(sql.operators)),
    conversions: conversions(await query(sql.conversions)),
    views: new Map((await query(views)).map((row) => [Number(row[0]), row[1] ?? ''])),
  })
}

type Found = {
  readonly types: ReadonlyMap<number, Type>
  readonly routines: ReadonlyMap<string, readonly Callable[]>
  readonly operators: ReadonlyMap<string, readonly Operator[]>
  readonly conversions: ReadonlyMap<string, Conversion>
  readonly views: ReadonlyMap<number, string>
}

function library(found: Found): Library {
  const byName = new Map<string, Type>()
  const arrays = new Map<number, Type>()
  for (const type of found.types.values()) {
    byName.set(`${type.schema}.${type.name}`, type)
    if (type.element !== 0) arrays.set(type.element, type)
  }
  const onto = new Map<string, string[]>()
  for (const [key, { runs }] of found.conversions) {
    if (runs === undefined) continue
    const to = key.slice(key.indexOf('>') + 1)
    onto.set(to, [...(onto.get(to) ?? []), runs])
  }
  return {
    type: (oid) => found.types.get(oid),
    arrayOf: (oid) => arrays.get(oid),
    typeNamed: (name, schema, searchPath) => {
      if (schema !== undefined) return byName.get(`${schema}.${name}`)
      for (const one of path(searchPath)) {
        const type = byName.get(`${one}.${name}`)
        if (type !== undefined) return type
      }
      return undefined
    },
    functions: (name, schema, searchPath) => {
      const named = found.routines.get(name) ?? []
      const schemas = schema === undefined ? path(searchPath) : [schema]
      return named.filter((one) => schemas.includes(one.schema))
    },
    operators: (name) => found.operators.get(name) ?? [],
    conversionsTo: (to) => onto.get(String(to)) ?? [],
    conversion: (from, to) => found.conversions.get(`${from}>${to}`),
    view: (oid) => found.views.get(oid),
  }
}

/** The server's own schema comes first unless it is named (documentation 5.9.5). */
function path(searchPath: readonly string[]): readonly string[] {
  return searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath]
}

const kinds: Readonly<Record<string, Type['kind']>> = {
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'range',
  p: 'pseudo',
  r: 'range',
}

function types(rows: Rows, checks: Rows): ReadonlyMap<number, Type> {
  const checksOf = Map.groupBy(checks, ([type]) => type)
  if (rows.length > TYPES_MAX) throw new Error(`the catalogue has more than ${TYPES_MAX} types`)
  const found = new Map<number, Type>()
  for (const [oid, schema, name, kind, relation, element, base] of rows) {
    found.set(Number(oid), {
      oid: Number(oid),
      schema: schema ?? '',
      name: name ?? '',
      kind: kinds[kind ?? ''] ?? 'base',
      relation: Number(relation),
      element: Number(element),
      base: Number(base),
      checks: checksOf.get(oid ?? null)?.map(([, text]) => text ?? '') ?? [],
    })
  }
  return found
}

function operators(rows: Rows): ReadonlyMap<string, readonly Operator[]> {
  if (rows.length > OPERATORS_MAX) {
    throw new Error(`the catalogue has more than ${OPERATORS_MAX} operators`)
  }
  const found = new Map<string, Operator[]>()
  for (const [name, left, right, gives, schema, routine] of rows) {
    const list = found.get(name ?? '') ?? []
    found.set(name ?? '', list)
    list.push({
      left: Number(left),
      right: Number(right),
      gives: Number(gives),
      runs: schema === null ? undefined : `${schema}.${routine}`,
    })
  }
  return found
}

function conversions(rows: Rows): ReadonlyMap<string, Conversion> {
  return new Map(
    rows.map(([from, to, schema, routine, anywhere]) => [
      `${from}>${to}`,
      { runs: schema === null ? undefined : `${schema}.${routine}`, anywhere: anywhere === 't' },
    ]),
  )
}

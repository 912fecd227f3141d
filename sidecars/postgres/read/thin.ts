import type { A_Const, Node } from 'libpg-query'
import { as, word } from './ast.ts'

/** Types whose literals mean nothing but a value: what names something, such as regclass, is none of them. */
const plainTypes = new Set(
  'bool bpchar bytea date float4 float8 int2 int4 int8 interval json jsonb numeric text time timestamp timestamptz timetz uuid varchar'.split(
    ' ',
  ),
)

/**
 * A tree without the rows of VALUES from which nothing is learned after those before them: they differ in plain values
 * only. Of the values themselves nothing may be told from it, and it is not what runs.
 */
export function thin<T>(tree: T): T {
  return thinned(tree) as T
}

function thinned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(thinned)
  const made: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value))
    made[key] = key === 'valuesLists' ? rowsOf(inner as readonly Node[]) : thinned(inner)
  return made
}

/** The first row of each kind; each column is what it can be in any row. */
function rowsOf(rows: readonly Node[]): readonly unknown[] {
  const first = new Map<string, Node>()
  for (const row of rows) {
    const kind = kindOf(row)
    if (!first.has(kind)) first.set(kind, row)
  }
  return [...first.values()].map(thinned)
}

/** Equal for rows that differ in plain values only. */
function kindOf(row: Node): string {
  return JSON.stringify((as(row, 'List')?.items ?? []).map((item) => anyValue(item)))
}

function anyValue(item: Node): unknown {
  const constant = as(item, 'A_Const')
  if (constant !== undefined) return typeOf(constant)
  const cast = as(item, 'TypeCast')
  const value = as(cast?.arg, 'A_Const')
  if (cast === undefined || value === undefined || !isPlain(cast.typeName?.names)) return item
  return [typeOf(value), cast.typeName]
}

/** What a literal is taken for depends on how it is written, and of a whole number on how large it is. */
function typeOf({ ival, fval, boolval, bsval, sval }: A_Const): string {
  if (fval !== undefined) return /^\d{1,18}$/.test(fval.fval ?? '') ? 'bigint' : 'number'
  if (ival !== undefined) return 'integer'
  if (boolval !== undefined) return 'boolean'
  if (bsval !== undefined) return 'bits'
  return sval === undefined ? 'null' : 'string'
}

function isPlain(names: readonly Node[] | undefined): boolean {
  const [first, second] = (names ?? []).map(word)
  return names?.length === 2
    ? first === 'pg_catalog' && plainTypes.has(second ?? '')
    : plainTypes.has(first ?? '') && names?.length === 1
}

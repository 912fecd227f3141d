import type { Node, SelectStmt } from 'libpg-query'
import { as, literal, words } from './ast.ts'

/** Schemas as the setting search_path has them, `$user` and `pg_temp` among them. */
export type Names = readonly string[]

/** What a statement does to search_path once it has run; without names it goes back to what the session began with. */
export type PathChange =
  | { readonly kind: 'set'; readonly names: Names | undefined; readonly local: boolean }
  | { readonly kind: 'begin' | 'discard' | 'may_commit' }
  | { readonly kind: 'commit' | 'rollback'; readonly chain: boolean }
  | { readonly kind: 'savepoint' | 'release' | 'rollback_to'; readonly name: string }

/** Longer names are cut by the server, in bytes of its own encoding (NAMEDATALEN). */
const nameBytesMax = 63
const plain = /^[\t\n\r -~]*$/
const one = /[\t\n\r ]*(?:"((?:[^"]|"")*)"|([^",\t\n\r ][^,\t\n\r ]*))[\t\n\r ]*(,|$)/y

/** The names in the text of the setting (SplitIdentifierString); undefined where it cannot be read for sure. */
export function namesIn(text: string): Names | undefined {
  if (!plain.test(text)) return undefined
  if (text.trim() === '') return []
  const names: string[] = []
  for (let at = 0; ; ) {
    one.lastIndex = at
    const found = one.exec(text)
    if (found === null) return undefined
    const [, quoted, bare = '', end] = found
    const name = quoted?.replaceAll('""', '"') ?? bare.toLowerCase()
    if (name.length > nameBytesMax) return undefined
    names.push(name)
    at = one.lastIndex
    if (end === '') return names
  }
}

/** The names that SET is given, each in a string or a word of its own. */
export function namesOf(args: readonly Node[] | undefined): Names | undefined {
  const names: string[] = []
  for (const arg of args ?? []) {
    const text = as(arg, 'A_Const')?.sval
    if (text === undefined || Buffer.byteLength(text.sval ?? '') > nameBytesMax) return undefined
    names.push(text.sval ?? '')
  }
  return names
}

/** A statement that is nothing but one call of set_config() for search_path, which therefore surely runs once. */
export type Sets = { readonly args: readonly Node[]; readonly change: PathChange }

/** Reads `SELECT set_config('search_path', …)`; undefined for anything else or more. */
export function setsPath(node: SelectStmt): Sets | undefined {
  const [target, ...others] = node.targetList ?? []
  const call = as(as(target, 'ResTarget')?.val, 'FuncCall')
  if (call === undefined || others.length > 0 || !isBare(node)) return undefined
  const { args = [], funcname, agg_filter, over, func_variadic } = call
  const [name, value, local, ...more] = args
  const [last, schema = 'pg_catalog'] = [...words(funcname)].reverse()
  if (last !== 'set_config' || schema !== 'pg_catalog' || more.length > 0) return undefined
  if (agg_filter !== undefined || over !== undefined || func_variadic) return undefined
  if (literal(name)?.toLowerCase() !== 'search_path') return undefined
  const text = as(value, 'A_Const')?.sval
  const isLocal = as(local, 'A_Const')?.boolval
  const names = text === undefined ? undefined : namesIn(text.sval ?? '')
  if (names === undefined || isLocal === undefined) return undefined
  return { args, change: { kind: 'set', names, local: isLocal.boolval === true } }
}

const bare = new Set(['targetList', 'limitOption', 'op'])

function isBare(node: SelectStmt): boolean {
  return (
    Object.keys(node).every((key) => bare.has(key)) && (node.op ?? 'SETOP_NONE') === 'SETOP_NONE'
  )
}

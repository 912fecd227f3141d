import type { Node, SelectStmt } from 'libpg-query'
import type { Column, Relation } from '../../sql/catalogue.ts'
import { as, literal, word, words } from '../read/ast.ts'
import { isSecretSetting, type Secret, secretOf } from '../read/secrets.ts'
import type { Reading } from './reading.ts'

/** Doubts a reference to a relation that is not shown at all, whatever of it is meant. */
export function guardRelation({ facts }: Reading, relation: Relation): void {
  const secret = secretIn(relation)
  if (secret !== undefined && secret.columns === undefined) facts.doubt(hidden(relation, secret))
}

/** Doubts what is written where something is not shown: an answer to a write tells of it. */
export function guardTarget({ facts }: Reading, relation: Relation): void {
  const secret = secretIn(relation)
  if (secret !== undefined) facts.doubt(hidden(relation, secret))
}

/** Doubts the columns that are not shown, once it is known which are referred to. */
export function guardColumns(
  reading: Reading,
  relation: Relation,
  columns: ReadonlySet<Column>,
): void {
  const secret = secretIn(relation)
  if (secret?.columns === undefined) return
  const found = [...columns].find(({ name }) => secret.columns?.has(name))
  if (found === undefined || (secret.settings && !isOpen(reading, relation))) return
  reading.facts.doubt(hidden({ full: `${relation.full}.${found.name}` }, secret))
}

/** There is something to see, and it is not settings by harmless names alone. */
function isOpen({ around, unnamed }: Reading, { name }: Relation): boolean {
  return around.catalogue.secretSettings.size > 0 && (name !== 'pg_settings' || unnamed > 0)
}

const hidden = ({ full }: { readonly full: string }, { why }: Secret): string =>
  `${full} shows ${why}`

/** Somebody's own relation may have such a name; extensions' are listed for that reason. */
function secretIn({ schema, name }: Relation): Secret | undefined {
  const servers = schema === 'pg_catalog' || schema === 'information_schema'
  return servers || name.startsWith('pg_') ? secretOf(name) : undefined
}

/** Reads FROM of a query; settings that its WHERE gives harmless names do not count as open. */
export function namingSettings<T>(reading: Reading, body: SelectStmt, from: () => T): T {
  const before = reading.unnamed
  const items = from()
  if (reading.unnamed === before + 1 && names(body)) reading.unnamed = before
  return items
}

function names({ fromClause = [], whereClause }: SelectStmt): boolean {
  const [only] = fromClause
  const range = as(only, 'RangeVar')
  if (fromClause.length !== 1 || range === undefined) return false
  const alias = range.alias?.aliasname ?? range.relname ?? ''
  if ((range.alias?.colnames ?? []).length > 0) return false
  const both = as(whereClause, 'BoolExpr')
  const terms = both?.boolop === 'AND_EXPR' ? (both.args ?? []) : [whereClause]
  return terms.some((term) => isNamed(term, alias))
}

/** `name = 'literal'` or `name IN ('literal', ...)`. */
function isNamed(term: Node | undefined, alias: string): boolean {
  const expression = as(term, 'A_Expr')
  const kinds = ['AEXPR_OP', 'AEXPR_IN']
  if (expression === undefined || !kinds.includes(expression.kind ?? '')) return false
  if (word(expression.name?.at(-1)) !== '=') return false
  const parts = words(as(expression.lexpr, 'ColumnRef')?.fields)
  if (parts.at(-1) !== 'name' || (parts.length === 2 && parts[0] !== alias) || parts.length > 2)
    return false
  const list = as(expression.rexpr, 'List')?.items ?? [expression.rexpr]
  return list.every((one) => {
    const name = literal(one)
    return name !== undefined && !isSecretSetting(name)
  })
}

/** SHOW, and current_setting(): what is asked for by name. Without one it may be any, or all of them. */
export function guardSetting({ facts, around }: Reading, name: string | undefined): void {
  if (name !== undefined) {
    if (isSecretSetting(name)) facts.doubt(`the setting ${name} may hold a secret`)
  } else if (around.catalogue.secretSettings.size > 0)
    facts.doubt('some settings may hold secrets: write the name of the one that is wanted')
}

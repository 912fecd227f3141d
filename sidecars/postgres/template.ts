import type { Node } from 'libpg-query'
import { as, below, open, word } from './read/ast.ts'
import { parse } from './read/parser.ts'
import { canonical } from './rewrite/canonical.ts'
import type { Statement } from './statement.ts'

/** Longer statements are not likely to come again with other values. */
const charsMax = 4 * 1024
/**
 * What a plain statement is made of: blanks, names and words, quoted names, a string of harmless letters, a number that
 * is an integer whatever it is, and single operators and marks. Nothing that begins a comment, an escape or a dollar quote.
 */
const token =
  /[ \t\r\n]+|[a-z_][a-z0-9_]*(?!['&a-z0-9_$\u0080-\uffff])|"[ !#-~]*"|'([ !#-&(-[\]-~]*)'(?!')|(0|[1-9][0-9]{0,8})(?![.a-z0-9_$\u0080-\uffff])|::?|[(),.;*+<>=|~!%-]/iy
const blank = /\s/

/** A statement with its values, as they are written, taken out: equal keys mean statements that differ in nothing else. */
export type Template = { readonly key: string; readonly values: readonly string[] }

/** Undefined for anything that is not plain: then only the very same text is the same statement. */
export function template(text: string): Template | undefined {
  if (text.length > charsMax) return undefined
  let key = ''
  const values: string[] = []
  let afterValue = false
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at
    const found = token.exec(text)
    if (found === null) return undefined
    const [whole] = found
    const value = stands(found)
    // Two strings in a row may be one; a comment begins with two marks.
    if (value === undefined ? text.startsWith('--', at) : afterValue) return undefined
    if (value !== undefined) values.push(whole)
    key += value ?? whole
    if (!blank.test(whole)) afterValue = value !== undefined
    at += whole.length
  }
  return values.length === 0 ? undefined : { key, values }
}

/** What stands for a string or an integer; no statement holds a NUL. */
function stands([, string, number]: RegExpExecArray): string | undefined {
  if (string !== undefined) return '\0s'
  return number === undefined ? undefined : '\0i'
}

/**
 * Whether what was read of this statement holds for every other value as well: it is a plain query or write, and each
 * of its values is compared with something, or written as it is. Everywhere else, as in LIMIT, ORDER BY, a function's
 * argument or a type, a value may mean more than itself.
 */
export function isForAll(
  statements: readonly Statement[],
  text: string,
  { values }: Template,
): boolean {
  const [statement, ...others] = statements
  if (statement?.upstream === undefined || others.length > 0) return false
  const { command, names, needs, copy, transaction, path } = statement
  if (command.incomplete !== undefined || command.text !== bodyOf(text)) return false
  if (names.length + needs.length > 0 || copy !== undefined) return false
  if (transaction !== undefined || path !== undefined) return false
  // Which of its rows may be shown depends on the name it is asked for.
  if (command.objects.some((one) => one.name === 'pg_catalog.pg_settings')) return false
  const nodes = parse(text).statements?.map(({ stmt }) => stmt) ?? []
  const [node] = nodes
  const kind = node === undefined ? undefined : open(node)?.kind
  if (nodes.length !== 1 || node === undefined || !plain.has(kind ?? '')) return false
  return free(node) === values.length
}

/** What runs in place of a statement with its values taken out: the parts between them, and which value follows each. */
export type Pattern = { readonly parts: readonly string[]; readonly order: readonly number[] }

/** What goes upstream for every statement of this template. Undefined where its values cannot be told apart there. */
export function pattern({ key, values }: Template): Pattern | undefined {
  const marks = values.map((value, index) =>
    value.startsWith("'") ? `'postern ${index}'` : `${markMin + index}`,
  )
  const [only] =
    parse(filled({ parts: key.split(gap), order: values.map((_, at) => at) }, marks)).statements ??
    []
  const made = only?.stmt && canonical(only.stmt).text
  const shape = made === undefined ? undefined : template(made)
  const order = shape?.values.map((value) => marks.indexOf(value)) ?? []
  const once = new Set(order).size === marks.length && order.length === marks.length
  return shape === undefined || !once || order.includes(-1)
    ? undefined
    : { parts: shape.key.split(gap), order }
}

/** Integers of nine digits, which no index reaches. */
const markMin = 900_000_000
const gap = /\0[si]/

function filled({ parts, order }: Pattern, values: readonly string[]): string {
  let text = parts[0] ?? ''
  for (const [at, which] of order.entries()) text += `${values[which]}${parts[at + 1]}`
  return text
}

/** The same with the text and the values of another. */
export function withText(
  statement: Statement,
  text: string,
  { values }: Template,
  upstream: Pattern,
): Statement {
  return {
    ...statement,
    command: { ...statement.command, text: bodyOf(text) },
    upstream: filled(upstream, values),
  }
}

/** The statement in a text of one. */
const bodyOf = (text: string): string => text.replace(/;\s*$/, '').trim()

const plain = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt'])
const comparing = new Set(['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~~*', '!~~*'])
const comparisons = new Set(['AEXPR_OP', 'AEXPR_IN', 'AEXPR_LIKE', 'AEXPR_ILIKE', 'AEXPR_BETWEEN'])

/** How many values stand where only their being there matters. */
function free(node: Node): number {
  let count = own(node)
  below(open(node)?.body, (inner) => {
    count += free(inner)
  })
  return count
}

function own(node: Node): number {
  const expression = as(node, 'A_Expr')
  if (expression !== undefined) {
    const operator = word(expression.name?.[(expression.name?.length ?? 0) - 1])
    const known =
      comparisons.has(expression.kind ?? '') &&
      (expression.kind === 'AEXPR_BETWEEN' || comparing.has(operator))
    return known ? constants(expression.lexpr) + constants(expression.rexpr) : 0
  }
  const select = as(node, 'SelectStmt')
  if (select?.valuesLists !== undefined)
    return select.valuesLists.reduce((sum, row) => sum + constants(row), 0)
  const update = as(node, 'UpdateStmt')
  return (update?.targetList ?? []).reduce(
    (sum, target) => sum + constants(as(target, 'ResTarget')?.val),
    0,
  )
}

/** A value itself, or those in a list. */
function constants(node: Node | undefined): number {
  const list = as(node, 'List')
  if (list !== undefined) return (list.items ?? []).reduce((sum, one) => sum + constants(one), 0)
  const constant = as(node, 'A_Const')
  return constant?.sval !== undefined || constant?.ival !== undefined ? 1 : 0
}

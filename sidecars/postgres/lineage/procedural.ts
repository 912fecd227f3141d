import type { DoStmt, Node } from 'libpg-query'
import type { SqlFacts } from '../../sql/facts.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import type { Named } from '../../sql/lineage/scope.ts'
import { computed, copyOf, type Value } from '../../sql/lineage/value.ts'
import { as, word } from '../read/ast.ts'
import { problem } from '../read/limits.ts'
import { parse, parseProcedural } from '../read/parser.ts'
import { executes } from './execute.ts'
import { variables } from './parameters.ts'
import { type At, type Reading, use } from './reading.ts'
import { columnsOf } from './relations.ts'
import type { About } from './triggers.ts'
import { transition, versions } from './versions.ts'

/** How many parts of a procedure are read; each is at least a few characters of its source. */
const PARTS_MAX = 20_000

/** A piece of SQL in a procedure: `mode` says what it is (RawParseMode). */
type Piece = { readonly query: string; readonly mode: number }

/** Reads PL/pgSQL coarsely: its answer may come from every column that any part of it touches. Throws RangeError. */
export function procedural(
  reading: Reading,
  definition: string,
  about?: About,
): { readonly columns: Fields; readonly from: Value } {
  const tree = parseProcedural(definition)
  if (tree === undefined) throw new RangeError('its source cannot be parsed')
  procedure(
    reading,
    tree,
    about === undefined ? { scope: variables, ctes: undefined } : at(reading, about),
  )
  const writes = reading.facts.effects().has('write') || reading.facts.effects().has('delete')
  // What it looks at may go, through its variables, into what it writes or into the row it is run for.
  if (writes || about !== undefined) decideAll(reading)
  reading.settle()
  const { columns = [] } = reading.facts.command('', { dialect: '', text: '' })['sql'] as SqlFacts
  const looked = columns.filter(({ roles }) => roles.some((role) => role !== 'written_to'))
  const touched = [...reading.reads.keys()].flatMap((relation) =>
    columnsOf(reading, relation).filter((one) => isRead(reading, one)),
  )
  const values = touched.map((one) => one.value)
  return { columns: undefined, from: computed(copyOf(looked.map((one) => one.name)), ...values) }
}

/** A trigger's function sees the row that is changed, and tables of all of them. */
function at(reading: Reading, { relation, change, tables }: About): At {
  return {
    scope: versions(reading, relation, change, variables),
    ctes: transition(reading, relation, change, tables),
  }
}

function decideAll(reading: Reading): void {
  for (const relation of reading.reads.keys()) {
    for (const one of columnsOf(reading, relation)) {
      if (isRead(reading, one)) use(reading, one.value, 'written_from')
    }
  }
}

function isRead({ reads }: Reading, { stored }: Named): boolean {
  return stored?.some((one) => reads.get(one.relation)?.has(one.column)) === true
}

/** Reads a DO block, which is a procedure without a name. */
export function block(reading: Reading, body: DoStmt): void {
  const options = new Map(
    (body.args ?? []).map((one) => [as(one, 'DefElem')?.defname, as(one, 'DefElem')?.arg]),
  )
  const source = word(options.get('as'))
  const language = options.has('language') ? word(options.get('language')) : 'plpgsql'
  executes(reading, 'do', `user:${language}`)
  const quote = `$${'q'.repeat(1 + longestOf(source))}$`
  const definition = `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS ${quote}${source}${quote}`
  const tree =
    language === 'plpgsql' && problem(source) === undefined
      ? parseProcedural(definition)
      : undefined
  if (tree === undefined) {
    reading.facts.doubt('what a DO block does is not read')
    return
  }
  procedure(reading, tree, { scope: variables, ctes: undefined })
}

/** How many letters in a row would end a text that is quoted by as many. */
function longestOf(source: string): number {
  return Math.max(0, ...Array.from(source.matchAll(/q+/g), ([run]) => run.length))
}

function procedure(reading: Reading, tree: object, at: At): void {
  const pieces: Piece[] = []
  collect(reading, tree, pieces)
  for (const one of pieces) piece(reading, one, at)
}

function collect(reading: Reading, value: unknown, pieces: Piece[]): void {
  if (value === null || typeof value !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    if (dynamic.has(key)) reading.facts.doubt('a function runs a text as SQL')
    if (key === 'PLpgSQL_expr') {
      const { query = '', parseMode = 0 } = inner as { query?: string; parseMode?: number }
      pieces.push({ query, mode: parseMode })
      if (pieces.length > PARTS_MAX) throw new RangeError('too many parts')
    } else collect(reading, inner, pieces)
  }
}

const dynamic = new Set(['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors', 'dynquery'])

function piece(reading: Reading, one: Piece, at: At): void {
  const text = textOf(one)
  const refused = problem(text)
  const statements = refused === undefined ? parse(text).statements : undefined
  if (statements === undefined) {
    reading.facts.doubt('a part of a function cannot be parsed')
    return
  }
  for (const { stmt } of statements) if (stmt !== undefined) touched(reading, stmt, at)
}

/** Everything the part shows or is given may come out of the function. */
function touched(reading: Reading, node: Node, at: At): void {
  const isQuery = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].some(
    (kind) => kind in node,
  )
  const columns = isQuery ? reading.query(node, at) : reading.statement(node)
  for (const { value } of columns ?? []) reading.facts.use(value.sources, 'derived')
  if (isQuery && columns === undefined) reading.facts.doubt('what a function shows is not known')
  if (columns?.some((one) => one.value.unknown)) {
    reading.facts.doubt('what a function shows is not known')
  }
}

/** An expression is read as the query that shows it; an assignment as what is assigned. */
function textOf({ query, mode }: Piece): string {
  if (mode === 0) return query
  if (mode === 2) return `SELECT ${query}`
  const at = query.search(/:?=/)
  const value = query.slice(at).replace(/^:?=/, '')
  const target = query.slice(0, at)
  // `a[i] := v` works out the index too.
  const bracket = target.indexOf('[')
  return bracket < 0 ? `SELECT ${value}` : `SELECT ${value}, ARRAY${target.slice(bracket)}`
}

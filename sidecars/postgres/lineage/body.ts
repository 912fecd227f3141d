import type { CreateFunctionStmt, Node } from 'libpg-query'
import type { Callable } from '../../sql/lineage/library.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import type { Scope } from '../../sql/lineage/scope.ts'
import { computed, type Value } from '../../sql/lineage/value.ts'
import { as, word } from '../read/ast.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import type { Body } from './bodies.ts'
import { parameters } from './parameters.ts'
import { procedural } from './procedural.ts'
import { pathOf, type Reading } from './reading.ts'
import type { About } from './triggers.ts'
import { VOID } from './types.ts'

/** Reads the source of a function; undefined where it cannot be read. */
export function read(outer: Reading, one: Callable, about?: About): Body | undefined {
  const { definition } = one
  if (definition === undefined || problem(definition) !== undefined) return undefined
  const searchPath = one.searchPath ?? pathOf(outer.around)
  const none = () => undefined
  const around = {
    ...outer.around,
    searchPath,
    sessionPath: searchPath,
    prepared: none,
    cursor: none,
  }
  try {
    const reading = outer.fresh(around)
    const { columns, from } =
      one.language === 'sql'
        ? sql(reading, one, definition)
        : procedural(reading, definition, about)
    reading.settle()
    const command = reading.facts.command('function', { dialect: 'postgres', text: '' })
    const effects = reading.facts.effects().size === 0 ? [] : command.effects
    return { command: { ...command, effects }, columns, from }
  } catch {
    return undefined
  }
}

type Found = { readonly columns: Fields; readonly from: Value }

/** The statements of a function in SQL; the last one's rows are its answer. */
function sql(reading: Reading, one: Callable, definition: string): Found {
  const created = as(parse(definition).statements?.[0]?.stmt, 'CreateFunctionStmt')
  const scope = parameters(reading.around, one)
  let columns: Fields = []
  for (const node of statements(created)) columns = shown(reading, node, scope)
  if (columns === undefined && one.gives !== VOID) {
    reading.facts.doubt('the columns of a function are not known')
  }
  return { columns, from: computed(...(columns ?? []).map((field) => field.value)) }
}

function shown(reading: Reading, node: Node, scope: Scope): Fields {
  const returned = as(node, 'ReturnStmt')
  const at = { scope, ctes: undefined }
  if (returned !== undefined) {
    return [{ name: '', value: reading.expression(returned.returnval, at) }]
  }
  const columns = isQuery(node) ? reading.query(node, at) : reading.statement(node)
  return columns
}

function isQuery(node: Node): boolean {
  return ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].some(
    (kind) => kind in node,
  )
}

/** A body is a text, or since PostgreSQL 14 a part of the statement itself. */
function statements(created: CreateFunctionStmt | undefined): readonly Node[] {
  if (created === undefined) throw new RangeError('not a function')
  if (created.sql_body !== undefined) return flat(created.sql_body)
  const option = created.options?.find((one) => as(one, 'DefElem')?.defname === 'as')
  const text = word(as(as(option, 'DefElem')?.arg, 'List')?.items?.[0])
  const refused = problem(text)
  const parsed = refused === undefined ? parse(text) : { problem: refused }
  if (!('statements' in parsed) || parsed.statements === undefined) {
    throw new RangeError(parsed.problem)
  }
  return parsed.statements.flatMap((one) => one.stmt ?? [])
}

function flat(node: Node): readonly Node[] {
  const items = as(node, 'List')?.items
  return items === undefined ? [node] : items.flatMap(flat)
}

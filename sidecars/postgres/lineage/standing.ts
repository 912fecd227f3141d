import type { Command } from '../../../pdp/contract.ts'
import type { Catalogue, Change, Relation, Standing } from '../../sql/catalogue.ts'
import type { SqlFacts } from '../../sql/facts.ts'
import type { Scope } from '../../sql/lineage/scope.ts'
import { computed, nothing, type Value } from '../../sql/lineage/value.ts'
import { as } from '../read/ast.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import { absorb } from './absorb.ts'
import { pathOf, type Reading, use } from './reading.ts'
import { columnsOf } from './relations.ts'
import { rowOf } from './versions.ts'

const policyOn: Readonly<Record<string, Standing['on']>> = {
  r: ['select'],
  a: ['insert'],
  w: ['update'],
  d: ['delete'],
  '*': ['select', 'insert', 'update', 'delete'],
}

/** One row of the query for expressions. */
export function standing(row: readonly (string | null)[]): Standing {
  const [, kind, columns, when, text] = row
  const on: Standing['on'] =
    kind === 'policy'
      ? (policyOn[when ?? ''] ?? ['select', 'insert', 'update', 'delete'])
      : when === 'v'
        ? ['select', 'insert', 'update']
        : ['insert', 'update']
  return {
    kind: kind === 'default' || kind === 'index' || kind === 'policy' ? kind : 'check',
    columns: JSON.parse(columns ?? '[]'),
    on,
    text: text ?? '',
  }
}

/** The columns of a change, by number. */
export type Written = {
  readonly given: ReadonlySet<number>
  readonly defaulted: ReadonlySet<number>
}

/** Records what the expressions in a relation's definition do when its rows are used like this. */
export function stands(
  reading: Reading,
  relation: Relation,
  change: Change | 'select',
  { given, defaulted }: Written,
): void {
  for (const one of relation.standing) {
    if (!one.on.includes(change)) continue
    if (one.kind === 'default' && !one.columns.some((column) => defaulted.has(column))) continue
    const command = read(reading, relation, one, change)
    absorb(reading, command)
    if (change !== 'update' || one.kind === 'default') continue
    // Rows passed before: only what is new in them, or what somebody's code does with them, can tell of the rest.
    if (!one.columns.some((column) => given.has(column)) && !acts(command)) continue
    const values = columnsOf(reading, relation)
    for (const [i, { number }] of relation.columns.entries()) {
      const value = values[i]?.value
      if (one.columns.includes(number) && value !== undefined) use(reading, value, 'partial')
    }
  }
}

const acts = ({ effects }: Command): boolean =>
  effects.some((effect) => effect !== 'read' && effect !== 'execute')

/** Composites and arrays hold others; deeper than this nobody looks. */
const DEPTH_MAX = 4

/** What is checked is worked out from, and for, a value of a domain; also where it is a part of what is made. */
export function checked(reading: Reading, type: number, value: Value, depth = 0): void {
  const { catalogue, library } = reading.around
  let one = library.type(type)
  for (; one?.kind === 'domain'; one = library.type(one.base)) {
    for (const text of one.checks) {
      const scope: Scope = { items: [], outer: undefined, variables: () => value }
      evaluated(reading, text, scope)
    }
  }
  const relation = one?.kind === 'composite' ? catalogue.byOid(one.relation) : undefined
  const parts = relation?.columns.map((column) => column.type) ?? []
  if (one !== undefined && one.element !== 0) parts.push(one.element)
  if (parts.length > 0 && depth === DEPTH_MAX) {
    reading.facts.doubt('a type has too many others inside of each other')
    return
  }
  for (const part of parts) checked(reading, part, value, depth + 1)
}

/** The same for what is made in the shape of a row. */
export function checkedLike(reading: Reading, { type, fields = [] }: Value, value: Value): void {
  if (type !== undefined) checked(reading, type, value)
  else if (fields.length === 0) reading.facts.doubt('it cannot be told what a row is made of')
  for (const one of fields) checkedLike(reading, one.value, value)
}

const kept = new WeakMap<Catalogue, Map<string, Command>>()
const none = () => undefined
/** Expressions times search paths that are remembered. */
const KEPT_MAX = 20_000

function read(
  outer: Reading,
  relation: Relation,
  one: Standing,
  change: Change | 'select',
): Command {
  const { catalogue } = outer.around
  const known = kept.get(catalogue) ?? new Map<string, Command>()
  kept.set(catalogue, known)
  const inserted = change === 'insert'
  const key = [relation.oid, inserted, one.kind, one.text, ...pathOf(outer.around)].join(' ')
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size >= KEPT_MAX) known.clear()
  // Set first: a policy that reads its own table finds nothing instead of no end.
  known.set(key, nothingDone)
  const command = ran(outer, relation, one, inserted)
  known.set(key, command)
  return command
}

const nothingDone: Command = {
  name: 'nothing',
  effects: [],
  objects: [],
  sql: { dialect: 'postgres', kinds: [], functions: [] },
}

/** Only a policy decides by the row itself; all else is given the row and passes or fails. */
function ran(outer: Reading, relation: Relation, one: Standing, inserted: boolean): Command {
  const sessionPath = pathOf(outer.around)
  const around = { ...outer.around, searchPath: [], sessionPath, prepared: none, cursor: none }
  const reading = outer.fresh(around)
  const isPolicy = one.kind === 'policy'
  const columns = rowOf(reading, relation, isPolicy && !inserted ? 'update' : 'insert')
  const item = { columns, sources: [{ alias: relation.name, schema: relation.schema, columns }] }
  const value = evaluated(reading, one.text, { items: [item], outer: undefined })
  // What of others goes in is stored, or decides whether the change fails.
  use(reading, value, isPolicy ? 'predicate' : 'written_from')
  reading.settle()
  const command = reading.facts.command('standing', { dialect: 'postgres', text: '' })
  return reading.facts.effects().size === 0 ? { ...command, effects: [] } : plain(command)
}

/** Whoever defined it answers for the functions it names; what these do counts. */
function plain(command: Command): Command {
  if (command.incomplete !== undefined) return command
  const effects = command.effects.filter((one) => one !== 'execute')
  const objects = command.objects.filter((one) => one.kind !== 'function')
  const { functions, ...sql } = command['sql'] as SqlFacts
  const named = functions.map(({ name }) => ({ name, class: 'standing' }))
  return { ...command, effects, objects, sql: { ...sql, functions: named } }
}

function evaluated(reading: Reading, text: string, scope: Scope): Value {
  const query = `SELECT ${text}`
  const refused = problem(query)
  const node = refused === undefined ? parse(query).statements?.[0]?.stmt : undefined
  const list = as(node, 'SelectStmt')?.targetList
  if (list === undefined) {
    reading.facts.doubt('an expression in a definition cannot be read')
    return nothing
  }
  const at = { scope, ctes: undefined }
  return computed(...list.map((one) => reading.expression(as(one, 'ResTarget')?.val, at)))
}

import type { Node } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import { type Body, call, cast, either, literal } from './build.ts'
import { columnsIn, comparable } from './filter.ts'
import { modifiers } from './modifier.ts'
import { filtered } from './source.ts'
import type { Target } from './target.ts'
import { bodyOf, inexact, listOf, namesOf, type Work } from './work.ts'

/** What the server's error says of a row that no filter lets through. It is of type integer for no reason but that. */
const outside = 'postern: a row may only be written that the row filter of policy lets through'

/** Names that VALUES gives values to: every row must fulfil the filters, or the server fails. Throws Refusal where that cannot be said. */
export function keptRows(
  work: Work,
  target: Target,
  names: readonly string[],
  selectStmt: unknown,
): unknown {
  const decisive = decisiveOf(work, target)
  if (decisive.length === 0) return selectStmt
  const missing = decisive.find((one) => !names.includes(one))
  if (missing !== undefined) throw unsaid(target, missing)
  const select = bodyOf(selectStmt, 'SelectStmt')
  const lists = listOf(select?.['valuesLists'])
  if (lists.length === 0) throw unsaid(target, decisive[0] ?? '')
  const valuesLists = lists.map((list) => {
    const items = listOf(bodyOf(list, 'List')?.['items'])
    const given = new Map(decisive.map((one) => [one, items[names.indexOf(one)]]))
    const [first = ''] = decisive
    const at = names.indexOf(first)
    const guard = guarded(work, target, given, first, [])
    return { List: { items: items.map((item, index) => (index === at ? guard : item)) } }
  })
  return { SelectStmt: { ...select, valuesLists } }
}

/** The same for what UPDATE sets: a row cannot leave what the filters let through. */
export function keptChanges(work: Work, target: Target, list: unknown): unknown {
  const decisive = decisiveOf(work, target)
  if (decisive.length === 0) return list
  const sets = listOf(list)
  const made = (name: string): boolean => isGenerated(target.relation, name, sets.map(nameOf))
  const generated = decisive.find(made)
  if (generated !== undefined) throw unsaid(target, generated)
  const given = new Map<string, Node | undefined>()
  for (const one of sets) {
    const set = bodyOf(one, 'ResTarget')
    const name = nameOf(one)
    if (set === undefined || !decisive.includes(name) || keeps(target, set)) continue
    given.set(name, set['indirection'] === undefined ? (set['val'] as Node) : undefined)
  }
  const [first] = given.keys()
  if (first === undefined) return list
  return sets.map((one) => {
    const set = bodyOf(one, 'ResTarget')
    if (set === undefined || nameOf(one) !== first) return one
    return { ResTarget: { ...set, val: guarded(work, target, given, first, [target.item.name]) } }
  })
}

/** Refuses rows that come from elsewhere, and of which nothing can be said. */
export function keptOut(work: Work, target: Target): void {
  const [first] = decisiveOf(work, target)
  if (first !== undefined) throw unsaid(target, first)
}

/** The columns its filters are about. What a trigger makes of a row is not known before. */
function decisiveOf(work: Work, { relation, shield }: Target): readonly string[] {
  if (shield === undefined || shield.filters.length === 0) return []
  const all = [relation, ...work.sealing.catalogue.below(relation)]
  if (all.some(({ triggers }) => triggers.length > 0))
    throw inexact(`a trigger of ${relation.full} could write rows past its row filter`)
  return [...new Set(shield.filters.flatMap(columnsIn))]
}

/** The value of one column, where the filters let the row through; elsewhere the server fails before anything is written. */
function guarded(
  work: Work,
  target: Target,
  given: ReadonlyMap<string, Node | undefined>,
  column: string,
  prefix: readonly string[],
): Node {
  const values = new Map<string, Node>()
  for (const [name, value] of given) {
    // Worked out twice, so it must be the same twice.
    if (value === undefined || !isConstant(value)) throw unsaid(target, name)
    values.set(name, cast(value, stored(work, target, name)))
  }
  const how = { prefix, values }
  const condition = target.shield && filtered(work, target.relation, target.shield, how)
  const value = given.get(column)
  if (condition === undefined || value === undefined) throw unsaid(target, column)
  const { modifiers: _, ...type } = stored(work, target, column)
  return either(condition, cast(value, type), cast(failure(), type))
}

/** The type a filtered column compares as, limited as the column is: what would be stored is what is compared. */
function stored(work: Work, { relation }: Target, name: string) {
  const found = relation.columns.find((one) => one.name === name)
  if (found === undefined) throw inexact(`${relation.full} has no column ${name}`)
  const { schema, name: last } = comparable(work.sealing.library, found.type)
  if (work.sealing.library.type(found.type)?.kind === 'domain')
    throw inexact(`the limits of the domain of ${relation.full}.${name} are not known`)
  const limits = modifiers(last, found.modifier)
  if (found.modifier !== undefined && limits.length === 0)
    throw inexact(`the limits of ${relation.full}.${name} are not known`)
  return { schema, name: last, modifiers: limits }
}

/** concat() is not immutable, so it fails for a row and not while the server plans. */
function failure(): Node {
  const text = { schema: 'pg_catalog', name: 'text' }
  const said = call('concat', literal(outside, text))
  return cast(cast(said, { schema: 'pg_catalog', name: 'int4' }), text)
}

/** A literal or a parameter, or one turned into another type. */
function isConstant(node: Node): boolean {
  const inner = bodyOf(node, 'TypeCast')
  if (inner !== undefined) return isConstant(inner['arg'] as Node)
  return bodyOf(node, 'A_Const') !== undefined || bodyOf(node, 'ParamRef') !== undefined
}

/** SET that leaves a column as it is, as object mappers write it. */
function keeps({ item }: Target, set: Body): boolean {
  const parts = namesOf(bodyOf(set['val'], 'ColumnRef')?.['fields'])
  return parts.length === 2 && parts[0] === item.name && parts[1] === set['name']
}

function isGenerated(relation: Relation, name: string, names: readonly string[]): boolean {
  const found = relation.columns.find((one) => one.name === name)
  const from = relation.columns.filter(({ number }) => found?.from?.includes(number))
  return from.some((one) => names.includes(one.name))
}

const nameOf = (node: Node): string => String(bodyOf(node, 'ResTarget')?.['name'] ?? '')

function unsaid({ relation }: Target, column: string): Error {
  return inexact(
    `whether the row filter of ${relation.full} lets a row through that is written shows only with a value for ${column}`,
    `Give ${column} a plain value or a parameter: INSERT with VALUES, UPDATE with SET.`,
  )
}

import type { CopyStmt, Node } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import { itemOf } from '../../sql/lineage/scope.ts'
import { relationOf } from '../lineage/lookup.ts'
import { predicate } from '../lineage/predicate.ts'
import { type At, nowhere, type Reading } from '../lineage/reading.ts'
import { reference } from '../lineage/reference.ts'
import { sourceOf } from '../lineage/relations.ts'
import { stored } from '../lineage/stored.ts'
import { writeTo } from '../lineage/target.ts'
import { as, literal, word } from './ast.ts'
import { tied } from './ties.ts'
import type { Outcome } from './utility.ts'

/** How COPY writes its data, as `sql.copy` of the command: defaults filled in. */
export type CopyFacts = {
  readonly direction: 'in' | 'out'
  readonly format: string
  readonly delimiter: string
  readonly null: string
  readonly header: boolean
  readonly quote: string
  readonly escape: string
  readonly encoding?: string
  /** Options that change nothing of the above, or that are not known. */
  readonly others: readonly string[]
}

/** COPY in any of its forms; its columns are what it shows. */
export function copy(reading: Reading, body: CopyStmt): Outcome {
  const { facts } = reading
  const name = body.is_from ? 'copy_from' : 'copy_to'
  facts.kind(name)
  const onServer = body.is_program || body.filename !== undefined
  const into = body.is_from ? copyInto(reading, body) : undefined
  const columns = body.is_from ? undefined : copyOut(reading, body, onServer ?? false)
  const options = optionsOf(body)
  if (!onServer) return { name, copy: body.is_from ? 'in' : 'out', columns, into, options }
  facts.effect('execute')
  facts.doubt(
    body.is_program ? 'COPY runs a program on the server' : 'COPY uses a file of the server',
  )
  return { name }
}

/** What leaves for the client is shown; what goes to a file or a program is stored there. */
function copyOut(reading: Reading, body: CopyStmt, onServer: boolean): Fields {
  reading.facts.effect('read')
  const columns = body.query === undefined ? ofTable(reading, body) : ofQuery(reading, body.query)
  if (onServer) stored(reading, columns)
  return columns
}

function ofQuery(reading: Reading, query: Node): Fields {
  if (as(query, 'SelectStmt')?.whereClause !== undefined) reading.facts.flag('where')
  return reading.query(query, nowhere)
}

function ofTable(reading: Reading, body: CopyStmt): Fields {
  const relation = body.relation && relationOf(reading, body.relation)
  if (relation === undefined) return undefined
  const at = within(reading, relation)
  return named(body, relation).map((name) => ({ name, value: reference(reading, [name], at) }))
}

/** Generated columns are left out unless they are named, which the server refuses. */
function named(body: CopyStmt, { columns }: Relation): readonly string[] {
  const all = columns.filter((one) => one.from === undefined).map((one) => one.name)
  return body.attlist?.map(word) ?? all
}

function within(reading: Reading, relation: Relation): At {
  const item = itemOf(sourceOf(reading, relation, {}))
  return { scope: { items: [item], outer: undefined }, ctes: undefined }
}

function copyInto(reading: Reading, body: CopyStmt): Outcome['into'] {
  reading.facts.effect('write')
  const relation = body.relation && relationOf(reading, body.relation)
  if (relation === undefined) return undefined
  const columns = body.attlist?.map(word)
  writeTo(reading, relation, columns)
  tied(reading, relation, 'insert', { names: columns })
  if (body.whereClause !== undefined)
    predicate(reading, body.whereClause, within(reading, relation), 'predicate')
  return named(body, relation).map((name) => known(reading, relation, name))
}

function known({ around }: Reading, { oid, full, columns }: Relation, name: string) {
  const number = columns.find((one) => one.name === name)?.number ?? 0
  return [`${full}.${name}`, ...(around.catalogue.column(oid, number)?.sources ?? [])]
}

const options = new Set(['format', 'delimiter', 'null', 'header', 'quote', 'escape', 'encoding'])

function optionsOf(body: CopyStmt): CopyFacts {
  const given = new Map<string, string>()
  const others: string[] = []
  for (const node of body.options ?? []) {
    const option = as(node, 'DefElem')
    const name = option?.defname ?? ''
    if (options.has(name)) given.set(name, settingOf(option?.arg))
    else others.push(name)
  }
  const format = given.get('format') ?? 'text'
  const csv = format === 'csv'
  const quote = given.get('quote') ?? '"'
  const encoding = given.get('encoding')
  return {
    direction: body.is_from ? 'in' : 'out',
    format,
    delimiter: given.get('delimiter') ?? (csv ? ',' : '\t'),
    null: given.get('null') ?? (csv ? '' : '\\N'),
    header: !['off', 'false', '0', undefined].includes(given.get('header')?.toLowerCase()),
    quote,
    escape: given.get('escape') ?? quote,
    ...(encoding !== undefined && { encoding }),
    others,
  }
}

/** An option without a value is on. */
function settingOf(node: Node | undefined): string {
  if (node === undefined) return 'on'
  const flag = as(node, 'Boolean')
  if (flag !== undefined) return flag.boolval ? 'on' : 'off'
  const number = as(node, 'Integer')
  if (number !== undefined) return String(number.ival ?? 0)
  return as(node, 'String')?.sval ?? literal(node) ?? ''
}

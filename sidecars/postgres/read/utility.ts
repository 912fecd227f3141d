import type { CreateTableAsStmt, FuncCall, Node, RangeVar, SelectStmt } from 'libpg-query'
import type { Command } from '../../../pdp/contract.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import { answerOf } from '../lineage/invoke.ts'
import { relationOf } from '../lineage/lookup.ts'
import { block } from '../lineage/procedural.ts'
import { nowhere, type Reading } from '../lineage/reading.ts'
import { guardSetting } from '../lineage/secrets.ts'
import { stored } from '../lineage/stored.ts'
import { writeTo } from '../lineage/target.ts'
import { truncate } from '../lineage/truncate.ts'
import { as, type Opened, open } from './ast.ts'
import { type CopyFacts, copy } from './copy.ts'
import { definition, touchRelation } from './define.ts'
import { explain } from './explain.ts'
import { kinds } from './kinds.ts'
import { type PathChange, setsPath } from './path.ts'
import { setting, transaction } from './session.ts'

/** What a statement means for the session, besides its facts. */
export type Outcome = {
  readonly name: string
  readonly rows?: boolean
  readonly columns?: Fields
  /** The outputs of another statement, which this one shows. */
  readonly shows?: Command
  readonly needs?: readonly string[]
  readonly copy?: 'in' | 'out'
  /** The columns COPY fills, in order, each by all the names it is known by. */
  readonly into?: readonly (readonly string[])[] | undefined
  readonly options?: CopyFacts
  readonly transaction?: 'begin' | 'end'
  readonly names?: readonly Renaming[]
  /** What it does to search_path. */
  readonly path?: PathChange
}

/** A name this statement gives or takes; `''` is all of them. */
export type Renaming = {
  readonly kind: 'prepare' | 'deallocate' | 'declare' | 'close'
  readonly name: string
  /** What the name stands for from now on. */
  readonly query?: Node
}

/** Reads a whole statement of any kind. `inner` reads one statement inside another. */
export function statement(reading: Reading, node: Node): Outcome {
  const opened = open(node)
  if (opened === undefined) return { name: 'empty' }
  switch (opened.kind) {
    case 'SelectStmt':
      return intoOf(opened.body) !== undefined
        ? selectInto(reading, node)
        : queried(reading, node, opened, true)
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return queried(reading, node, opened, opened.body.returningClause !== undefined)
  }
  if (kinds[opened.kind] === undefined) {
    reading.facts.effect('unknown')
    reading.facts.doubt(`${opened.kind} is not understood`)
    return { name: 'unknown' }
  }
  return utility(reading, opened)
}

function queried(reading: Reading, node: Node, { kind, body }: Opened, rows: boolean): Outcome {
  const { facts } = reading
  if (kind === 'SelectStmt') {
    facts.kind('select')
    facts.effect('read')
  }
  const sets = kind === 'SelectStmt' && isServers(reading) ? setsPath(body) : undefined
  reading.sets = sets?.args
  const columns = reading.query(node, nowhere)
  const filtered = body as { readonly whereClause?: Node; readonly limitCount?: Node }
  if (filtered.whereClause !== undefined) facts.flag('where')
  const limit = filtered.limitCount
  if (limit !== undefined && as(limit, 'A_Const')?.isnull !== true) facts.flag('limit')
  const name = kind.replace('Stmt', '').toLowerCase()
  return { name, rows, columns, ...(sets === undefined ? {} : { path: sets.change }) }
}

/** Nobody has a set_config() of his own that could be meant. */
function isServers({ around: { library, searchPath } }: Reading): boolean {
  const meant = library.functions('set_config', undefined, searchPath)
  return meant.every(({ schema }) => schema === 'pg_catalog')
}

/** INTO stands in the first of the selects that a set operation combines. */
function intoOf(body: SelectStmt | undefined): RangeVar | undefined {
  let first = body
  while (first?.larg !== undefined) first = first.larg
  return first?.intoClause?.rel
}

function selectInto(reading: Reading, node: Node): Outcome {
  reading.facts.effect('read')
  const into = intoOf(as(node, 'SelectStmt'))
  if (into !== undefined) touchRelation(reading, into, 'write')
  reading.facts.effect('define', 'write')
  stored(reading, reading.query(node, nowhere))
  return { name: 'create_table_as' }
}

/** What is written elsewhere can be read there: all of it decides. */
function createAs(reading: Reading, opened: Opened, body: CreateTableAsStmt): Outcome {
  const name = definition(reading, opened)
  const execute = as(body.query, 'ExecuteStmt')
  if (execute === undefined) return { name }
  const { facts, around } = reading
  for (const one of execute.params ?? []) reading.expression(one, nowhere)
  const outcome = recalled(reading, execute.name ?? '', around.prepared(execute.name ?? ''))
  for (const one of outcome.shows?.objects ?? []) {
    for (const column of one.columns ?? []) facts.decide(`${one.name}.${column}`)
  }
  return { name, needs: outcome.needs ?? [] }
}

function utility(reading: Reading, opened: Opened): Outcome {
  const { kind, body } = opened
  switch (kind) {
    case 'TransactionStmt':
      return transaction(reading, body)
    case 'VariableSetStmt':
      return setting(reading, body)
    case 'ExplainStmt':
      return explain(reading, body, statement)
    case 'CopyStmt':
      return copy(reading, body)
    case 'CreateTableAsStmt':
      return createAs(reading, opened, body)
  }
  const known = kinds[kind]
  const effects = known?.effects ?? ['unknown']
  if (effects.some((one) => one === 'define' || one === 'grant')) {
    return { name: definition(reading, opened) }
  }
  const name = known?.name ?? kind
  reading.facts.kind(name)
  reading.facts.effect(...effects)
  return { ...acting(reading, opened), name }
}

/** Statements that neither query nor define. */
function acting(reading: Reading, { kind, body }: Opened): Omit<Outcome, 'name'> {
  const { facts } = reading
  switch (kind) {
    case 'VariableShowStmt':
      facts.touch('setting', body.name?.toLowerCase() ?? '*', 'read')
      guardSetting(reading, body.name?.toLowerCase() === 'all' ? undefined : body.name)
      return { rows: true }
    case 'DiscardStmt':
      return discarded(reading, body.target)
    case 'ListenStmt':
    case 'UnlistenStmt':
      facts.touch('channel', body.conditionname ?? '*', 'read')
      return {}
    case 'NotifyStmt':
      facts.touch('channel', body.conditionname ?? '*', 'write')
      return {}
    case 'LockStmt':
      for (const one of body.relations ?? []) written(reading, as(one, 'RangeVar'))
      return {}
    case 'TruncateStmt':
      truncate(reading, body)
      return {}
    case 'DoStmt':
      block(reading, body)
      return {}
    case 'CallStmt':
      return { rows: true, columns: called(reading, body.funccall) }
    case 'LoadStmt':
      facts.doubt('what a loaded library does is not known')
      return {}
    case 'PrepareStmt':
      return { names: [naming('prepare', body.name ?? '', nested(reading, body.query))] }
    case 'DeallocateStmt':
      return { names: [naming('deallocate', body.name ?? '')] }
    case 'DeclareCursorStmt':
      return { names: [naming('declare', body.portalname ?? '', nested(reading, body.query))] }
    case 'ClosePortalStmt':
      return { names: [naming('close', body.portalname ?? '')] }
    case 'ExecuteStmt':
      for (const one of body.params ?? []) reading.expression(one, nowhere)
      return recalled(reading, body.name ?? '', reading.around.prepared(body.name ?? ''))
    case 'FetchStmt':
      return recalled(reading, body.portalname ?? '', reading.around.cursor(body.portalname ?? ''))
  }
  return {}
}

const partly = new Set(['DISCARD_PLANS', 'DISCARD_SEQUENCES', 'DISCARD_TEMP'])

/** DISCARD ALL is RESET ALL, SET SESSION AUTHORIZATION DEFAULT, DEALLOCATE ALL, CLOSE ALL, UNLISTEN * and more. */
function discarded({ facts }: Reading, target = ''): Omit<Outcome, 'name'> {
  if (partly.has(target)) return {}
  facts.touch('setting', '*', 'write')
  return { names: [naming('deallocate', ''), naming('close', '')], path: { kind: 'discard' } }
}

function naming(kind: Renaming['kind'], name: string, query?: Node): Renaming {
  return query === undefined ? { kind, name } : { kind, name, query }
}

/** The statement inside another: what it does, this one prepares. */
function nested(reading: Reading, query: Node | undefined): Node | undefined {
  if (query === undefined || statement(reading, query).path === undefined) return query
  reading.facts.doubt('search_path would change when this is executed or fetched from')
  return query
}

function recalled(
  { facts }: Reading,
  name: string,
  command: Command | undefined,
): Omit<Outcome, 'name'> {
  if (command === undefined) {
    facts.effect('unknown')
    facts.doubt(`nothing is known by the name ${name}`)
    return { needs: [name], rows: true }
  }
  facts.absorb(command)
  return { needs: [name], shows: command, rows: true }
}

function written(reading: Reading, range: RangeVar | undefined): void {
  const relation = range && relationOf(reading, range)
  if (relation !== undefined) writeTo(reading, relation, undefined)
}

/** What a procedure answers: a row of its OUT parameters. */
function called(reading: Reading, body: FuncCall | undefined): Fields {
  if (body === undefined) return undefined
  const { columns, value, name = '' } = answerOf(reading, { FuncCall: body }, nowhere)
  return columns ?? [{ name, value }]
}

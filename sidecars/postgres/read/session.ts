import type { Node, TransactionStmt, VariableSetStmt } from 'libpg-query'
import type { Reading } from '../lineage/reading.ts'
import { as, literal } from './ast.ts'
import { transactionName } from './kinds.ts'
import { namesOf, type PathChange } from './path.ts'
import { judgeSetting } from './settings.ts'

const boundaries: Readonly<Record<string, 'begin' | 'end'>> = {
  begin: 'begin',
  commit: 'end',
  rollback: 'end',
}

/** Reads BEGIN, COMMIT, SAVEPOINT and their kind. */
export function transaction(
  { facts }: Reading,
  body: TransactionStmt,
): { readonly name: string; readonly transaction?: 'begin' | 'end'; readonly path?: PathChange } {
  const name = transactionName(body.kind)
  facts.kind(name)
  facts.effect('session')
  modes({ facts }, body.options)
  if (body.gid !== undefined)
    facts.doubt('transactions that outlive their session are not followed')
  // COMMIT AND CHAIN is in the next transaction at once.
  const boundary = body.chain ? undefined : boundaries[name]
  const path = passing(name, body)
  return {
    name,
    ...(boundary === undefined ? {} : { transaction: boundary }),
    ...(path === undefined ? {} : { path }),
  }
}

/** What becomes of a search_path that was set in the transaction. */
function passing(
  kind: string,
  { chain = false, savepoint_name: name = '' }: TransactionStmt,
): PathChange | undefined {
  switch (kind) {
    case 'begin':
      return { kind }
    case 'commit':
    case 'rollback':
      return { kind, chain }
    case 'savepoint':
    case 'release':
    case 'rollback_to':
      return { kind, name }
  }
  return undefined
}

type Setting = { readonly name: string; readonly path?: PathChange }

/** Reads SET and RESET. */
export function setting({ facts, around }: Reading, body: VariableSetStmt): Setting {
  const reset = body.kind === 'VAR_RESET' || body.kind === 'VAR_RESET_ALL'
  const name = reset ? 'reset' : 'set'
  facts.kind(name)
  facts.effect('session')
  if (body.kind === 'VAR_SET_MULTI') {
    characteristics({ facts }, body)
    return { name }
  }
  if (body.kind === 'VAR_RESET_ALL') {
    // Back to what the session began with, as it was read then.
    facts.touch('setting', '*', 'write')
    return { name, path: { kind: 'set', names: undefined, local: false } }
  }
  const path = pathOf(body)
  if (path !== undefined) {
    facts.touch('setting', 'search_path', stays(body, around.searchPath) ? 'read' : 'write')
    return { name, path }
  }
  const judged = judgeSetting(body.name ?? '', single(body.args))
  facts.touch('setting', judged.name, 'write')
  if (judged.grant) facts.effect('grant')
  if (judged.doubt !== undefined) facts.doubt(judged.doubt)
  return { name }
}

/** What SET search_path sets; undefined for other settings, and where the statement does not say it. */
function pathOf({ kind, name, args, is_local: local = false }: VariableSetStmt) {
  if (name?.toLowerCase() !== 'search_path') return undefined
  const back = kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT'
  const names = kind === 'VAR_SET_VALUE' ? namesOf(args) : undefined
  if (!back && names === undefined) return undefined
  return { kind: 'set', names, local } as const
}

/** Whether names mean afterwards what they mean now: the path the session began with, or its very schemas. */
function stays({ kind, args = [] }: VariableSetStmt, path: readonly string[]): boolean {
  if (kind !== 'VAR_SET_VALUE') return kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT'
  return args.length === path.length && args.every((one, i) => literal(one) === path[i])
}

function single(args: readonly Node[] | undefined): string | undefined {
  return args?.length === 1 ? literal(args[0]) : undefined
}

/** SET TRANSACTION, and SET SESSION CHARACTERISTICS AS TRANSACTION. */
function characteristics({ facts }: Pick<Reading, 'facts'>, body: VariableSetStmt): void {
  facts.touch('setting', (body.name ?? '*').toLowerCase(), 'write')
  if (body.name === 'TRANSACTION SNAPSHOT') {
    facts.doubt('what another transaction sees is not known here')
  } else if (body.name !== 'TRANSACTION' && body.name !== 'SESSION CHARACTERISTICS') {
    facts.doubt(`SET ${body.name} is not understood`)
  }
  modes({ facts }, body.args)
}

const understood = new Set([
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
])

function modes({ facts }: Pick<Reading, 'facts'>, list: readonly Node[] | undefined): void {
  for (const one of list ?? []) {
    const mode = as(one, 'DefElem')
    if (!understood.has(mode?.defname ?? '')) {
      facts.doubt(`transaction mode ${mode?.defname} is not understood`)
    }
    if (mode?.defname === 'transaction_read_only' && literal(mode.arg) !== '1') {
      facts.doubt('READ WRITE undoes what an administrator may have set to read only')
    }
  }
}

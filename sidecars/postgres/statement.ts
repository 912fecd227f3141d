import type { Node } from 'libpg-query'
import type { Command } from '../../pdp/contract.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import type { Absent } from '../sql/facts.ts'
import { same } from './path/path.ts'
import { type Analysis, analyse, type Source } from './read/analyse.ts'
import { type Parsed, parsed } from './read/parser.ts'
import type { Names, PathChange } from './read/path.ts'
import { shape } from './read/shape.ts'
import { slices } from './read/slices.ts'
import type { Apart } from './read/threads.ts'
import type { Renaming } from './read/utility.ts'
import { holdsPlaceholder } from './seal/own.ts'

export { ready } from './read/parser.ts'

/** A text as it was parsed, here or in a thread. */
export type Prepared = Parsed | Apart

/** One statement of a text: its facts, and what the relay has to know of it. */
export type Statement = {
  readonly command: Command
  /** What SQL's own PREPARE, DEALLOCATE, DECLARE and CLOSE do to names. */
  readonly names: readonly NameChange[]
  /** Prepared statements and cursors the facts depend on, besides the text, the catalogue and the search path. */
  readonly needs: readonly string[]
  /** It may answer rows. */
  readonly rows: boolean
  readonly copy?: 'in' | 'out'
  /** The columns COPY fills, in order, each by all the names it is known by; undefined where that is not known. */
  readonly into?: readonly (readonly string[])[]
  readonly transaction?: 'begin' | 'end'
  /** What it does to search_path. */
  readonly path?: PathChange
  /** The schemas its names were looked up in. */
  readonly searchPath?: readonly string[]
  /** The sign of the catalogue it was read with; undefined for what needs none. */
  readonly sign?: string
  /** One of its literals is a mask that stands for a value. */
  readonly placeholder?: boolean
  /** Of a large one, the tree without repeated rows (`read/thin`). */
  readonly thin?: Node
  /** What goes upstream in place of its own text. */
  readonly upstream?: string
  /** Why nothing may go upstream: it cannot be written out as it was read. */
  readonly unwritable?: string
  /** The name for which its command is incomplete, as long as that is for nothing else. */
  readonly absent?: { readonly of: Command; readonly name: Absent }
}

/** A name given or taken; `''` is all of them. */
export type NameChange = {
  readonly kind: 'prepare' | 'deallocate' | 'declare' | 'close'
  readonly name: string
  readonly statement?: Statement
}

/** What the names in a text mean. */
export type Scope = {
  readonly catalogue: Catalogue
  /** Schemas in the order they are looked through, `$user` replaced. */
  readonly searchPath: readonly string[]
  /** The same after statements that run before; undefined where it cannot be told. */
  pathAfter?(changes: readonly PathChange[]): readonly string[] | undefined
  prepared(name: string): Statement | undefined
  cursor(name: string): Statement | undefined
}

/** Facts of every statement in a text, at least one. Never throws: what cannot be read is one incomplete statement. */
export function read(
  text: string,
  scope: Scope,
  prepared: Prepared = parsed(text),
): readonly Statement[] {
  if (prepared.statements === undefined) return [unreadable(text, prepared.problem)]
  const found: Statement[] = []
  try {
    for (const { node, slice } of slices(text, prepared.statements)) {
      const inner = within(scope, found)
      const piece = 'each' in prepared ? prepared.each[found.length] : undefined
      const source = {
        node,
        text: slice,
        shape: 'placed' in prepared ? shape(slice, text, prepared) : piece?.shape,
      }
      const placeholder = piece?.placeholder ?? holdsPlaceholder(slice, node)
      const statement = {
        ...one(source, inner ?? scope),
        ...(placeholder ? { placeholder } : {}),
        ...(piece === undefined ? {} : { thin: node }),
      }
      found.push(inner === undefined ? pathless(statement) : statement)
    }
  } catch (error) {
    // Deeper than this thread's stack, or more names than are kept. All else is our fault, and no more readable.
    const reason = error instanceof RangeError ? 'it is too deep or too large' : 'the gate failed'
    return [unreadable(text, reason)]
  }
  return found.length === 0 ? [empty(text)] : found
}

function one(source: Source, scope: Scope): Statement {
  const around = {
    catalogue: scope.catalogue,
    library: scope.catalogue.library,
    searchPath: scope.searchPath,
    prepared: (name: string) => scope.prepared(name)?.command,
    cursor: (name: string) => scope.cursor(name)?.command,
  }
  const analysis = analyse(source, around)
  const { outcome, command, absent } = analysis
  const { needs = [], names = [] } = outcome
  return {
    command,
    names: names.map((change) => renamed(change, source, scope)),
    needs,
    rows: rowsOf(analysis, needs, scope),
    searchPath: scope.searchPath,
    sign: scope.catalogue.sign,
    ...(absent === undefined ? {} : { absent: { of: command, name: absent } }),
    ...(outcome.path === undefined ? {} : { path: outcome.path }),
    ...(outcome.copy === undefined ? {} : { copy: outcome.copy }),
    ...(outcome.into === undefined ? {} : { into: outcome.into }),
    ...(outcome.transaction === undefined ? {} : { transaction: outcome.transaction }),
  }
}

function renamed({ kind, name, query }: Renaming, source: Source, scope: Scope): NameChange {
  return query === undefined
    ? { kind, name }
    : { kind, name, statement: one({ ...source, node: query }, scope) }
}

/** EXECUTE answers rows where what it runs does. */
function rowsOf({ command, outcome }: Analysis, needs: readonly string[], scope: Scope): boolean {
  const [name] = needs
  if (command.name !== 'execute' || name === undefined) return outcome.rows ?? false
  return scope.prepared(name)?.rows ?? true
}

/** The scope of a statement, given those before it in the same text; undefined where its names may mean anything. */
function within(scope: Scope, before: readonly Statement[]): Scope | undefined {
  const paths = before.flatMap(({ path }) => path ?? [])
  if (paths.length === 0) return named(scope, before)
  const searchPath = scope.pathAfter?.(paths)
  if (searchPath === undefined) return undefined
  const inner = named({ ...scope, searchPath }, before)
  return { ...inner, prepared: (name) => readUnder(searchPath, inner.prepared(name)) }
}

/** The server looks up anew what was prepared under another path: then it is not known here. */
function readUnder(path: Names, prepared: Statement | undefined): Statement | undefined {
  const known = prepared?.searchPath ?? path
  return same(known, path) ? prepared : undefined
}

function named(scope: Scope, before: readonly Statement[]): Scope {
  const changes = before.flatMap((statement) => statement.names)
  if (changes.length === 0) return scope
  const latest = (gives: string, takes: string, name: string) =>
    changes.findLast(
      (change) =>
        (change.kind === gives && change.name === name) ||
        (change.kind === takes && (change.name === name || change.name === '')),
    )
  const look = (gives: string, takes: string, known: Scope['prepared']) => (name: string) => {
    const change = latest(gives, takes, name)
    return change === undefined ? known(name) : change.statement
  }
  return {
    ...scope,
    prepared: look('prepare', 'deallocate', (name) => scope.prepared(name)),
    cursor: look('declare', 'close', (name) => scope.cursor(name)),
  }
}

function pathless(statement: Statement): Statement {
  const incomplete = 'the search_path is not known here'
  return { ...statement, command: { ...statement.command, incomplete } }
}

function unreadable(text: string, reason: string): Statement {
  const command: Command = {
    name: 'unknown',
    effects: ['unknown'],
    objects: [],
    incomplete: `the statement cannot be read: ${reason}`,
    text,
    sql: { dialect: 'postgres', kinds: ['unknown'], functions: [] },
  }
  return { command, names: [], needs: [], rows: true }
}

function empty(text: string): Statement {
  const command: Command = {
    name: 'empty',
    effects: ['session'],
    objects: [],
    text,
    sql: { dialect: 'postgres', kinds: ['empty'], functions: [] },
  }
  return { command, names: [], needs: [], rows: false }
}

import type { Command } from '../../pdp/contract.ts'
import { doubted, isOpen } from './doubt.ts'
import { followed } from './follow.ts'
import { type Kept, kept, weight } from './kept.ts'
import { type Here, pathHere } from './path/here.ts'
import { same } from './path/path.ts'
import { carries, isOutdated } from './proof.ts'
import { AGAIN_BYTES_MAX, BYTES_MAX, HERE_BYTES_MAX, isLonger } from './read/limits.ts'
import { threads } from './read/threads.ts'
import { mayHold } from './seal/own.ts'
import { nextReady, type Prepared, type State } from './state.ts'
import type { Prepared as Parsed, Scope, Statement } from './statement.ts'
import { isForAll, type Pattern, pattern, type Template, template, withText } from './template.ts'

/** Reads a text; `prepared` is what was found out about it elsewhere. */
export type Read = (text: string, scope: Scope, prepared?: Parsed) => readonly Statement[]

/** Parses a large text without holding up anybody else. Never rejects. */
export type Apart = (text: string) => Promise<Parsed>

export type Reader = (text: string, state: State) => Reading

/** What a text says to this session now, or what has to be waited for before it can be told. */
export type Reading = readonly Statement[] | Promise<unknown>

/** Readings of all sessions, in bytes. */
const keptBytesMax = 16 * 1024 * 1024
/** A statement this long is not likely to be sent again word for word. */
const keptTextCharsMax = 16 * 1024

/**
 * Reads statements for sessions, each text once per catalogue and search path unless it refers to names of the session,
 * and texts that differ in plain values as one. Large ones are parsed by `apart`, and the session waits for that.
 */
export function reader(read: Read, apart: Apart = threads()): Reader {
  const known = kept<Known>(keptBytesMax)
  const arrived = new WeakMap<State, Arrived>()
  const looked = new WeakMap<State, string>()

  return (text, state) => {
    const overdue = state.catalogue.overdue()
    if (overdue !== undefined) return overdue
    const here = pathHere(state)
    if (isOpen(state) || here === undefined) return nextReady(state)
    const place = `${state.catalogue.current().version} ${here.key}`
    const found = known.get(place + text)?.statements ?? alike(known, place, text)
    const statements = found ?? anew(text, state, { here, place })
    if (statements instanceof Promise) return statements
    return look(text, state, statements) ?? doubted(statements, state)
  }

  /** Once for each message, so that no client can make the gate look without end. */
  function look(
    text: string,
    state: State,
    statements: readonly Statement[],
  ): Promise<unknown> | undefined {
    const should = statements.some((one) => isUnknown(one) || carries(one.command))
    const again = looked.get(state) === text
    looked.delete(state)
    if (!should || again) return undefined
    looked.set(state, text)
    return state.catalogue.latest()
  }

  function anew(text: string, state: State, { here, place }: Where): Reading {
    const large = isLarge(text) ? arrived.get(state) : undefined
    if (isLarge(text) && large?.text !== text) return fetched(text, state)
    const scope = scopeOf(state, here, read)
    const statements = followed(read(text, scope, large?.prepared), scope.prepared)
    if (scope.unsettled) return nextReady(state)
    arrived.delete(state)
    if (!scope.used && text.length <= keptTextCharsMax && here.isLasting(statements))
      remember(known, place, text, statements)
    return statements
  }

  function fetched(text: string, state: State): Promise<unknown> {
    return apart(text).then((prepared) => arrived.set(state, { text, prepared }))
  }
}

/** The large text a session waits for; it reads one at a time. */
type Arrived = { readonly text: string; readonly prepared: Parsed }

/** What is refused for its length alone needs no thread. */
const isLarge = (text: string): boolean =>
  isLonger(text, HERE_BYTES_MAX) && !isLonger(text, BYTES_MAX)

/** What was read of a text, or of a template: then with what runs for other values. */
type Known = { readonly statements: readonly Statement[]; readonly pattern?: Pattern }

/** What was read of a text that differs in values which do not matter. */
function alike(known: Kept<Known>, place: string, text: string): readonly Statement[] | undefined {
  const shape = plain(text)
  const other = shape && known.get(place + shape.key)
  const [statement] = other?.statements ?? []
  if (shape === undefined || statement === undefined || other?.pattern === undefined)
    return undefined
  return [withText(statement, text, shape, other.pattern)]
}

/** A value that may be a mask is not like any other. */
function plain(text: string): Template | undefined {
  const shape = template(text)
  return shape?.values.some(mayHold) ? undefined : shape
}

function remember(
  known: Kept<Known>,
  place: string,
  text: string,
  statements: readonly Statement[],
): void {
  const bytes = weight(statements)
  known.set(place + text, { statements }, bytes)
  const shape = plain(text)
  if (shape === undefined || known.get(place + shape.key) !== undefined) return
  const made = isForAll(statements, text, shape) ? pattern(shape) : undefined
  // None where other values may mean something else, so that this is found out once.
  if (made === undefined) known.set(place + shape.key, { statements: [] }, 0)
  else known.set(place + shape.key, { statements, pattern: made }, bytes)
}

/** As sidecars/postgres/read says it of relations, functions and types. */
function isUnknown({ command: { incomplete } }: Statement): boolean {
  return incomplete?.includes('is not known') ?? false
}

type Looked = Scope & { readonly used: boolean; readonly unsettled: boolean }

type Where = { readonly here: Here; readonly place: string }

function scopeOf(state: State, here: Here, read: Read): Looked {
  const { searchPath, pathAfter } = here
  const catalogue = state.catalogue.current()
  let used = false
  let unsettled = false
  function found<T>(value: T | 'unsettled'): T | undefined {
    used = true
    if (value !== 'unsettled') return value
    unsettled = true
    return undefined
  }
  return {
    catalogue,
    searchPath,
    pathAfter,
    prepared: (name) => {
      const prepared = found(state.prepared.get(name, state.batch))
      return prepared && replanned(prepared, { catalogue, searchPath, ...nothing }, read)
    },
    cursor: (name) => {
      const statement = found(state.cursors.get(name, state.batch))?.statement
      return statement && isOutdated(statement, catalogue) ? undefined : statement
    },
    get used() {
      return used
    },
    get unsettled() {
      return unsettled
    },
  }
}

const nothing = { prepared: () => undefined, cursor: () => undefined }

/** What SQL's EXECUTE runs: the server looks names up anew where they may have changed since (documentation, PREPARE). */
function replanned(
  { statements: [statement], text }: Prepared,
  scope: Scope,
  read: Read,
): Statement | undefined {
  if (statement === undefined) return undefined
  const { sign, searchPath = [] } = statement
  if (sign === scope.catalogue.sign && same(searchPath, scope.searchPath)) return statement
  const own = text ?? statement.command.text ?? ''
  if (isLonger(own, AGAIN_BYTES_MAX)) return undefined
  const [again] = read(own, scope)
  return text === undefined ? again?.names.at(0)?.statement : again
}

/** What stands for a text that is not UTF-8: the server would not read what we read. */
export const unreadable: Statement = {
  command: unreadableCommand(),
  names: [],
  needs: [],
  rows: false,
}

function unreadableCommand(): Command {
  return {
    name: 'unreadable',
    effects: ['unknown'],
    objects: [],
    incomplete: 'the text is not valid UTF-8',
  }
}

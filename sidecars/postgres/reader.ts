import type { Command } from '../../pdp/contract.ts'
import type { Catalogue } from './catalogue.ts'
import { doubted, isOpen } from './doubt.ts'
import { followed } from './follow.ts'
import { nextReady, type State } from './state.ts'
import type { Scope, Statement } from './statement.ts'
import { isForAll, template, withText } from './template.ts'

export type Read = (text: string, scope: Scope) => readonly Statement[]

/** What a text says to this session now, or what has to be waited for before it can be told. */
export type Reading = readonly Statement[] | Promise<unknown>

/** Readings kept per catalogue, in characters of text; what was read from it weighs a few times as much. */
const keptCharsMax = 2 * 1024 * 1024
/** A statement this long is not likely to be sent again word for word. */
const keptTextCharsMax = 16 * 1024
const entryChars = 256

/**
 * Reads statements for sessions, each text once per catalogue and search path unless it refers to names of the session,
 * and texts that differ in plain values as one.
 */
export function reader(read: Read): (text: string, state: State) => Reading {
  const kept = new WeakMap<Catalogue, Kept>()

  return (text, state) => {
    const overdue = state.catalogue.overdue()
    if (overdue !== undefined) return overdue
    if (isOpen(state)) return nextReady(state)
    const catalogue = state.catalogue.current()
    const cache = kept.get(catalogue) ?? bounded()
    kept.set(catalogue, cache)
    const { pathKey } = state
    const known = cache.get(pathKey + text) ?? alike(cache, pathKey, text)
    if (known !== undefined) return doubted(known, state)
    const scope = scopeOf(state, catalogue)
    const statements = followed(read(text, scope), scope.prepared)
    if (scope.unsettled) return nextReady(state)
    // Made a moment ago, by somebody else perhaps: the catalogue gets one chance to know it.
    const missed = statements.some(isUnknown) ? state.catalogue.missed() : undefined
    if (missed !== undefined) return missed.catch(() => undefined)
    if (!scope.used && text.length <= keptTextCharsMax) remember(cache, pathKey, text, statements)
    return doubted(statements, state)
  }
}

/** What was read of a text that differs in values which do not matter. */
function alike(cache: Kept, path: string, text: string): readonly Statement[] | undefined {
  const shape = template(text)
  const [other] = (shape && cache.get(path + shape.key)) ?? []
  return other && [withText(other, text)]
}

function remember(cache: Kept, path: string, text: string, statements: readonly Statement[]): void {
  cache.set(path + text, statements)
  const shape = template(text)
  if (shape === undefined || cache.get(path + shape.key) !== undefined) return
  // None where other values may mean something else, so that this is found out once.
  cache.set(path + shape.key, isForAll(statements, text, shape) ? statements : [])
}

/** As sidecars/postgres/read says it of relations, functions and types. */
function isUnknown({ command: { incomplete } }: Statement): boolean {
  return incomplete?.includes('is not known') ?? false
}

type Looked = Scope & { readonly used: boolean; readonly unsettled: boolean }

function scopeOf(state: State, catalogue: Catalogue): Looked {
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
    searchPath: state.searchPath,
    prepared: (name) => found(state.prepared.get(name, state.batch))?.statements[0],
    cursor: (name) => found(state.cursors.get(name, state.batch))?.statement,
    get used() {
      return used
    },
    get unsettled() {
      return unsettled
    },
  }
}

type Kept = {
  get(key: string): readonly Statement[] | undefined
  set(key: string, statements: readonly Statement[]): void
}

/**
 * Two generations of half the size: what is not used while one fills goes with the next. A Map that is told to forget
 * and remember at every use would be rebuilt at every use.
 */
function bounded(): Kept {
  let young = new Map<string, readonly Statement[]>()
  let old = new Map<string, readonly Statement[]>()
  let chars = 0

  return { get, set }

  function get(key: string): readonly Statement[] | undefined {
    const found = young.get(key)
    if (found !== undefined) return found
    const earlier = old.get(key)
    if (earlier !== undefined) set(key, earlier)
    return earlier
  }

  function set(key: string, statements: readonly Statement[]): void {
    const cost = key.length + entryChars
    if (chars + cost > keptCharsMax / 2) {
      old = young
      young = new Map()
      chars = 0
    }
    if (!young.has(key)) chars += cost
    young.set(key, statements)
  }
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

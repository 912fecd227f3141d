import type { Command, Effect } from '../../../pdp/contract.ts'
import type { SqlFacts } from '../../sql/facts.ts'
import type { Callable, Library } from '../../sql/lineage/library.ts'
import {
  alsoFrom,
  anything,
  computed,
  copyOf,
  type Field,
  nothing,
  type Value,
} from '../../sql/lineage/value.ts'
import { type Answer, declared } from './answers.ts'
import { read } from './body.ts'
import { executes } from './execute.ts'
import { pathOf, type Reading, use } from './reading.ts'
import { ofType } from './types.ts'
import { useInside } from './views.ts'

/** What a function's source says. */
export type Body = {
  readonly command: Command
  /** What its last query shows. */
  readonly columns: readonly Field[] | undefined
  /** All that its answer may come from, besides what it is given. */
  readonly from: Value
}

/** Records that somebody's function runs on these, with all that its source says, and answers what may come of it. */
export function runs(reading: Reading, one: Callable, args: readonly Value[]): Answer {
  const full = `${one.schema}.${one.name}`
  executes(reading, full, `${one.definer ? 'definer' : 'user'}:${one.language}`)
  const given = computed(...args)
  if (one.set) use(reading, given, 'limit')
  const promised = reading.around.declared?.get(one.signature)
  if (promised !== undefined) {
    reading.facts.use(promised.reads, 'inside')
    return declared(reading.around, one, args, alsoFrom(computed(copyOf(promised.returns)), given))
  }
  use(reading, given, 'argument')
  const body = one.kind === 'aggregate' ? undefined : bodyOf(reading, one)
  if (body === undefined) return unread(reading, one, args)
  absorb(reading, body.command)
  return answer(reading, one, args, body)
}

/** Records a trigger's function, named `schema.name`, and what its source says it does. */
export function triggered(reading: Reading, full: string): void {
  reading.facts.call(full, 'trigger')
  for (const one of named(reading, full)) {
    if (reading.around.declared?.has(one.signature)) continue
    const body = bodyOf(reading, one)
    if (body === undefined) continue
    // Whoever may define triggers vouches for what of them cannot be read.
    const { incomplete: _, ...known } = body.command
    absorb(reading, known)
  }
}

/** An aggregate is what its parts are; all other code that is not read may answer anything. */
function unread(reading: Reading, one: Callable, args: readonly Value[]): Answer {
  const given = computed(...args)
  if (one.kind === 'aggregate') {
    const parts = one.parts.flatMap((name) => named(reading, name))
    const values = parts.map((part) => runs(reading, part, args).value)
    return declared(reading.around, one, args, computed(given, ...values))
  }
  reading.facts.doubt(`what ${one.schema}.${one.name}() does is not read`)
  return declared(reading.around, one, args, computed(given, anything))
}

function named({ around }: Reading, full: string): readonly Callable[] {
  const dot = full.indexOf('.')
  return around.library.functions(full.slice(dot + 1), full.slice(0, dot), [])
}

function answer(reading: Reading, one: Callable, args: readonly Value[], body: Body): Answer {
  const given = computed(...args)
  const promised = declared(reading.around, one, args, computed(given, body.from))
  const { columns } = body
  if (columns === undefined) return promised
  const shown = row(reading, one, columns)
  const expected = promised.columns
  if (expected === undefined || shown.length !== expected.length) return promised
  const exact = expected.map(({ name }, i) => ({
    name,
    value: alsoFrom(computedField(shown[i]?.value), given),
  }))
  return { ...promised, value: { ...promised.value, fields: exact }, columns: exact }
}

/** A function that returns a row may show it as one column. */
function row(reading: Reading, one: Callable, columns: readonly Field[]): readonly Field[] {
  const [only] = columns
  const isRow = ofType(reading.around, nothing, one.gives).fields !== undefined
  return columns.length === 1 && isRow && only?.value.fields !== undefined
    ? only.value.fields
    : columns
}

/** What comes out of a function is never taken for the column itself. */
function computedField(value: Value | undefined): Value {
  if (value === undefined) return nothing
  return { ...value, copy: value.sources.size === 0 && !value.unknown }
}

/** What the body does, the statement does; what it only looks at stays inside. */
function absorb({ facts }: Reading, command: Command): void {
  const sql = command['sql'] as SqlFacts
  facts.effect(...command.effects.filter((one): one is Effect => one !== 'unknown'))
  for (const one of command.objects) facts.touch(one.kind, one.name, one.access, one.columns)
  for (const kind of sql.kinds) if (kind !== 'select') facts.kind(kind)
  for (const one of sql.functions) facts.call(one.name, one.class)
  if (sql.triggers) facts.flag('triggers')
  if (command.incomplete !== undefined) facts.doubt(command.incomplete)
  useInside(facts, sql.columns ?? [])
}

const kept = new WeakMap<Library, WeakMap<object, Map<string, Body | undefined>>>()
const undeclared = {}
/** Bodies being read, outermost first, and the outermost that one of them came back to. */
const running: string[] = []
let returnedTo = Number.POSITIVE_INFINITY
/** Functions that call each other in every order are read no further than this. */
const RUNNING_MAX = 12

/** What a function's source says, undefined where it cannot be read. Worked out once for each catalogue. */
function bodyOf(reading: Reading, one: Callable): Body | undefined {
  const { library, declared: promised = undeclared } = reading.around
  const key = `${one.oid} ${one.searchPath === undefined ? pathOf(reading.around).join() : ''}`
  const bodies = cache(library, promised)
  if (bodies.has(key)) return bodies.get(key)
  const at = running.indexOf(key)
  if (at >= 0) {
    // What it does is being found out; its answer comes from what is found besides this.
    returnedTo = Math.min(returnedTo, at)
    return { command: nothingDone, columns: undefined, from: nothing }
  }
  if (running.length >= RUNNING_MAX) return undefined
  running.push(key)
  try {
    const body = read(reading, one)
    // What was found while another was not yet known may lack what that one does.
    if (returnedTo >= running.length - 1) bodies.set(key, body)
    return body
  } finally {
    running.pop()
    if (returnedTo >= running.length) returnedTo = Number.POSITIVE_INFINITY
  }
}

const nothingDone: Command = {
  name: 'nothing',
  effects: [],
  objects: [],
  sql: { dialect: 'postgres', kinds: [], functions: [] },
}

function cache(library: Library, promised: object): Map<string, Body | undefined> {
  const one = kept.get(library) ?? new WeakMap<object, Map<string, Body | undefined>>()
  kept.set(library, one)
  const bodies = one.get(promised) ?? new Map<string, Body | undefined>()
  one.set(promised, bodies)
  return bodies
}

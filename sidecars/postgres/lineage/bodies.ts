import type { Command } from '../../../pdp/contract.ts'
import type { Catalogue } from '../../sql/catalogue.ts'
import type { Callable } from '../../sql/lineage/library.ts'
import {
  alsoFrom,
  anything,
  computed,
  type Field,
  nothing,
  type Value,
} from '../../sql/lineage/value.ts'
import { absorb } from './absorb.ts'
import { type Answer, declared } from './answers.ts'
import { read } from './body.ts'
import { promised, safeByReview } from './declared.ts'
import { executes } from './execute.ts'
import { pathOf, type Reading, use } from './reading.ts'
import type { About } from './triggers.ts'
import { ofType } from './types.ts'

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
  const declaration = promised(reading, one)
  if (declaration !== undefined) {
    return reviewed(reading, one, declared(reading.around, one, args, alsoFrom(declaration, given)))
  }
  if (!safeByReview(reading, full)) use(reading, given, 'argument')
  const body = one.kind === 'aggregate' ? undefined : bodyOf(reading, one)
  if (body === undefined) return reviewed(reading, one, unread(reading, one, args))
  absorb(reading, body.command)
  return reviewed(reading, one, answer(reading, one, args, body))
}

/** An aggregate is what its parts are; all other code that is not read may answer anything. */
function unread(reading: Reading, one: Callable, args: readonly Value[]): Answer {
  const given = computed(...args)
  if (one.kind === 'aggregate') {
    const parts = one.parts.flatMap((name) => functionsNamed(reading, name))
    const values = parts.map((part) => runs(reading, part, args).value)
    return declared(reading.around, one, args, computed(given, ...values))
  }
  reading.facts.doubt(`what ${one.schema}.${one.name}() does is not read`)
  return declared(reading.around, one, args, computed(given, anything))
}

/** All functions of this name, `schema.name`. */
export function functionsNamed({ around }: Reading, full: string): readonly Callable[] {
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

/** What comes out of a function that is safe by review comes from nowhere. */
function reviewed(reading: Reading, one: Callable, answer: Answer): Answer {
  if (!safeByReview(reading, `${one.schema}.${one.name}`)) return answer
  return declared(reading.around, one, [], nothing)
}

const kept = new WeakMap<Catalogue, Map<string, Body | undefined>>()
/** Bodies being read, outermost first, and the outermost that one of them came back to. */
const running: string[] = []
let returnedTo = Number.POSITIVE_INFINITY
/** Functions that call each other in every order are read no further than this. */
const RUNNING_MAX = 12
/** Bodies read for one call. What calls itself in circles is read again in each: triggers on each other's tables without end. */
const READ_MAX = 100
let readNow = 0

/** What a function's source says, undefined where it cannot be read. Worked out once for each catalogue. */
export function bodyOf(reading: Reading, one: Callable, about?: About): Body | undefined {
  const { catalogue } = reading.around
  const rows = about && [about.relation.oid, about.change, ...about.tables].join()
  const path = one.searchPath === undefined ? pathOf(reading.around).join() : ''
  const key = `${one.oid} ${rows ?? ''} ${path}`
  const bodies = kept.get(catalogue) ?? new Map<string, Body | undefined>()
  kept.set(catalogue, bodies)
  if (bodies.has(key)) return bodies.get(key)
  const at = running.indexOf(key)
  if (at >= 0) {
    // What it does is being found out; its answer comes from what is found besides this.
    returnedTo = Math.min(returnedTo, at)
    return { command: nothingDone, columns: undefined, from: nothing }
  }
  if (running.length === 0) readNow = 0
  if (running.length >= RUNNING_MAX || readNow >= READ_MAX) return undefined
  readNow += 1
  running.push(key)
  try {
    const body = read(reading, one, about)
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

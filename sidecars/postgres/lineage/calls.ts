import type { Node } from 'libpg-query'
import type { Callable } from '../../sql/lineage/library.ts'
import {
  alsoFrom,
  anything,
  computed,
  either,
  fieldOf,
  isNothing,
  nothing,
  type Value,
} from '../../sql/lineage/value.ts'
import { isComputing, isReaching } from '../read/builtins.ts'
import { FIRST_USER_OID } from '../read/snapshot.ts'
import { type Answer, declared, eitherAnswer } from './answers.ts'
import { runs } from './bodies.ts'
import { builtin } from './builtin.ts'
import { executes } from './execute.ts'
import { fitting } from './fits.ts'
import { doubtName } from './lookup.ts'
import { type Reading, use } from './reading.ts'
import { checked } from './standing.ts'
import { basic, UNKNOWN } from './types.ts'

/** How a function is called. */
export type Call = {
  readonly name: string
  readonly schema: string | undefined
  /** As written, for those whose effect depends on a literal. */
  readonly nodes: readonly Node[]
  readonly args: readonly Value[]
  /** It is called as `VARIADIC array`, or by names, so that positions tell nothing. */
  readonly loose?: boolean
}

/** Records a call, and answers what may come of it. */
export function call(reading: Reading, one: Call): Answer {
  const candidates = candidatesOf(reading, one)
  const base = computed(...one.args)
  if (isReaching(one.name)) return reaching(reading, one, candidates, base)
  const row = one.schema === undefined && one.args.length === 1 ? one.args[0] : undefined
  const own = row && fieldOf(row, one.name)
  if (candidates.length === 0) return own === undefined ? cast(reading, one, base) : { value: own }
  const made = candidates.flatMap(({ takes }) =>
    one.args.map((arg, i) => converted(reading, arg, takes[i] ?? 0)),
  )
  const given = made.every(isNothing) ? base : computed(base, ...made)
  const servers = candidates.filter(isServers)
  const answers: Answer[] = []
  if (servers.length > 0) {
    const opaque = builtin(reading, one, servers, base)
    const from = opaque ? computed(given, anything) : given
    for (const routine of servers) answers.push(declared(reading.around, routine, one.args, from))
  }
  for (const routine of candidates) {
    if (!isServers(routine)) answers.push(runs(reading, routine, one.args))
  }
  // `f(row)` is also `row.f`.
  if (own !== undefined) answers.push({ value: own })
  return eitherAnswer(answers, given)
}

/** `row.name` where the row has no such field: a function of that name, or a cast to that type. */
export function attribute(reading: Reading, row: Value, name: string): Value {
  const { library, searchPath } = reading.around
  const known =
    library.functions(name, undefined, searchPath).length > 0 ||
    library.typeNamed(name, undefined, searchPath) !== undefined
  if (!known) {
    if (!reading.lenient) doubtName(reading, 'column', name, undefined)
    return anything
  }
  return call(reading, { name, schema: undefined, nodes: [], args: [row] }).value
}

/** Records that somebody's function, named `schema.name`, runs on these. */
export function runsNamed(reading: Reading, full: string, args: readonly Value[]): Value {
  const dot = full.indexOf('.')
  const { library } = reading.around
  const found = library.functions(full.slice(dot + 1), full.slice(0, dot), [])
  const fit = found.filter((one) => one.takes.length === args.length)
  return either(
    ...(fit.length > 0 ? fit : found)
      .filter((one) => !isServers(one))
      .map((one) => runs(reading, one, args).value),
  )
}

/** Runs what somebody bound to casts to types of this name; answers what comes of it. */
export function castsTo(reading: Reading, name: string, value: Value): Value {
  const bound = reading.around.catalogue.casts(name)
  return bound.length === 0
    ? nothing
    : computed(...bound.map((one) => runsNamed(reading, one, [value])))
}

/** Runs what somebody bound to the conversion that the server does unasked, where it would do it here. */
export function converted(reading: Reading, value: Value, to: number): Value {
  checked(reading, to, value)
  const { library } = reading.around
  const target = basic(library, to)?.oid ?? to
  const from = value.type === undefined ? undefined : basic(library, value.type)?.oid
  if (value.type === UNKNOWN) return nothing
  const bound =
    from === undefined
      ? library.conversionsTo(target)
      : [library.conversion(from, target)?.runs ?? []].flat()
  return computed(...bound.map((one) => runsNamed(reading, one, [value])))
}

function candidatesOf({ around }: Reading, one: Call): readonly Callable[] {
  const { library, searchPath } = around
  const named = library.functions(one.name, one.schema, searchPath)
  const count = one.args.length
  const able = named.filter((it) => count >= it.argumentsMin && count <= it.argumentsMax)
  if (able.length === 0 || one.loose) return able.length === 0 ? named : able
  return fitting(library, able, one.args)
}

/** Comes with the server, or with an extension whose compiled code does nothing but compute. Whose schema it is in tells nothing. */
export function isServers({ oid, name, extension }: Callable): boolean {
  return oid < FIRST_USER_OID || (extension !== undefined && isComputing(extension, name))
}

/** Reaches what the statement does not name. */
function reaching(
  reading: Reading,
  one: Call,
  candidates: readonly Callable[],
  base: Value,
): Answer {
  executes(reading, `${candidates[0]?.schema ?? 'pg_catalog'}.${one.name}`, 'reaching')
  reading.facts.doubt(`what ${one.name}() touches cannot be told from the statement`)
  use(reading, base, 'argument')
  return unknown(base)
}

/** `type(value)` is a cast where there is no such function. */
function cast(reading: Reading, one: Call, base: Value): Answer {
  const { library, searchPath } = reading.around
  const type = library.typeNamed(one.name, one.schema, searchPath)
  if (type !== undefined && one.args.length === 1) {
    use(reading, base, 'partial')
    return { value: computed(base, castsTo(reading, type.name, base)) }
  }
  const full = one.schema === undefined ? one.name : `${one.schema}.${one.name}`
  executes(reading, full, 'unknown')
  doubtName(reading, 'function', one.name, one.schema)
  use(reading, base, 'argument')
  return unknown(base)
}

function unknown(base: Value): Answer {
  return { value: alsoFrom(base, anything), record: true }
}

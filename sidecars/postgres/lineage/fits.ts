import type { Callable, Library } from '../../sql/lineage/library.ts'
import type { Value } from '../../sql/lineage/value.ts'
import { anyArray, anyElement, basic, RECORD, TEXT, UNKNOWN, VARCHAR } from './types.ts'

const ANY = 2276
const ANYENUM = 3500
const ANYRANGE = new Set([3831, 4537, 4538, 5080])
const strings = new Set([TEXT, VARCHAR, 1042, 19])

/**
 * The functions a call may mean, given what it is given (documentation 10.3). None is left out that the server could choose.
 */
export function fitting(
  library: Library,
  candidates: readonly Callable[],
  args: readonly Value[],
): readonly Callable[] {
  if (candidates.length < 2) return candidates
  const exact = candidates.filter((one) => isExact(one, args))
  if (exact.length > 0) return exact
  const able = candidates.filter((one) =>
    args.every((arg, i) => accepts(library, arg, parameter(library, one, i))),
  )
  if (able.length === 0) return candidates
  return args.length > 0 && args.every((one) => one.type === UNKNOWN) ? stringly(able, args) : able
}

function isExact(one: Callable, args: readonly Value[]): boolean {
  return (
    args.length === one.takes.length &&
    args.length > 0 &&
    args.every(({ type }, i) => type !== undefined && type !== UNKNOWN && type === one.takes[i])
  )
}

/** Literals of no type of their own are strings wherever a string is taken. */
function stringly(candidates: readonly Callable[], args: readonly Value[]): readonly Callable[] {
  const taking = candidates.filter((one) => args.every((_, i) => strings.has(one.takes[i] ?? 0)))
  return taking.length === 0 ? candidates : taking
}

/** The type a function takes at a position; its last again and again where it is variadic. */
function parameter(library: Library, one: Callable, at: number): number {
  const last = one.takes.length - 1
  if (!one.variadic || at < last) return one.takes[at] ?? ANY
  const type = one.takes[last] ?? ANY
  return library.type(type)?.element || ANY
}

/** Whether the server would take this value where that type is asked for. True where it cannot be told. */
export function accepts(library: Library, value: Value, to: number): boolean {
  const target = basic(library, to)
  const { type } = value
  if (target === undefined || type === UNKNOWN) return true
  if (type === undefined) {
    if (value.element !== undefined) return target.element !== 0 || takesArray(to)
    if (value.fields === undefined) return true
    return target.kind === 'composite' || (target.kind === 'pseudo' && takesRow(to))
  }
  return type === to || convertible(library, type, to)
}

function takesArray(pseudo: number): boolean {
  return anyArray.has(pseudo) || pseudo === ANY || anyElement.has(pseudo)
}

function takesRow(pseudo: number): boolean {
  return !anyArray.has(pseudo) && pseudo !== ANYENUM && !ANYRANGE.has(pseudo)
}

function convertible(library: Library, from: number, to: number): boolean {
  const source = basic(library, from)
  const target = basic(library, to)
  if (source === undefined || target === undefined || source.oid === target.oid) return true
  if (library.conversion(from, to)?.anywhere) return true
  if (library.conversion(source.oid, target.oid)?.anywhere) return true
  if (target.kind === 'pseudo') {
    if (anyArray.has(to)) return source.element !== 0
    if (to === ANYENUM) return source.kind === 'enum'
    if (ANYRANGE.has(to)) return source.kind === 'range'
    return to !== RECORD || source.kind === 'composite'
  }
  if (source.element !== 0 && target.element !== 0) {
    return convertible(library, source.element, target.element)
  }
  return source.kind === 'composite' && target.kind === 'composite'
}

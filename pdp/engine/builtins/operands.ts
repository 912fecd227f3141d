import { isArray, isObject, isSet, type Value } from '../value.ts'

/** What one evaluation offers to builtins that may not look outside by themselves. */
export type Moment = {
  /** Nanoseconds since the epoch: the same for every call within one decision. */
  readonly nowNs: bigint
}

/** A builtin throws where OPA raises an error, and returns undefined where OPA leaves the call undefined. */
export type Builtin = {
  readonly call: (args: readonly Value[], moment: Moment) => Value | undefined
  /** The same arguments may give another answer another time, so such a decision is never cached. */
  readonly nondeterministic?: true
}

/** A family of builtins by their names in Rego. */
export type Builtins = Readonly<Record<string, Builtin>>

/** A builtin whose answer depends on its arguments alone. */
export function pure(call: (...args: Value[]) => Value | undefined): Builtin {
  return { call: (args) => call(...args) }
}

/** The operand as a string. Throws otherwise. */
export function string(value: Value | undefined): string {
  if (typeof value !== 'string') throw new Error('operand must be a string')
  return value
}

/** The operand as an integer of any width; a number without a fraction counts. Throws otherwise. */
export function wide(value: Value | undefined): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  throw new Error('operand must be an integer')
}

/** The operand as an integer that a double holds exactly. Throws otherwise. */
export function small(value: Value | undefined): number {
  const found = wide(value)
  if (found < Number.MIN_SAFE_INTEGER || found > Number.MAX_SAFE_INTEGER)
    throw new Error('operand is out of range')
  return Number(found)
}

/** The operand as an array. Throws otherwise. */
export function array(value: Value | undefined): readonly Value[] {
  if (value === undefined || !isArray(value)) throw new Error('operand must be an array')
  return value
}

/** The operand as an object. Throws otherwise. */
export function object(value: Value | undefined): { readonly [key: string]: Value } {
  if (value === undefined || !isObject(value)) throw new Error('operand must be an object')
  return value
}

/** The operand, an array or a set, as a list. Throws otherwise. */
export function collection(value: Value | undefined): readonly Value[] {
  if (value !== undefined && isArray(value)) return value
  if (value !== undefined && isSet(value)) return [...value]
  throw new Error('operand must be an array or a set')
}

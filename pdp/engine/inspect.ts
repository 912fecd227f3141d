/** Whether a value may be put before a policy at all: plain JSON within limits. */
import { Refusal } from '../refusal.ts'

export type InputLimits = {
  /** UTF-16 units of the input as JSON text, about. */
  readonly charsMax: number
  readonly depthMax: number
  /** Values of any kind in the whole input. */
  readonly valuesMax: number
  /** Members of one object. OPA's hash is not keyed, so many members are a way to make it slow. */
  readonly membersMax: number
}

export const inputLimits: InputLimits = {
  charsMax: 1_048_576,
  depthMax: 64,
  valuesMax: 32_768,
  membersMax: 512,
}

/** What a value takes, about. */
export type Sum = { values: number; chars: number }

/** About what a value takes in JSON beside its characters. */
const quotedChars = 3
const numberChars = 6

/** Counts a value that lies so deep. Throws Refusal `input_too_large` or `unsupported_input`. */
export function inspector(limits: InputLimits): (value: unknown, depth: number) => Sum {
  return (value, depth) => {
    const sum = { values: 0, chars: 0 }
    inspect(value, depth, sum)
    return sum
  }

  function inspect(value: unknown, depth: number, sum: Sum): void {
    if (++sum.values > limits.valuesMax) tooLarge(`more than ${limits.valuesMax} values`)
    switch (typeof value) {
      case 'string':
        sum.chars += value.length + quotedChars
        if (sum.chars > limits.charsMax) tooLarge(`more than ${limits.charsMax} characters`)
        return
      case 'number':
        sum.chars += numberChars
        if (!Number.isFinite(value)) tooLarge('a number beyond what a double holds')
        return
      case 'boolean':
        sum.chars += numberChars
        return
      case 'object':
        if (value !== null) inspectMembers(value, depth, sum)
        return
      default:
        unsupported(`a ${typeof value}`)
    }
  }

  function inspectMembers(value: object, depth: number, sum: Sum): void {
    if (depth >= limits.depthMax) tooLarge(`nesting deeper than ${limits.depthMax}`)
    if (Array.isArray(value)) for (const element of value) inspect(element, depth + 1, sum)
    else if (plainObject(value)) inspectObject(value as Record<string, unknown>, depth, sum)
    else unsupported('an object that is not plain data')
  }

  function inspectObject(value: Record<string, unknown>, depth: number, sum: Sum): void {
    let members = 0
    for (const key in value) {
      const member = value[key]
      if (member === undefined) continue
      if (++members > limits.membersMax) tooLarge(`an object of more than ${limits.membersMax}`)
      if (!key.isWellFormed()) notUnicode()
      sum.chars += key.length + quotedChars
      inspect(member, depth + 1, sum)
    }
  }
}

export function plainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Makes inspected data immutable, every level of it. */
export function settle(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) for (const element of value) settle(element)
  else for (const key in value) settle((value as Record<string, unknown>)[key])
  Object.freeze(value)
}

export function tooLarge(what: string): never {
  throw new Refusal('input_too_large', `the command needs an input with ${what}`)
}

export function notUnicode(): never {
  unsupported('a field name that is not valid Unicode')
}

function unsupported(what: string): never {
  throw new Refusal('unsupported_input', `the question holds ${what}`)
}

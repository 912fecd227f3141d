/** What may be put before a policy at all: bounded, plain JSON. Also gives equal questions equal names. */
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

export interface Admission {
  /**
   * Names the question: equal names mean equal JSON text. Freezes the parts of the input, because a part that
   * comes again is known by its identity, and a large one by nothing else. Throws Refusal `input_too_large` or `unsupported_input`.
   */
  admit(input: unknown): string
}

type Part = { readonly name: string; readonly chars: number; readonly values: number }
type Sum = { values: number; chars: number }

/** A part larger than this is known by its identity alone: its text would cost more than it can save. */
const textCharsMax = 4096
/** Sidecars keep the commands they have read, so that equal ones are mostly the same object anyway. */
const commandTextCharsMax = 512
const shortText = 32
const tallyMembersMax = 16
/** About what a value takes in JSON beside its characters. */
const quotedChars = 3
const numberChars = 6

/** An admission that remembers at most so many characters of text. */
export function admission(charsMax: number, limits: InputLimits = inputLimits): Admission {
  const parts = new WeakMap<object, Part>()
  const names = new Map<string, string>()
  let chars = 0
  let last = 0

  return { admit }

  function admit(input: unknown): string {
    if (!plainObject(input)) return `=${part(input, 0).name}`
    let name = ''
    let charsSum = 0
    let valuesSum = 0
    let members = 0
    for (const key in input) {
      const value = (input as Record<string, unknown>)[key]
      if (value === undefined) continue
      const found = part(value, 1, key === 'action' ? commandTextCharsMax : textCharsMax)
      // The length first, so that no two lists of fields can run together into one name.
      name += `${key.length}:${key}${found.name};`
      charsSum += found.chars + key.length
      valuesSum += found.values
      members++
    }
    if (charsSum > limits.charsMax) tooLarge(`more than ${limits.charsMax} characters`)
    if (valuesSum > limits.valuesMax) tooLarge(`more than ${limits.valuesMax} values`)
    if (members > limits.membersMax) tooLarge(`more than ${limits.membersMax} fields at the top`)
    return name
  }

  function part(value: unknown, depth: number, textMax = textCharsMax): Part {
    if (typeof value !== 'object' || value === null) return scalar(value, depth)
    const known = parts.get(value)
    if (known !== undefined) return known
    const sum = { values: 0, chars: 0 }
    if (plainObject(value)) {
      const tallied = tally(value)
      if (tallied !== undefined) return tallied
    }
    inspect(value, depth, sum)
    const name = sum.chars > textMax ? `#${++last}` : nameOf(JSON.stringify(value))
    const made = { name, ...sum }
    parts.set(value, made)
    return made
  }

  function scalar(value: unknown, depth: number): Part {
    const sum = { values: 0, chars: 0 }
    inspect(value, depth, sum)
    const text = JSON.stringify(value) ?? ''
    return { name: text.length < shortText ? text : nameOf(text), ...sum }
  }

  /** Numbers are never given twice, so forgetting a text can lose a hit but never confuse two texts. */
  function nameOf(text: string): string {
    const known = names.get(text)
    if (known !== undefined) return known
    chars += text.length
    if (chars > charsMax) {
      names.clear()
      chars = text.length
    }
    const name = `#${++last}`
    names.set(text, name)
    return name
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
    Object.freeze(value)
  }

  function inspectObject(value: Record<string, unknown>, depth: number, sum: Sum): void {
    let members = 0
    for (const key in value) {
      const member = value[key]
      if (member === undefined) continue
      if (++members > limits.membersMax) tooLarge(`an object of more than ${limits.membersMax}`)
      if (!key.isWellFormed()) unsupported('a field name that is not valid Unicode')
      sum.chars += key.length + quotedChars
      inspect(member, depth + 1, sum)
    }
  }
}

/** Counts are made anew for each question: a few numbers, which are named by their own short text. */
function tally(value: object): Part | undefined {
  let name = '+'
  let members = 0
  for (const key in value) {
    const found = (value as Record<string, unknown>)[key]
    if (!Number.isSafeInteger(found) || ++members > tallyMembersMax || key.length > shortText)
      return undefined
    // The length first, as in the name of the whole question.
    name += `${key.length}:${key}${found},`
  }
  return members === 0 ? undefined : { name, chars: name.length, values: tallyMembersMax }
}

function plainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function tooLarge(what: string): never {
  throw new Refusal('input_too_large', `the command needs an input with ${what}`)
}

function unsupported(what: string): never {
  throw new Refusal('unsupported_input', `the question holds ${what}`)
}

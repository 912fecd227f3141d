/** What may be put before a policy at all: bounded, plain JSON. Also gives equal questions equal names. */
import { colliding } from './collisions.ts'
import {
  type InputLimits,
  inputLimits,
  inspector,
  notUnicode,
  plainObject,
  type Sum,
  settle,
  tooLarge,
} from './inspect.ts'
import { texts } from './texts.ts'

/** What a question is called; no `blind` name is the `exact` name of another. */
export type Question = {
  /** Equal names mean equal JSON text. */
  readonly exact: () => string
  /** Equal names mean equal JSON text but for the text of the command, which both have or both have not. */
  readonly blind: string
}

export interface Admission {
  /**
   * Names the question. Parts that come again are known by their identity, and large ones by nothing else, so they
   * are made immutable: a command when it comes again. Throws Refusal `input_too_large` or `unsupported_input`.
   */
  admit(input: unknown): Question
}

type Part = {
  readonly name: string
  /** Of a command: what its text is called. */
  readonly text?: () => string
  readonly chars: number
  readonly values: number
}

/** A part larger than this is known by its identity alone: its text would cost more than it can save. */
const textCharsMax = 4096
/** Many commands differ in their text alone, so what remains of them is worth more room. */
const commandCharsMax = 8192
/** Sidecars keep the commands they have read, so that equal texts are mostly the same command anyway. */
const commandTextCharsMax = 512
const shortText = 32
/** Fewer values cannot make OPA's tables slow enough to matter. */
const crowdMin = 256
const tallyMembersMax = 16

/** An admission that remembers at most so many characters of text. */
export function admission(charsMax: number, limits: InputLimits = inputLimits): Admission {
  const inspect = inspector(limits)
  const known = texts(charsMax)
  const parts = new WeakMap<object, Part>()
  const members = new WeakMap<object, Part>()
  const seen = new WeakSet<object>()

  return { admit }

  function admit(input: unknown): Question {
    if (!plainObject(input)) return same(`=${part(input, 0).name}`)
    let name = ''
    let text: Part['text']
    const sum = { chars: 0, values: 0, members: 0 }
    for (const key in input) {
      const value = (input as Record<string, unknown>)[key]
      if (value === undefined) continue
      const found = key === 'action' ? command(value) : part(value, 1)
      // The length first, so that no two lists of fields can run together into one name.
      name += `${key.length}:${key}${found.name};`
      text = found.text ?? text
      sum.chars += found.chars + key.length
      sum.values += found.values
      sum.members++
    }
    check(sum, limits)
    return text === undefined ? same(name) : apart(name, text)
  }

  /** Most commands come once: freezing one costs as much as all the rest, so that waits until it comes again. */
  function command(value: unknown): Part {
    if (!plainObject(value)) return part(value, 1)
    const found = parts.get(value)
    if (found !== undefined) return found
    const made = commandPart(value)
    if (seen.has(value)) return keep(value, made)
    seen.add(value)
    return made
  }

  /**
   * A command is named in two halves, because many differ in their text alone; and the first by its members, which
   * commands that were read from the same template have in common.
   */
  function commandPart(value: object): Part {
    const sum = { chars: 0, values: 1, members: 0 }
    let name = '{'
    let text: Part['text']
    for (const key in value) {
      const given = (value as Readonly<Record<string, unknown>>)[key]
      if (given === undefined) continue
      if (!key.isWellFormed()) notUnicode()
      const found = key === 'text' && typeof given === 'string' ? worded(given) : member(given)
      if (found.text === undefined) name += `${key.length}:${key}${found.name};`
      text = found.text ?? text
      sum.chars += found.chars + key.length
      sum.values += found.values
      sum.members++
    }
    check(sum, limits)
    if (sum.values > crowdMin) spread(value)
    const short = known.name(name)
    return text === undefined ? { ...sum, name: short } : { ...sum, name: `${short}"`, text }
  }

  /** Texts are many: none is remembered before a policy looks at it. */
  function worded(text: string): Part {
    const name = once(() => named(text, text.length > commandTextCharsMax))
    return { name: '', text: name, ...inspect(text, 2) }
  }

  /** As a command, it is made immutable when it comes again. */
  function member(value: unknown): Part {
    if (typeof value !== 'object' || value === null) return scalar(value, 2)
    const found = members.get(value)
    if (found !== undefined) return found
    const sum = counted(value, 2)
    const made = { name: named(value, sum.chars > commandCharsMax), ...sum }
    if (seen.has(value)) {
      settle(value)
      members.set(value, made)
    }
    seen.add(value)
    return made
  }

  function counted(value: object, depth: number): Sum {
    const sum = inspect(value, depth)
    if (sum.values > crowdMin) spread(value)
    return sum
  }

  function named(value: unknown, large: boolean): string {
    return large ? known.fresh() : known.name(JSON.stringify(value))
  }

  function part(value: unknown, depth: number): Part {
    if (typeof value !== 'object' || value === null) return scalar(value, depth)
    const found = parts.get(value) ?? tally(value)
    if (found !== undefined) return found
    const sum = counted(value, depth)
    const name = sum.chars > textCharsMax ? known.fresh() : known.name(JSON.stringify(value))
    return keep(value, { name, ...sum })
  }

  function scalar(value: unknown, depth: number): Part {
    const sum = inspect(value, depth)
    const text = JSON.stringify(value) ?? ''
    return { name: text.length < shortText ? text : known.name(text), ...sum }
  }

  function keep(value: object, made: Part): Part {
    settle(value)
    parts.set(value, made)
    return made
  }
}

function check({ chars, values, members }: Sums, limits: InputLimits): void {
  if (chars > limits.charsMax) tooLarge(`more than ${limits.charsMax} characters`)
  if (values > limits.valuesMax) tooLarge(`more than ${limits.valuesMax} values`)
  if (members > limits.membersMax) tooLarge(`an object of more than ${limits.membersMax} fields`)
}

/** Texts must not crowd together in OPA's tables. */
function spread(value: unknown): void {
  if (colliding(value)) tooLarge('texts chosen to make it slow')
}

type Sums = { readonly chars: number; readonly values: number; readonly members: number }

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
  if (members === 0 || !plainObject(value)) return undefined
  return { name, chars: name.length, values: tallyMembersMax }
}

function once(make: () => string): () => string {
  let made: string | undefined
  return () => {
    made ??= make()
    return made
  }
}

function apart(blind: string, text: () => string): Question {
  return { blind, exact: () => `${blind}"${text()}` }
}

function same(name: string): Question {
  return { exact: () => name, blind: name }
}

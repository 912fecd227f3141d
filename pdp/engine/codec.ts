/** How values get in and out of a policy: directly where that was proven right, else as text. */
import { type Instance, store, textAt } from './instance.ts'
import { reader } from './reader.ts'
import { parse, plain, print } from './text.ts'
import type { Value } from './value.ts'
import { writer } from './writer.ts'

export type Marshalling = 'direct' | 'text'

export interface Codec {
  /**
   * Writes the input, replacing the one before, and returns its address. `blind` leaves out the text of the command
   * (writer.ts), where `blinds` says that it can. Throws when it cannot.
   */
  write(input: unknown, blind?: boolean): number
  /** Whether looking at what was left out is noticed. */
  readonly blinds: boolean
  /** Writes what a builtin returned. */
  give(value: Value): number
  /** Reads what a builtin was given: sets are sets, integers exact. */
  read(address: number): Value
  /** Reads a result as plain JSON. */
  result(address: number): unknown
  /** Where the heap begins that a reset goes back to. */
  heapBase(): number
}

/** A codec of one instance. */
export function codec(instance: Instance, marshalling: Marshalling): Codec {
  return marshalling === 'direct' ? direct(instance) : textual(instance)
}

/** Whether writing and reading directly gives exactly what the policy's own parser and printer give. */
export function marshallingOf(instance: Instance): Marshalling {
  const tried = direct(instance)
  try {
    return samples.every((sample) => agrees(instance, tried, sample)) ? 'direct' : 'text'
  } catch {
    return 'text'
  }
}

function direct(instance: Instance): Codec {
  const written = writer(instance)
  const { read } = reader(instance, 'exact')
  const result = reader(instance, 'json').read
  return {
    write: written.write,
    blinds: true,
    give: (value) => parsed(instance, print(value)),
    read,
    result,
    heapBase: written.heapBase,
  }
}

function textual(instance: Instance): Codec {
  const base = instance.exports.opa_heap_ptr_get()
  return {
    write: (input) => parsed(instance, print(input as Value)),
    blinds: false,
    give: (value) => parsed(instance, print(value)),
    read: (address) => parse(dump(instance, address)),
    result: (address) => plain(parse(dump(instance, address))),
    heapBase: () => base,
  }
}

function agrees(instance: Instance, tried: Codec, sample: unknown): boolean {
  const text = print(sample as Value)
  const theirs = parsed(instance, text)
  const ours = dump(instance, tried.write(sample))
  return ours === dump(instance, theirs) && print(tried.read(theirs)) === print(parse(ours))
}

function parsed(instance: Instance, text: string): number {
  const { address, length } = store(instance, text)
  const value = instance.exports.opa_value_parse(address, length)
  if (value === 0) throw new Error('the policy could not read a value')
  return value
}

function dump(instance: Instance, address: number): string {
  return textAt(instance.memory, instance.exports.opa_value_dump(address))
}

const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index * 7}`, index]))

/** Every kind of value, with names that share buckets, and texts and numbers at the edges of their forms. */
const samples: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  2147483648,
  -4294967297,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  0.5,
  -1.25e-7,
  1e21,
  '',
  'short',
  'grün \u{1F600} \u2028 "quoted" \\ \n',
  'x'.repeat(500),
  [],
  [1, [2, ['three', null]], {}],
  {},
  many,
  { b: 1, a: { c: [true, false, null], '': 'empty', ключ: -0.001 }, aa: 2, ab: 3, ac: [[], {}] },
]

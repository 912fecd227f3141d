/**
 * Writes plain JSON values straight into a policy's memory, which spares building and parsing JSON. Sound only
 * where codec.ts has compared it. Leaves as in arena.ts, and:
 *
 *   array {5,elements@4,length@8,capacity@12}, element {index,value}
 *   object {6,buckets@4,n@8,length@12}, member {key,value,next}, a bucket sorted by key, n doubled from 8 at load 0.7
 */
import {
  type Arena,
  align,
  arenaOf,
  full,
  header,
  look,
  take,
  writeNumber,
  writeString,
} from './arena.ts'
import type { Instance } from './instance.ts'
import { compare, type Name, nameBytesMax, names } from './names.ts'
import { pins } from './pins.ts'

const arenaBytesMin = 262_144
/** Room for parts that come again with every question of a session. */
const pinnedBytesMax = 524_288
/** More than any admitted input can need; beyond it the write fails. */
const arenaBytesMax = 67_108_864
const loadMax = 0.7
const bucketsMin = 8

/**
 * Where no memory can ever be (instance.ts says how far it grows): whoever looks at a value there traps. What ends
 * without a trap has therefore not depended on the value.
 */
const nowhere = 0xffffff00 | 0

export interface Writer {
  /**
   * Writes a value over the one before it and returns its address. `blind` leaves out the text of the command: the
   * member is there, its value is nowhere. Throws when it does not fit.
   */
  write(value: unknown, blind?: boolean): number
  /** Where the heap begins that evaluations may use and a reset goes back to. */
  heapBase(): number
}

type Member = { readonly key: Name; readonly element: number }

/** Claims its room in the instance's memory; whatever was free below the heap pointer is given up. */
export function writer({ exports, memory }: Instance): Writer {
  const arena = arenaOf(memory)
  exports.opa_heap_ptr_set(exports.opa_heap_ptr_get())
  const kept = claim(nameBytesMax)
  const { name } = names(arena, kept + 24, kept + nameBytesMax)
  const constants = { null: kept, false: kept + 8, true: kept + 16 }
  header(arena, constants.null, 1, 0)
  header(arena, constants.false, 2, 0)
  header(arena, constants.true, 2 | (1 << 8), 0)
  const pinned = pins(claim(pinnedBytesMax), pinnedBytesMax, arena, any)
  const floor = exports.opa_heap_ptr_get()
  let size = arenaBytesMin
  let start = claim(size)
  let heapBase = exports.opa_heap_ptr_get()

  return { write, heapBase: () => heapBase }

  function write(value: unknown, blind = false): number {
    look(arena, memory)
    const member = blind ? blindMember : pinned.member
    pinned.begin()
    for (;;) {
      arena.top = start
      arena.end = start + size
      const at = whole(value, member)
      if (!full(arena)) return at
      grow()
    }
  }

  function whole(value: unknown, member: typeof pinned.member): number {
    return isRecord(value) ? object(value, member) : any(value)
  }

  function blindMember(name: string, value: unknown): number {
    return name === 'action' && isRecord(value) ? object(value, hidden) : pinned.member(name, value)
  }

  function hidden(name: string, value: unknown): number {
    return name === 'text' ? nowhere : any(value)
  }

  function any(value: unknown): number {
    switch (typeof value) {
      case 'string':
        return writeString(arena, value)
      case 'number':
        return writeNumber(arena, value)
      case 'boolean':
        return value ? constants.true : constants.false
      case 'object':
        if (value === null) return constants.null
        return Array.isArray(value) ? array(value) : object(value as Record<string, unknown>)
      default:
        throw new Error(`policy knows no ${typeof value}`)
    }
  }

  function array(values: readonly unknown[]): number {
    const count = values.length
    const at = take(arena, 16 + 8 * count)
    if (full(arena)) return 0
    header(arena, at, 5, at + 16)
    arena.words[(at + 8) >> 2] = count
    arena.words[(at + 12) >> 2] = count
    for (let index = 0, slot = (at + 16) >> 2; index < count; index++, slot += 2) {
      const position = writeNumber(arena, index)
      const element = any(values[index])
      if (full(arena)) return 0
      arena.words[slot] = position
      arena.words[slot + 1] = element
    }
    return at
  }

  function member(_: string, value: unknown): number {
    return any(value)
  }

  /** Writes an object, its members with `each`. */
  function object(value: Record<string, unknown>, each = member): number {
    const count = members(value)
    const buckets = bucketsFor(count)
    const at = take(arena, 16 + 4 * buckets)
    if (full(arena)) return 0
    const first = (at + 16) >> 2
    arena.words.fill(0, first, first + buckets)
    header(arena, at, 6, at + 16)
    arena.words[(at + 8) >> 2] = buckets
    arena.words[(at + 12) >> 2] = count
    for (const text in value) {
      const found = value[text]
      if (found === undefined) continue
      const key = name(text)
      const element = each(text, found)
      const entry = take(arena, 12)
      if (full(arena)) return 0
      link(arena, first + (key.hash & (buckets - 1)), entry, { key, element })
    }
    return at
  }

  function grow(): void {
    if (size >= arenaBytesMax) throw new Error('the input does not fit into memory')
    size *= 4
    exports.opa_heap_ptr_set(floor)
    start = claim(size)
    heapBase = exports.opa_heap_ptr_get()
  }

  function claim(bytes: number): number {
    const at = align(exports.opa_malloc(bytes + 8))
    look(arena, memory)
    return at
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function members(value: Record<string, unknown>): number {
  let count = 0
  for (const name in value) if (value[name] !== undefined) count++
  return count
}

function bucketsFor(count: number): number {
  let buckets = bucketsMin
  while (count > buckets * loadMax) buckets *= 2
  return buckets
}

/** Puts a member into its bucket, sorted by key. */
function link(arena: Arena, bucket: number, entry: number, member: Member): void {
  const { words } = arena
  const { key, element } = member
  let slot = bucket
  let next = words[slot] ?? 0
  while (next !== 0 && compare(arena, key, words[next >> 2] ?? 0) > 0) {
    slot = (next + 8) >> 2
    next = words[slot] ?? 0
  }
  words[entry >> 2] = key.at
  words[(entry + 4) >> 2] = element
  words[(entry + 8) >> 2] = next
  words[slot] = entry
}

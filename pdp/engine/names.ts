/** Field names in a policy's memory: the recurring ones are written and hashed once. */
import { type Arena, stringAt, stringRoom, writeString } from './arena.ts'

/** A name beyond these is written anew each time it comes. */
const namesMax = 4096
export const nameBytesMax = 262_144

export type Name = { readonly at: number; readonly hash: number; readonly length: number }

export interface Names {
  /** The name's string and OPA's hash of it; written into the arena when there is no room to keep it. */
  name(text: string): Name
}

/** Keeps names between two addresses of the arena's memory. */
export function names(arena: Arena, from: number, to: number): Names {
  const known = new Map<string, Name>()
  let top = from

  return { name }

  function name(text: string): Name {
    return known.get(text) ?? keep(text)
  }

  function keep(text: string): Name {
    if (known.size >= namesMax || top + stringRoom(text) > to) return passing(text)
    const at = top
    top = (top + stringAt(arena, at, text) + 7) & ~7
    const made = described(arena, at)
    known.set(text, made)
    return made
  }

  function passing(text: string): Name {
    const at = writeString(arena, text)
    return at === 0 ? { at, hash: 0, length: 0 } : described(arena, at)
  }
}

/** Orders names as OPA orders the members of a bucket: by bytes. */
export function compare({ bytes, words }: Arena, name: Name, other: number): number {
  const length = words[(other + 4) >> 2] ?? 0
  const text = words[(other + 8) >> 2] ?? 0
  const start = name.at + 12
  const shorter = Math.min(name.length, length)
  // Names differ early, so this loop is over before a call into the runtime would have begun.
  for (let index = 0; index < shorter; index++) {
    const difference = (bytes[start + index] ?? 0) - (bytes[text + index] ?? 0)
    if (difference !== 0) return difference
  }
  return name.length - length
}

function described(arena: Arena, at: number): Name {
  const length = arena.words[(at + 4) >> 2] ?? 0
  return { at, length, hash: hash(arena.bytes, at + 12, length) }
}

/** FNV-1 with 32 bits, as OPA hashes strings. */
function hash(bytes: Buffer, at: number, length: number): number {
  let value = 0x811c9dc5
  for (let index = at; index < at + length; index++)
    value = Math.imul(value, 0x01000193) ^ (bytes[index] ?? 0)
  return value >>> 0
}

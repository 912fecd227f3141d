/**
 * A stretch of a policy's memory that is written from its start for every question. Leaves are written here, as OPA's
 * value structures (wasm/src/value.h of OPA 1.0 to 1.19, 32-bit words):
 *
 *   null {1}   boolean {2,v}   integer {3,1,i64@8}   other number {3,2,text@8,length@12}   string {4,0,length@4,text@8}
 */
import type { Memory } from './webassembly.ts'

/** Below this length a loop over ASCII beats the call into the encoder. */
const shortText = 48

/** Once `top` passed `end` nothing more may be written: the owner starts again with more room. */
export type Arena = {
  bytes: Buffer
  words: Int32Array
  top: number
  end: number
}

/** An arena without room yet. */
export function arenaOf(memory: Memory): Arena {
  return { bytes: Buffer.from(memory.buffer), words: new Int32Array(memory.buffer), top: 0, end: 0 }
}

/** Looks at the memory again when it grew, which detaches what looked at it before. */
export function look(arena: Arena, memory: Memory): void {
  if (arena.bytes.buffer === memory.buffer) return
  arena.bytes = Buffer.from(memory.buffer)
  arena.words = new Int32Array(memory.buffer)
}

/** Claims room; where `full` says so afterwards, there was none. */
export function take(arena: Arena, size: number): number {
  const at = arena.top
  arena.top = align(at + size)
  return at
}

export function full(arena: Arena): boolean {
  return arena.top > arena.end
}

/** Writes a string; lone surrogates become U+FFFD. Returns 0 when full. */
export function writeString(arena: Arena, text: string): number {
  const at = take(arena, stringRoom(text))
  if (full(arena)) return 0
  arena.top = align(at + stringAt(arena, at, text))
  return at
}

/** The most that a string can need. */
export function stringRoom(text: string): number {
  return align(12 + 3 * text.length + 1)
}

/** Writes a string where its owner made room and returns how much it used. */
export function stringAt(arena: Arena, at: number, text: string): number {
  const length = encode(arena.bytes, text, at + 12)
  header(arena, at, 4, length)
  arena.words[(at + 8) >> 2] = at + 12
  return 12 + length + 1
}

/** Writes a number. Returns 0 when full. */
export function writeNumber(arena: Arena, value: number): number {
  if (!Number.isSafeInteger(value)) return writeDecimal(arena, String(value))
  const at = take(arena, 16)
  if (full(arena)) return 0
  arena.words[at >> 2] = 3 | (1 << 8)
  arena.words[(at + 8) >> 2] = value | 0
  arena.words[(at + 12) >> 2] = Math.floor(value / 4294967296)
  return at
}

/** Starts a structure with its type and its second word. */
export function header(arena: Arena, at: number, type: number, second: number): void {
  arena.words[at >> 2] = type
  arena.words[(at + 4) >> 2] = second
}

export function align(address: number): number {
  return (address + 7) & ~7
}

function writeDecimal(arena: Arena, text: string): number {
  const at = take(arena, 24 + text.length + 1)
  if (full(arena)) return 0
  arena.words[at >> 2] = 3 | (2 << 8)
  arena.words[(at + 8) >> 2] = at + 24
  arena.words[(at + 12) >> 2] = encode(arena.bytes, text, at + 24)
  arena.words[(at + 16) >> 2] = 0
  return at
}

/** UTF-8 and a NUL; returns the length without it. */
function encode(bytes: Buffer, text: string, at: number): number {
  const length = text.length
  let size = 0
  if (length < shortText)
    for (; size < length; size++) {
      const code = text.charCodeAt(size)
      if (code > 127) break
      bytes[at + size] = code
    }
  if (size < length) size = bytes.write(text, at)
  bytes[at + size] = 0
  return size
}

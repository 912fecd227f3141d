/** What is the same in every question of a session is written once and left in place. */
import { type Arena, full } from './arena.ts'

const constantParts: ReadonlySet<string> = new Set(['subject', 'resource', 'context'])

type Pin = { readonly at: number; readonly generation: number }

export interface Pins {
  /** Before each question: what had no room last time may now take the room of all others. */
  begin(): void
  /** Writes a member of a question, or points at what was written before where it is the same immutable object. */
  member(name: string, value: unknown): number
}

/** Pins within its own room; when that is full, all are forgotten with the next question. */
export function pins(
  from: number,
  size: number,
  arena: Arena,
  write: (value: unknown) => number,
): Pins {
  const known = new WeakMap<object, Pin>()
  let generation = 0
  let overflown = false
  let top = from

  return { begin, member }

  function begin(): void {
    if (!overflown) return
    overflown = false
    generation++
    top = from
  }

  function member(name: string, value: unknown): number {
    if (!constantParts.has(name) || typeof value !== 'object' || value === null) return write(value)
    const pin = known.get(value)
    if (pin?.generation === generation) return pin.at
    return Object.isFrozen(value) ? place(value) : write(value)
  }

  function place(value: object): number {
    const outside = { top: arena.top, end: arena.end }
    arena.top = top
    arena.end = from + size
    const at = write(value)
    const fits = !full(arena)
    const next = arena.top
    arena.top = outside.top
    arena.end = outside.end
    if (!fits) {
      overflown = true
      return write(value)
    }
    top = next
    known.set(value, { at, generation })
    return at
  }
}

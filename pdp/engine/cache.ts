import type { Decision } from '../contract.ts'

/** What an entry costs beside its text. */
const entryBytes = 256

export interface DecisionCache {
  get(question: string): Decision | undefined
  /** Remembers a decision; the one least recently asked for goes when there is no room. */
  set(question: string, decision: Decision): void
  size(): { readonly entries: number; readonly bytes: number }
}

/**
 * Decisions by the exact name of their question, within a budget of bytes. Two generations: what is asked for
 * moves to the young one, and when that fills half the budget the old one is dropped whole.
 */
export function decisionCache(bytesMax: number): DecisionCache {
  let young = new Map<string, Decision>()
  let old = new Map<string, Decision>()
  let youngBytes = 0
  let oldBytes = 0

  return { get, set, size }

  function get(question: string): Decision | undefined {
    const found = young.get(question)
    if (found !== undefined) return found
    const aged = old.get(question)
    if (aged !== undefined) set(question, aged)
    return aged
  }

  function set(question: string, decision: Decision): void {
    const bytes = entryBytes + 2 * question.length + weigh(decision)
    if (bytes > bytesMax / 2) return
    if (youngBytes + bytes > bytesMax / 2) {
      old = young
      oldBytes = youngBytes
      young = new Map()
      youngBytes = 0
    }
    young.set(question, decision)
    youngBytes += bytes
  }

  function size() {
    return { entries: young.size + old.size, bytes: youngBytes + oldBytes }
  }
}

/** About the bytes a value takes in memory, counted high. */
function weigh(value: unknown): number {
  if (typeof value === 'string') return 24 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 64
  for (const name in value) bytes += 8 + weigh((value as Record<string, unknown>)[name])
  return bytes
}

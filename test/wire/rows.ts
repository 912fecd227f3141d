import { readFileSync } from 'node:fs'
import type { Turn } from './script.ts'

/** What must hold of an attack. */
export type Check = {
  readonly type: 'no_leak' | 'effect' | 'deny' | 'allow' | 'allow_masked' | 'classify' | 'wire'
  readonly effects?: readonly string[]
  readonly writes?: readonly string[]
  readonly reads?: readonly string[]
  readonly kinds?: readonly string[]
  readonly not_write?: string
  /** Numbered from 1. */
  readonly masked?: readonly number[]
}

/** One attack: what is sent in order, and what must hold. */
export type Row = {
  readonly id: string
  /** Texts; or turns, where the protocol is `messages`. */
  readonly input: readonly (string | Turn)[]
  readonly setup: string
  readonly check: Check
  readonly notes: string
  readonly protocol?: string
  readonly verified?: { readonly raw_leak?: readonly string[] }
}

/** The attacks of a file in test/corpus. */
export function rows(name: string): readonly Row[] {
  const file = new URL(`../corpus/${name}.jsonl`, import.meta.url)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

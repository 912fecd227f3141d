import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** What a command may touch of the process it runs in. */
export type Io = {
  stdout(text: string): void
  stderr(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Exit codes, the same for every command; docs/errors.md explains them. */
export const exits = { done: 0, failed: 1, usage: 2 } as const

/** The command line cannot be understood: the message is for the person who typed it. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

/** The work failed in a way that needs no stack: the message is all there is to say. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

export type Options = Readonly<Record<string, 'string' | 'boolean'>>
export type Given = {
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly words: readonly string[]
}

/** Reads options and words. Throws Usage for what `options` does not name. */
export function given(args: readonly string[], options: Options): Given {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(Object.entries(options).map(([name, type]) => [name, { type }])),
      allowPositionals: true,
    })
    return { values, words: positionals }
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : 'unreadable options')
  }
}

/** The text of an option, or undefined when it was not given. */
export function textOf(given: Given, name: string): string | undefined {
  const value = given.values[name]
  return typeof value === 'string' ? value : undefined
}

/** The time an option gives, in milliseconds since the epoch, or undefined when it was not given. Throws Usage. */
export function timeOf(given: Given, name: string): number | undefined {
  const text = textOf(given, name)
  if (text === undefined) return undefined
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new Usage(`--${name} is a time, as in 2026-01-31T12:00:00Z`)
  return ms
}

/** A file's bytes. Throws Failure. */
export function fileBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = errorCode(error)
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new Failure(`${path}: ${why}`)
  }
}

/** The code of a system's error, e.g. ENOENT. */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}

/** The word of `known` that was probably meant: at most two edits away. */
export function meant(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((name) => ({ name, edits: distance(word, name) }))
    .filter(({ edits }) => edits <= 2)
    .sort((one, two) => one.edits - two.edits)
  return near[0]?.name
}

/** Levenshtein's distance; words longer than any command are far from all. */
function distance(one: string, two: string): number {
  if (one.length > 40) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: two.length + 1 }, (_, at) => at)
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1]
    for (let to = 1; to <= two.length; to++) {
      const swap = (row[to - 1] ?? 0) + (letter === two[to - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[two.length] ?? 0
}

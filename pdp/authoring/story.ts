import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openFinder } from '../audit/finder.ts'
import { Failure } from '../commands/io.ts'
import { printable } from '../commands/printable.ts'
import type { Remote } from '../commands/remote.ts'

export type Entry = Readonly<Record<string, unknown>>

/** Everything on record of one decision, in the order it happened. */
export type Story = {
  readonly decision: Entry
  /** Votes, the same decided again when a hold ended, the outcome. */
  readonly after: readonly Entry[]
}

const entriesMax = 1000

/** Reads a decision in the folder of a record. Throws Failure where it is not there. */
export function storyIn(folder: string, id: string): Story {
  // A folder that holds no log is not to become one.
  if (!existsSync(join(folder, 'head.json')))
    throw new Failure(`${folder} holds no record that can be read`)
  const finder = openFinder(folder)
  try {
    while (finder.advance());
    return storyOf(finder.find({ decision: id, limit: entriesMax }).entries, id)
  } finally {
    finder.close()
  }
}

/** Asks a running gate for a decision. Throws Failure. */
export async function storyAt(gate: Remote, id: string): Promise<Story> {
  const query = new URLSearchParams({ decision: id, limit: String(entriesMax) })
  const page = await gate.get(`/v1/audit?${query}`)
  const entries: unknown = Reflect.get(Object(page), 'entries')
  if (!Array.isArray(entries)) throw new Failure('the gate answered with no entries')
  return storyOf(entries, id)
}

function storyOf(newestFirst: readonly Entry[], id: string): Story {
  const entries = newestFirst.toReversed()
  const decision = entries.find(({ kind }) => kind === 'decision')
  if (decision === undefined)
    throw new Failure(`${printable(id)} is not on record; postern audit search finds decisions`)
  return { decision, after: entries.filter((entry) => entry !== decision) }
}

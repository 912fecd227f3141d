import { createHash } from 'node:crypto'
import type { Decision, Input } from '../contract.ts'
import type { Change, Direction } from './change.ts'
import type { Recorded } from './recorded.ts'

/** All differences of one kind. */
export type Group = {
  /** The same for the same kind of difference, in every run. */
  readonly id: string
  readonly direction: Direction
  readonly change: string
  readonly resource: string
  /** Policies that were the reason before, and after. */
  readonly before: string
  readonly after: string
  readonly count: number
  readonly example: Example
}

/** One question of a group, to look up in the record. */
export type Example = {
  readonly decision_id: string
  readonly timestamp: string
  readonly subject: string
  readonly command: string
}

/** What was replayed and what came of it. snake_case: it is printed as JSON and shown by the API. */
export type Tally = {
  readonly replayed: number
  readonly same: number
  readonly weaker: number
  readonly stronger: number
  readonly other: number
  /** Weaker first, then by how often. */
  readonly groups: readonly Group[]
  /** Differences beyond the number of groups that are kept: counted above, not listed. */
  readonly unlisted: number
}

/** Counts differences by kind. */
export interface Counter {
  add(
    recorded: Recorded,
    direction: Direction | 'same',
    changes: readonly Change[],
    now: Decision,
  ): void
  tally(): Tally
}

const groupsMax = 1000
const commandCharsMax = 200
const order: readonly Direction[] = ['weaker', 'stronger', 'other']

/** A counter of bounded size. */
export function counter(): Counter {
  const groups = new Map<string, Group>()
  const counts = { same: 0, weaker: 0, stronger: 0, other: 0 }
  let unlisted = 0

  function add(
    recorded: Recorded,
    direction: Direction | 'same',
    changes: readonly Change[],
    now: Decision,
  ): void {
    counts[direction] += 1
    for (const change of changes) note(recorded, change, now)
  }

  function note(recorded: Recorded, { direction, what }: Change, now: Decision): void {
    const { input, decision } = recorded
    const [before, after] = [rulesOf(decision), rulesOf(now)]
    const resource = textOf(input.resource.id)
    const key = JSON.stringify([direction, what, resource, before, after])
    const known = groups.get(key)
    if (known !== undefined) groups.set(key, { ...known, count: known.count + 1 })
    else if (groups.size >= groupsMax) unlisted += 1
    else {
      const kind = { id: idOf(key), direction, change: what, resource, before, after }
      groups.set(key, { ...kind, count: 1, example: exampleOf(recorded) })
    }
  }

  return {
    add,
    tally: () => ({
      replayed: counts.same + counts.weaker + counts.stronger + counts.other,
      ...counts,
      groups: [...groups.values()].sort(
        (one, two) =>
          order.indexOf(one.direction) - order.indexOf(two.direction) || two.count - one.count,
      ),
      unlisted,
    }),
  }
}

function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12)
}

function rulesOf({ reasons }: Decision): string {
  return [...new Set(reasons.map(({ rule }) => rule))].sort().join(', ')
}

function exampleOf({ id, atMs, input }: Recorded): Example {
  const text = textOf(input.action.text ?? input.action.name)
  return {
    decision_id: id,
    timestamp: new Date(atMs).toISOString(),
    subject: textOf(subjectOf(input)),
    command: text.length > commandCharsMax ? `${text.slice(0, commandCharsMax)}…` : text,
  }
}

/** What was read from a file may have any shape. */
function subjectOf({ subject }: { readonly subject?: Input['subject'] }): unknown {
  return subject?.id
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

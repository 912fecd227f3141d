import { Refusal } from '../../../pdp/refusal.ts'
import type { Run } from '../run.ts'
import type { State } from '../state.ts'
import type { Statement } from '../statement.ts'
import type { Rewritten } from './text.ts'

/** What was prepared or declared under other masks must not run under these. Throws Refusal. */
export function unchanged(
  state: State,
  name: string,
  before: readonly Run[],
  again: (statement: Statement) => Rewritten,
): void {
  const made = madeBefore(before, name) ?? madeEarlier(state, name)
  if (made !== undefined && again(made.statement).text !== made.upstream) throw outdated()
}

type Made = { readonly statement: Statement; readonly upstream: string | undefined }

function madeBefore(before: readonly Run[], name: string): Made | undefined {
  const run = before.findLast(({ statement: { names } }) =>
    names.some((change) => change.name === name && change.statement !== undefined),
  )
  return run && { statement: run.statement, upstream: run.statement.upstream }
}

function madeEarlier({ prepared, cursors, batch }: State, name: string): Made | undefined {
  const statement = prepared.get(name, batch)
  const cursor = cursors.get(name, batch)
  if (statement === 'unsettled' || cursor === 'unsettled') throw outdated()
  const first = statement?.statements[0]
  if (first !== undefined) return { statement: first, upstream: statement?.upstream }
  return cursor?.statement && { statement: cursor.statement, upstream: cursor.upstream }
}

/** Why a prepared statement must be prepared again. */
export function outdated(): Refusal {
  return new Refusal(
    'mask_impossible',
    'policy has changed what must be masked since this was prepared',
    {
      remedy: 'Prepare the statement, or declare the cursor, again.',
    },
  )
}

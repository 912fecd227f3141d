import { Refusal } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { code, query } from './frames.ts'
import type { Run } from './run.ts'
import type { Slot, State } from './state.ts'

/** What is known of answers that a limit ends before the server does. */
export type Stopping = {
  /** The client has read an error: until ReadyForQuery it believes that the rest was skipped. */
  hushed: boolean
  /** The client believes that its transaction is aborted; before its next command it will be. */
  aborts: boolean
  /** The server is in a transaction block. */
  block: boolean
  /** The last COPY whose data the server took. */
  taken: Run | undefined
  /** Statements that have ended since the last ReadyForQuery. */
  ended: number
}

/** Nothing was stopped yet. */
export const stopping = (): Stopping => ({
  hushed: false,
  aborts: false,
  block: false,
  taken: undefined,
  ended: 0,
})

/** Rolled back or never run, nobody can tell. */
export const isPureRead = ({ statement: { command } }: Pick<Run, 'statement'>): boolean =>
  command.effects.every((effect) => effect === 'read')

/**
 * Whether what runs can be cancelled without hitting anything else; with `unseen`, also without undoing anything or
 * aborting a transaction, so that its client may go on as if it had ended.
 */
export function mayStop({ queue, stopping: { block, ended } }: State, unseen: boolean): boolean {
  const [slot, next] = queue
  if (slot?.kind === 'query')
    return queue.length === 1 && (!unseen || (slot.steps.length === 1 && !block))
  if (slot?.kind !== 'execute' || queue.length > 2) return false
  if (!unseen) return next === undefined || next.kind === 'sync'
  // Without its Sync more of the same transaction may follow.
  return next?.kind === 'sync' && !block && ended === 0
}

/**
 * A statement that succeeded at the server ends in our error: what the server still answers up to ReadyForQuery is
 * kept back. Throws Refusal where that would hide something that was done.
 */
export function endedInError({ queue, stopping }: State, slot: Slot): boolean {
  const rest = slot.kind === 'query' ? slot.steps.slice(slot.at).map(({ run }) => run) : []
  const sync = queue.findIndex(({ kind }) => kind === 'sync')
  const following = slot.kind === 'query' ? [] : queue.slice(0, sync < 0 ? queue.length : sync)
  const runs = following.flatMap((one) => (one.kind === 'execute' ? [one.run] : []))
  if (![...rest, ...runs].every((run) => run !== undefined && isPureRead(run)))
    throw new Refusal(
      'limit_exceeded',
      'a statement in front of one that writes went over its limit',
    )
  stopping.hushed = true
  return slot.kind !== 'query' && sync < 0
}

/** What the client may hear of the server while it believes that everything is skipped. */
export const isHeard = (frame: Buffer): boolean =>
  frame[0] === code('Z') || frame[0] === code('S') || frame[0] === code('A')

/** ReadyForQuery: in a block, whoever read an error is told that it is aborted. Throws Refusal where it cannot be. */
export function settled({ queue, stopping }: State, frame: Buffer): Buffer {
  const { hushed } = stopping
  stopping.hushed = false
  stopping.ended = 0
  stopping.block = frame[5] !== code('I')
  if (!hushed || frame[5] !== code('T')) return frame
  if (queue.length > 0)
    throw new Refusal(
      'limit_exceeded',
      'a statement of a transaction that goes on went over its limit',
    )
  stopping.aborts = true
  return aborted
}

const aborted = Buffer.from([code('Z'), 0, 0, 0, 5, code('E')])
/** A syntax error, which aborts the transaction. */
const standIn = query('postern_aborted')

/** Goes ahead of the next command of a client that believes its transaction aborted; its answer is kept back. */
export function aborting({ queue, stopping, path }: State): Buffer {
  stopping.aborts = false
  // It surely fails, and the command it goes with is read as after that.
  path.failed()
  queue.push({ kind: 'refused', error: nothing, simple: true, changes: [], silent: true })
  return standIn
}

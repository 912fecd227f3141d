import { placed } from './position.ts'
import { fields, scrubbed } from './report.ts'
import type { Run } from './run.ts'
import type { Slot, State, Step } from './state.ts'

/** An error of the server, or ours in its place; what the server skips after it comes to nothing. */
export function failed(state: State, frame: Buffer): Buffer {
  const slot = state.queue[0]
  if (!isFatal(frame)) state.path.failed()
  if (slot === undefined || slot.kind === 'sync' || isFatal(frame)) return words(state, frame)
  state.copying = false
  if (slot.kind === 'query') {
    const step = slot.steps[slot.at]
    const ours = step?.run.failed(frame)
    unfinished(slot.steps.slice(slot.at))
    slot.at = slot.steps.length
    return ours ?? words(state, slot.sent === undefined ? frame : placed(frame, slot.sent))
  }
  if (slot.kind === 'refused') {
    for (const change of slot.changes) change.settle()
    if (!slot.simple) skip(state)
    return slot.error
  }
  if (slot.kind === 'parse' && slot.unnamed) state.prepared.prune((_, name) => name === '')
  const ours = runsOf(slot).map((run) => run.failed(frame))
  skip(state)
  return ours[0] ?? words(state, pointing(slot, frame))
}

/** What was prepared earlier is not at hand: its errors point nowhere. */
function pointing(slot: Slot, frame: Buffer): Buffer {
  if (slot.kind !== 'parse') return placed(frame, undefined)
  return slot.sent === undefined ? frame : placed(frame, slot.sent)
}

function runsOf(slot: Slot): readonly Run[] {
  if (slot.kind === 'parse') return slot.runs
  const run = slot.kind === 'describe' ? slot.hidden : 'run' in slot ? slot.run : undefined
  return run === undefined ? [] : [run]
}

/** Notes whose answer begins: until its transaction is over the server may say what is masked there. */
export function guarded(state: State): void {
  const slot = state.queue[0]
  if (slot === undefined) return
  const runs = slot.kind === 'query' ? slot.steps.map(({ run }) => run) : runsOf(slot)
  const masked = runs.find(({ mask }) => !mask.empty)
  if (masked === undefined) return
  state.guard = masked.id
  state.masked = true
}

const isFatal = (frame: Buffer): boolean => /^(FATAL|PANIC)$/.test(fields(frame)['V'] ?? '')

/** After an error the server reads nothing until the Sync, so no answer comes and no name changes. */
function skip(state: State): void {
  while (state.queue[0] !== undefined && state.queue[0].kind !== 'sync') {
    const slot = state.queue.shift()
    if (slot !== undefined) dropped(slot)
  }
  if (state.queue.length > 0) return
  state.skipping = true
  // What waits for a name is void now; its Sync must not wait behind it.
  wake(state)
}

/** Lets the message go on that waits for the server to have answered. */
export function wake(state: State): void {
  state.ready?.()
  state.ready = undefined
}

/** What becomes of a statement when one before it failed. */
const inFailedTransaction = '25P02'

/** Takes back what a message that came to nothing would have changed. */
export function dropped(slot: Slot, error: string = inFailedTransaction): void {
  for (const run of runsOf(slot)) run.finish(error)
  if ('changes' in slot) for (const change of slot.changes) change.drop()
  if (slot.kind === 'query') unfinished(slot.steps.slice(slot.at), error)
}

/** Ends the statements of a Query that were not reached. */
export function unfinished(steps: readonly Step[], error: string = inFailedTransaction): void {
  for (const { run, changes } of steps) {
    run.finish(error)
    for (const change of changes) change.drop()
  }
}

/** The server's own words, unless they may hold what is masked. */
export function words(state: State, frame: Buffer): Buffer {
  return state.guard === undefined ? frame : scrubbed(frame, state.guard)
}

import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { failed, guarded, unfinished, wake, words } from './failures.ts'
import { code, letterOf, message, text } from './frames.ts'
import { holdFor, holdForCursors, holdToSee } from './hold.ts'
import { proves } from './proof.ts'
import { description, type Field } from './rows.ts'
import type { Run } from './run.ts'
import type { Around } from './screen.ts'
import { pauseFor, type Slot, type State, unansweredMax } from './state.ts'
import { endedInError, isHeard, settled } from './stopping.ts'
import { parameterOf } from './upstream.ts'

/** Turns the server's messages into what the client gets. Throws Malformed for anything out of place. */
export function responses(state: State): (frame: Buffer) => Buffer {
  return (frame) => {
    const { hushed } = state.stopping
    const whole = response(state, frame)
    const answer = hushed && !isHeard(frame) ? nothing : whole
    if (state.room !== undefined && state.queue.length <= unansweredMax / 2) {
      state.room()
      state.room = undefined
    }
    return answer
  }
}

function response(state: State, frame: Buffer): Buffer {
  if (frame[0] === code('D')) return running(state, frame).rows(frame)
  guarded(state)
  switch (frame[0]) {
    case code('T'):
      return columns(state, frame)
    case code('C'):
    case code('I'):
      return completed(state, frame)
    case code('Z'):
      return ready(state, frame)
    case code('1'):
    case code('2'):
    case code('3'):
      return confirmed(state, frame)
    case code('E'):
      return failed(state, frame)
    case code('N'):
      return words(state, frame)
    case code('S'):
      return announced(state, frame)
    case code('A'):
      return notification(state, frame)
    case code('d'):
      return running(state, frame).copied(frame)
    case code('G'):
    case code('H'):
      return copying(state, frame)
    case code('c'):
      return running(state, frame).copyDone(frame)
    case code('t'):
    case code('n'):
    case code('s'):
      return small(state, frame)
    default:
      throw new Malformed(`the datastore sent message ${letterOf(frame)}`)
  }
}

/** The statement whose answer this is. */
function running(state: State, frame: Buffer): Run {
  const slot = state.queue[0]
  const run =
    slot?.kind === 'query'
      ? slot.steps[slot.at]?.run
      : slot?.kind === 'execute'
        ? slot.run
        : undefined
  if (run === undefined) throw unexpected(frame)
  return run
}

const unexpected = (frame: Buffer): Malformed =>
  new Malformed(`the datastore sent message ${letterOf(frame)} out of turn`)

function columns(state: State, frame: Buffer): Buffer {
  const slot = state.queue[0]
  const run = slot?.kind === 'describe' ? slot.hidden : running(state, frame)
  if (slot?.kind === 'describe') state.queue.shift()
  if (run !== undefined) {
    const found = description(frame)
    run.describe(found, around(state))
    // The likeliest reason is a catalogue that somebody else has changed.
    if (run.isDenied()) holdToSee(state)
    else if (!run.mask.empty) confirmedBy(state, run, found)
    if (run.isDenied()) return nothing
  }
  return slot?.kind === 'describe' && slot.hidden !== undefined ? nothing : frame
}

/** Nothing masked is let through that may mean something else by now. */
function confirmedBy(state: State, run: Run, fields: readonly Field[]): void {
  if (!proves(fields, run.statement.command, state.catalogue.current())) holdFor(state, run)
}

function around(state: State): Around {
  const trust = state.defined > 0 ? 'none' : state.shadowed ? 'wire' : 'all'
  return { catalogue: state.catalogue.current(), trust }
}

function small(state: State, frame: Buffer): Buffer {
  const slot = state.queue[0]
  if (slot?.kind === 'describe') {
    if (frame[0] === code('t') && slot.hidden === undefined) return frame
    if (frame[0] !== code('n')) throw unexpected(frame)
    state.queue.shift()
    return slot.hidden === undefined ? frame : nothing
  }
  if (slot?.kind !== 'execute' || frame[0] !== code('s')) throw unexpected(frame)
  state.queue.shift()
  // It ran, though not to its end.
  for (const change of slot.changes) change.settle()
  const answer = slot.run === undefined ? frame : slot.run.suspend(frame)
  if (slot.run?.isDenied()) endsHere(state, slot)
  return answer
}

function confirmed(state: State, frame: Buffer): Buffer {
  const slot = state.queue.shift()
  const kind = frame[0] === code('1') ? 'parse' : frame[0] === code('2') ? 'bind' : 'close'
  if (slot?.kind !== kind) throw unexpected(frame)
  if (slot.kind === 'parse') for (const run of slot.runs) run.finish()
  for (const change of slot.changes) change.settle()
  return frame
}

function completed(state: State, frame: Buffer): Buffer {
  const slot = state.queue[0]
  const step = slot?.kind === 'query' ? slot.steps[slot.at] : undefined
  const run = step?.run ?? (slot?.kind === 'execute' ? slot.run : undefined)
  if (slot?.kind === 'execute') state.queue.shift()
  else if (slot?.kind !== 'query' || run === undefined) throw unexpected(frame)
  for (const change of step?.changes ?? (slot.kind === 'execute' ? slot.changes : []))
    change.settle()
  if (run !== undefined) holdForCursors(state, run)
  if (slot.kind === 'query') {
    slot.at += 1
    slot.steps[slot.at]?.run.start()
  }
  state.stopping.ended += 1
  if (run === undefined) return frame
  note(state, run)
  const answer = run.complete(frame)
  if (run.isDenied()) endsHere(state, slot)
  return answer
}

/** What a statement that has run means for those after it. */
function note(state: State, { statement: { command } }: Run): void {
  if (command.effects.includes('define')) {
    state.defined += 1
    // Temporary relations come before all others, and are in no catalogue of the gate's.
    if (isTemporary.test(command.text ?? 'temp')) state.shadowed = true
  }
}

const isTemporary = /\b(temp|temporary|pg_temp\w*)\b/i

/** The client reads an error and takes what follows for skipped, up to its Sync. */
function endsHere(state: State, slot: Slot): void {
  if (endedInError(state, slot)) state.skipping = true
}

function ready(state: State, frame: Buffer): Buffer {
  const slot = state.queue.shift()
  const fits =
    slot?.kind === 'sync' || slot?.kind === 'query' || (slot?.kind === 'refused' && slot.simple)
  if (!fits) throw unexpected(frame)
  if (slot?.kind === 'query') {
    unfinished(slot.steps.slice(slot.at))
    // It forgot the unnamed statement and portal even if it failed.
    for (const change of slot.changes) change.settle()
  }
  const idle = frame[5] === code('I')
  state.path.ready(String.fromCharCode(frame[5] ?? 0))
  // Portals end with their transaction; a cursor WITH HOLD does not.
  if (idle) state.cursors.prune((cursor) => cursor.portal)
  if (idle) state.guard = undefined
  if (idle && state.defined > 0) {
    const { defined: before } = state
    const defined = state.catalogue.refresh().then(() => {
      if (state.defined === before) state.defined = 0
    })
    pauseFor(state, defined)
  }
  state.copying = false
  wake(state)
  const answer = settled(state, frame)
  return slot?.kind === 'refused' && slot.silent ? nothing : answer
}

function copying(state: State, frame: Buffer): Buffer {
  const direction = frame[0] === code('G') ? 'in' : 'out'
  const run = running(state, frame)
  if (run.statement.copy !== direction) throw unexpected(frame)
  if (direction === 'out') {
    run.copying(frame, around(state))
    if (!run.mask.empty && !run.isDenied()) holdFor(state, run)
    return frame
  }
  // The server ignores a Sync that came with the COPY; the client will send another.
  const after = state.queue.splice(1)
  if (after.some(({ kind }) => kind !== 'sync'))
    throw new Malformed('COPY in the middle of a pipeline')
  state.copying = true
  state.stopping.taken = run
  wake(state)
  return frame
}

/** Whoever sends a message may put anything into it: where something is masked, only its channel is told. */
function notification({ masked }: State, frame: Buffer): Buffer {
  if (!masked) return frame
  const [channel] = text(frame, 9)
  return message('A', frame.subarray(5, 9), channel, '')
}

/** Settings that hold any text, and that no driver needs to be told. */
const wordy = new Set(['application_name', 'search_path'])

function announced(state: State, frame: Buffer): Buffer {
  const [name, value] = parameterOf(frame)
  if (name === 'search_path') state.path.announced(value)
  return state.guard !== undefined && wordy.has(name) ? nothing : parameter(frame)
}

const fixed: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
}

/** Under other settings the same bytes would mean another statement than the one that was judged. */
export function parameter(frame: Buffer): Buffer {
  const [name, value] = parameterOf(frame)
  const wanted = fixed[name]
  if (wanted === undefined || value === wanted) return frame
  throw new Refusal('unsupported_message', `${name} must stay ${wanted}`)
}

import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { type Desk, desk } from './desk.ts'
import { bind, close, describe, execute, parse } from './extended.ts'
import { forwarded } from './forward.ts'
import { code, ends, letterOf, message, text } from './frames.ts'
import { asksTooMuch } from './held.ts'
import { isRefused } from './judge.ts'
import { proposals, unnamedGone } from './proposals.ts'
import type { Reading } from './reader.ts'
import { refuse, tooManyNames } from './refuse.ts'
import type { Run } from './run.ts'
import { nextReady, room, type State, unansweredMax } from './state.ts'
import { aborting } from './stopping.ts'

/** What to send upstream for one message of the client. */
export type Answer = Buffer | Promise<Buffer>

const copyData = code('d')
const copyFail = code('f')
const flush = code('H')
const sync = code('S')
const terminate = code('X')
/** Messages that count at any time; the rest wait for a Sync after an error. */
const always = new Map<number, (state: State, frame: Buffer) => Answer>([
  [terminate, goodbye],
  [sync, synced],
  [flush, (state, frame) => (state.skipping || state.copying ? nothing : bare(frame))],
  [copyData, copy],
  [code('c'), copy],
  [copyFail, copy],
])
const commands = new Map<number, (desk: Desk, frame: Buffer) => Answer>([
  [code('Q'), query],
  [code('P'), parse],
  [code('B'), bind],
  [code('D'), describe],
  [code('E'), execute],
  [code('C'), close],
  [code('F'), (desk) => refuse(desk.state, uncallable, 'query')],
])

/** Turns the client's messages into what the server gets. Throws Refusal for a message that is not on the list. */
export function requests(
  state: State,
  read: (text: string, state: State) => Reading,
): (frame: Buffer) => Answer {
  const own = desk(state, read, request)
  return request

  function request(frame: Buffer): Answer {
    if (state.pause !== undefined) return state.pause.then(() => request(frame))
    if (state.queue.length >= unansweredMax) return room(state).then(() => request(frame))
    const letter = frame[0] ?? 0
    const command = commands.get(letter)
    if (command === undefined) return passing(letter)(state, frame)
    if (state.skipping) return nothing
    if (state.stopping.aborts) return behind(aborting(state), request(frame))
    if (state.copying) throw new Malformed(`message ${letterOf(frame)} in the middle of COPY`)
    return command(own, frame)
  }

  function passing(letter: number): (state: State, frame: Buffer) => Answer {
    const pass = always.get(letter)
    if (pass !== undefined) return pass
    throw new Refusal(
      'unsupported_message',
      `client message ${letterOf(Buffer.from([letter]))} is not passed on`,
    )
  }
}

function behind(first: Buffer, answer: Answer): Answer {
  if (answer instanceof Promise) return answer.then((then) => Buffer.concat([first, then]))
  return Buffer.concat([first, answer])
}

function query(desk: Desk, frame: Buffer): Answer {
  const { state } = desk
  ends(frame, text(frame, 5)[1])
  const statements = desk.reading(frame, 5)
  if (statements instanceof Promise) return desk.again(frame, statements)
  if (asksTooMuch(state, statements)) return refuse(state, tooManyNames, 'query')
  return desk.judged(statements, {}, (verdict) => {
    if (isRefused(verdict)) return refuse(state, verdict, 'query')
    const changes = unnamedGone(state)
    const steps = verdict.map((run) => ({ run, changes: proposals(state, run.statement) }))
    const { frame: outgoing, sent } = forwarded(frame, 5, verdict)
    state.queue.push({ kind: 'query', steps, at: 0, changes, sent })
    state.batch += 1
    verdict[0]?.start()
    return outgoing
  })
}

const uncallable = {
  id: undefined,
  refusal: new Refusal('unsupported_message', 'calling functions by number is not passed on', {
    remedy: 'Use SELECT with the name of the function.',
  }),
}

function goodbye(state: State, frame: Buffer): Buffer {
  bare(frame)
  state.left = true
  return frame
}

/** A message that has no body. Throws Malformed. */
function bare(frame: Buffer): Buffer {
  ends(frame, 5)
  return frame
}

/** While COPY data is taken the server ignores Sync and Flush (PostgreSQL 55.2.6). */
function synced(state: State, frame: Buffer): Buffer {
  bare(frame)
  if (state.copying) return nothing
  state.skipping = false
  state.queue.push({ kind: 'sync' })
  state.batch += 1
  return frame
}

/** Data sent right behind its COPY waits for the server's word, and what is behind it is not read meanwhile. */
function awaitsCopy({ queue, stopping: { taken } }: State): boolean {
  const slot = queue.findLast(({ kind }) => kind !== 'sync')
  const waits = (run: Run | undefined): boolean => run?.statement.copy === 'in' && run !== taken
  if (slot?.kind === 'execute') return waits(slot.run)
  if (slot?.kind !== 'query') return false
  return slot.steps.slice(slot.at).some(({ run }) => waits(run))
}

/** What is left over after the server gave up a COPY is thrown away, as the server itself does. */
function copy(state: State, frame: Buffer): Answer {
  if (!state.copying && awaitsCopy(state)) return nextReady(state).then(() => copy(state, frame))
  if (!state.copying) return nothing
  if (frame[0] !== copyData) state.copying = false
  if (frame[0] === copyFail || state.stopping.taken?.takes(frame) !== false) return frame
  // The server forgets what it had of this COPY; its error comes to the client as the refusal.
  state.copying = false
  return failedCopy
}

const failedCopy = message('f', 'refused')

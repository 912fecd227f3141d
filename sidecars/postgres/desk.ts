import type { Asking } from '../../pdp/contract.ts'
import { Malformed } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { text, valid } from './frames.ts'
import { isRefused, type Judged, judge } from './judge.ts'
import { type Reading, unreadable } from './reader.ts'
import type { Answer } from './requests.ts'
import { nextReady, type State } from './state.ts'
import type { Statement } from './statement.ts'

/** What every command of one client needs to be judged. */
export interface Desk {
  readonly state: State
  /** The statements in a text that is surely UTF-8. */
  read(text: string): Reading
  /** The statements in the text at `at`. */
  reading(frame: Buffer, at: number): Reading
  /** Asks for each statement, then carries on; what became void meanwhile comes to nothing. */
  judged(statements: readonly Statement[], asking: Asking, then: (judged: Judged) => Answer): Answer
  /** Tries the message again after `wait`; when not told otherwise, once the server has answered one more batch. */
  again(frame: Buffer, wait?: Promise<unknown>): Answer
}

/** The desk of one connection. */
export function desk(
  state: State,
  read: (text: string, state: State) => Reading,
  request: (frame: Buffer) => Answer,
): Desk {
  return {
    state,
    read: (text) => read(text, state),
    reading: (frame, at) => (valid(frame, at) ? read(text(frame, at)[0], state) : [unreadable]),
    again: (frame, wait = nextReady(state)) => wait.then(() => request(frame)),
    judged(statements, asking, then) {
      const verdict = judge(state, statements, asking)
      return 'then' in verdict ? verdict.then((late) => resumed(late, then)) : then(verdict)
    },
  }

  /** While somebody thought about it, an earlier message may have failed, or begun a COPY. */
  function resumed(verdict: Judged, then: (judged: Judged) => Answer): Answer {
    if (state.copying) throw new Malformed('a command in the middle of COPY')
    if (!state.skipping) return then(verdict)
    if (!isRefused(verdict)) for (const run of verdict) run.finish('25P02')
    return nothing
  }
}

import type { Session } from '../../pdp/contract.ts'
import type { Shared } from './catalogues.ts'
import { cursorBytes, preparedBytes } from './held.ts'
import { type Change, type Names, names } from './names.ts'
import type { SearchPath } from './path/tracker.ts'
import type { Sent } from './position.ts'
import type { Run } from './run.ts'
import type { Statement } from './statement.ts'
import { mayStop, type Stopping, stopping } from './stopping.ts'

/** A prepared statement, by whichever way it was prepared. The protocol allows none or one; more the server refuses. */
export type Prepared = {
  readonly statements: readonly Statement[]
  /** Undefined for one that was prepared in SQL. */
  readonly text?: string
  /** What the server was given in place of its text. */
  readonly upstream?: string | undefined
  /** What it was read with. */
  readonly read?: readonly [version: number, doubt: string | undefined]
}

/** A portal or an SQL cursor: the server has one namespace for both. Portals have their ruling from Bind. */
export type Cursor = {
  readonly statement: Statement | undefined
  readonly run?: Run
  readonly portal: boolean
  /** What the server was given in place of its text. */
  readonly upstream?: string | undefined
}

/** One change of a name, on its way. */
export type Proposed = { settle(): void; drop(): void }

/** One statement of what was sent. */
export type Step = { readonly run: Run; readonly changes: readonly Proposed[] }

/** What the server still has to answer, in order. */
export type Slot =
  | {
      readonly kind: 'query'
      readonly sent: Sent | undefined
      readonly steps: readonly Step[]
      at: number
      readonly changes: readonly Proposed[]
    }
  | {
      readonly kind: 'refused'
      readonly error: Buffer
      readonly simple: boolean
      readonly changes: readonly Proposed[]
      /** The gate's own: the client hears nothing of it. */
      readonly silent?: true
    }
  | {
      readonly kind: 'parse'
      readonly sent: Sent | undefined
      readonly runs: readonly Run[]
      readonly unnamed: boolean
      readonly changes: readonly Proposed[]
    }
  | { readonly kind: 'bind'; readonly run: Run | undefined; readonly changes: readonly Proposed[] }
  | { readonly kind: 'close'; readonly changes: readonly Proposed[] }
  | { readonly kind: 'describe'; readonly hidden?: Run }
  | {
      readonly kind: 'execute'
      readonly run: Run | undefined
      readonly changes: readonly Proposed[]
    }
  | { readonly kind: 'sync' }

/** What both directions of one connection share. Only requests.ts and responses.ts change it. */
export type State = {
  readonly session: Session
  readonly catalogue: Shared
  readonly queue: Slot[]
  readonly prepared: Names<Prepared>
  readonly cursors: Names<Cursor>
  readonly path: SearchPath
  /** Counts what was sent together: a Query, or everything up to a Sync. */
  batch: number
  /** After an error nothing of the client counts until its Sync, as the server has it. */
  skipping: boolean
  /** The server takes COPY data. */
  copying: boolean
  readonly stopping: Stopping
  /** The client has said goodbye. */
  left: boolean
  /** The decision because of which the server's own words are withheld, until the transaction is over. */
  guard: string | undefined
  /** Something was masked for this session. */
  masked: boolean
  /** How much was defined since the catalogue was read; it is read again once that is committed. */
  defined: number
  /** A temporary relation was made: names may mean it. */
  shadowed: boolean
  /** Why nothing this session says is surely understood any more. */
  doubt: string | undefined
  /** The same of what was sent and has not ended yet. */
  readonly doubts: Set<{ readonly why: string; readonly batch: number }>
  /** What Ctrl-C takes back while `waiting` for a person or the record. */
  asking: AbortController
  waiting: boolean
  /** What the next message of the client has to wait for. */
  pause: Promise<unknown> | undefined
  /** What the next message of the server has to wait for; it never rejects. */
  hold: Promise<void> | undefined
  /** The message that waits for the next ReadyForQuery, and the one that waits for fewer unanswered ones. */
  ready: (() => void) | undefined
  room: (() => void) | undefined
  /** Stops at the server what runs there; resolves when the server has taken notice. */
  readonly cancel: () => void
  /** The same where it can hit nothing else, and `unseen` also undo nothing; answers whether. */
  readonly stop: (unseen: boolean) => boolean
  readonly alarm: (text: string, decision: string) => void
}

/** A fresh connection; `cancelUpstream` stops what runs at the server. */
export function state(
  session: Session,
  catalogue: Shared,
  path: SearchPath,
  cancelUpstream: () => Promise<void>,
): State {
  const made: State = {
    session,
    catalogue,
    queue: [],
    prepared: names(preparedBytes),
    cursors: names(cursorBytes, (cursor) => cursor.run?.finish()),
    path,
    batch: 0,
    skipping: false,
    copying: false,
    stopping: stopping(),
    left: false,
    guard: undefined,
    masked: session.profile === 'sealed',
    defined: 0,
    shadowed: false,
    doubt: undefined,
    doubts: new Set(),
    asking: new AbortController(),
    waiting: false,
    pause: undefined,
    hold: undefined,
    ready: undefined,
    room: undefined,
    // A cancel that comes late would hit the next statement, so that one waits.
    cancel: () => pauseFor(made, cancelUpstream()),
    stop(unseen) {
      const may = mayStop(made, unseen)
      if (may) made.cancel()
      return may
    },
    alarm: (text, decision) => session.alarm(text, decision),
  }
  return made
}

/** Makes the client's next message wait for `work`, whatever comes of it. */
export function pauseFor(state: State, work: Promise<unknown>): void {
  const before = state.pause
  const pause: Promise<unknown> = Promise.allSettled([before, work]).then(() => {
    if (state.pause === pause) state.pause = undefined
  })
  state.pause = pause
}

/** Resolves when the server has answered one more batch. One message waits at a time. */
export function nextReady(state: State): Promise<void> {
  return new Promise((resolve) => {
    state.ready = resolve
  })
}

/** Unanswered messages of one client; more wait until the server has caught up. */
export const unansweredMax = 10_000

/** Resolves when the server has answered half of what it was asked. One message waits at a time. */
export function room(state: State): Promise<void> {
  return new Promise((resolve) => {
    state.room = resolve
  })
}

/** Changes a name as far as this side knows; the answer settles or drops it. */
export function propose<T>(names: Names<T>, change: Change<T>): Proposed {
  names.propose(change)
  return { settle: () => names.settle(change), drop: () => names.drop(change) }
}

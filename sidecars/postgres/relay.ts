import type { Relay } from '../sidecar.ts'
import { dropped } from './failures.ts'
import type { Reading } from './reader.ts'
import { requests } from './requests.ts'
import { responses } from './responses.ts'
import type { State } from './state.ts'

/** A relay, and what the outside may do to it. */
export type Relaying = Relay & {
  /** The client's Ctrl-C: takes back what waits for an answer, else stops what runs. */
  interrupt(): void
  /** The connection is over: reports what has no outcome yet. Answers whether the server is still at work. */
  closed(): boolean
}

const connectionLost = '08006'

/** Judges what the client says and masks what the server answers. */
export function relay(state: State, read: (text: string, state: State) => Reading): Relaying {
  return {
    request: requests(state, read),
    response: responses(state),
    held: () => state.hold,
    left: () => state.left,
    interrupt() {
      if (state.waiting) state.asking.abort()
      else if (state.queue.length > 0) state.cancel()
    },
    closed() {
      const busy = state.queue.length > 0
      // Whatever is still being asked for comes to nothing.
      state.skipping = true
      for (const slot of state.queue.splice(0)) dropped(slot, connectionLost)
      state.cursors.prune(() => true)
      return busy
    },
  }
}

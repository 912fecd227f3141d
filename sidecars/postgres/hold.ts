import type { Run } from './run.ts'
import { redefined } from './screen.ts'
import type { State } from './state.ts'

/**
 * Lets the server's answer wait until it is known that nothing was defined between the reading of the statement and a
 * moment at which the server had planned it; else nothing of it is shown.
 */
export function holdFor(state: State, run: Run): void {
  hold(state, run, () => run.refuse(redefined))
}

/** The same for cursors that a statement has opened: they stay what they were planned as, or are not known. */
export function holdForCursors(state: State, run: Run): void {
  const made = run.statement.names.flatMap(({ kind, statement }) =>
    kind === 'declare' && statement !== undefined ? [statement] : [],
  )
  if (made.length === 0 || run.mask.empty) return
  hold(state, run, () =>
    state.cursors.prune(({ statement }) => statement !== undefined && made.includes(statement)),
  )
}

/** Lets a refusal wait until the catalogue is read again: the client is told to try again, and then it may work. */
export function holdToSee(state: State): void {
  wait(
    state,
    state.catalogue.latest().catch(() => undefined),
  )
}

function hold(state: State, { statement }: Run, otherwise: () => void): void {
  const { catalogue } = state
  const read = statement.sign ?? catalogue.current().sign
  const found = catalogue.latest().then(
    ({ sign }) => {
      if (sign !== read) otherwise()
    },
    // Whoever cannot look does not show.
    otherwise,
  )
  wait(state, found)
}

function wait(state: State, work: Promise<unknown>): void {
  const mine: Promise<void> = Promise.all([state.hold, work]).then(() => {
    if (state.hold === mine) state.hold = undefined
  })
  state.hold = mine
}

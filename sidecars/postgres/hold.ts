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

function hold(state: State, { statement }: Run, otherwise: () => void): void {
  const { catalogue } = state
  const read = statement.sign ?? catalogue.current().sign
  const held = catalogue.latest().then(
    ({ sign }) => {
      if (sign !== read) otherwise()
    },
    // Whoever cannot look does not show.
    otherwise,
  )
  const before = state.hold
  const mine = Promise.all([before, held]).then(() => {
    if (state.hold === mine) state.hold = undefined
  })
  state.hold = mine
}

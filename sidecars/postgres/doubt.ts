import type { Proposed, State } from './state.ts'
import type { Statement } from './statement.ts'

/** Whoever runs something unknown may change settings, names and definitions with it. */
const isUnknown = ({ command }: Statement): boolean => command.incomplete !== undefined

const reason = ({ command }: Statement): string =>
  `after an incomplete ${command.name} the settings and names of this session are not known`

type Doubtful = Pick<State, 'doubt' | 'doubts' | 'batch' | 'path'>

/** Why nothing this session says is surely understood: what ran unread, or runs before it in the same batch. */
export function doubtOf({ doubt, doubts, batch, path }: Doubtful): string | undefined {
  const known = doubt ?? (path.isLost(batch) ? pathLost : undefined)
  if (doubts.size === 0) return known
  return known ?? [...doubts].find((one) => one.batch === batch)?.why
}

const pathLost = 'the search_path of this session is not known any more: connect again'

/** Whether an earlier batch still decides it; in the same one, what fails takes the rest with it. */
export const isOpen = ({ doubts, batch }: Doubtful): boolean =>
  doubts.size > 0 && [...doubts].some((one) => one.batch !== batch)

/** What a text says to this session: nothing is surely understood after what was not. */
export function doubted(statements: readonly Statement[], state: Doubtful): readonly Statement[] {
  let doubt = doubtOf(state)
  if (doubt === undefined && !statements.some(isUnknown)) return statements
  return statements.map((statement) => {
    if (isUnknown(statement)) {
      doubt ??= reason(statement)
      return statement
    }
    return doubt === undefined ? statement : suspect(statement, doubt)
  })
}

/** Statements that were read well, in a session that may not mean what they say. */
const suspects = new WeakSet<Statement>()

function suspect(statement: Statement, incomplete: string): Statement {
  const made = { ...statement, command: { ...statement.command, incomplete } }
  suspects.add(made)
  return made
}

/** What sending a statement leaves in doubt: at once, since its answer may come later than the next is read; for good once it ran. */
export function doubts(state: State, statement: Statement): readonly Proposed[] {
  // Whoever made it suspect answers for the doubt.
  if (!isUnknown(statement) || suspects.has(statement)) return []
  const one = { why: reason(statement), batch: state.batch }
  state.doubts.add(one)
  const over = (): void => void state.doubts.delete(one)
  return [
    {
      settle() {
        over()
        state.doubt ??= one.why
      },
      drop: over,
    },
  ]
}

import type { State } from './state.ts'
import type { Statement } from './statement.ts'

/** Whoever runs something unknown may change settings, names and definitions with it. */
const isUnknown = ({ command }: Statement): boolean => command.incomplete !== undefined

const reason = ({ command }: Statement): string =>
  `after an incomplete ${command.name} the settings and names of this session are not known`

/** What a text says to this session: nothing is surely understood after what was not. */
export function doubted(
  statements: readonly Statement[],
  { doubt: before }: Pick<State, 'doubt'>,
): readonly Statement[] {
  let doubt = before
  if (doubt === undefined && !statements.some(isUnknown)) return statements
  return statements.map((statement) => {
    const { command } = statement
    const incomplete = command.incomplete ?? doubt
    if (isUnknown(statement)) doubt ??= reason(statement)
    return incomplete === undefined
      ? statement
      : { ...statement, command: { ...command, incomplete } }
  })
}

/** Notes that a statement is on its way, before the next one is read: its answer may come later than that. */
export function sent(state: State, statement: Statement): void {
  if (isUnknown(statement)) state.doubt ??= reason(statement)
}

import { doubts } from './doubt.ts'
import type { Names } from './names.ts'
import { type Proposed, propose, type State } from './state.ts'
import type { NameChange, Statement } from './statement.ts'

/** What a statement that is sent will do to names, and to what is known, once the server confirms it. */
export function proposals(state: State, statement: Statement): readonly Proposed[] {
  const names = statement.names.map((change) => proposal(state, change, sentFor(statement, change)))
  const path = statement.path === undefined ? [] : [state.path.propose(statement.path, state.batch)]
  return [...names, ...path, ...doubts(state, statement)]
}

/** The text that the server has for a name: where it is given by EXECUTE, that of what is executed. */
function sentFor(statement: Statement, change: NameChange): string | undefined {
  return statement.needs.length > 0 ? change.statement?.upstream : statement.upstream
}

function proposal(
  state: State,
  { kind, name, statement }: NameChange,
  upstream: string | undefined,
): Proposed {
  const { batch, prepared, cursors } = state
  const which = name === '' ? undefined : name
  switch (kind) {
    case 'prepare':
      return propose(prepared, {
        name,
        value: { statements: statement ? [statement] : [], upstream },
        batch,
      })
    case 'deallocate':
      return propose(prepared, { name: which, value: undefined, batch })
    case 'declare':
      return propose(cursors, { name, value: { portal: false, statement, upstream }, batch })
    case 'close':
      return propose(cursors, { name: which, value: undefined, batch })
  }
}

/** A simple query ends the unnamed statement and the unnamed portal (PostgreSQL 55.2.3). */
export function unnamedGone({ batch, prepared, cursors }: State): readonly Proposed[] {
  return [...goneFrom(prepared, batch), ...goneFrom(cursors, batch)]
}

function goneFrom<T extends object>(names: Names<T>, batch: number): readonly Proposed[] {
  if (names.get('', batch) === undefined) return []
  return [propose(names, { name: '', value: undefined, batch })]
}

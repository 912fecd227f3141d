import type { PathChange } from '../read/path.ts'
import type { State } from '../state.ts'
import type { Scope, Statement } from '../statement.ts'
import { after, type Path } from './path.ts'

/** What bare names stand for in the next message of a client. */
export type Here = Pick<Scope, 'searchPath'> & {
  pathAfter(changes: readonly PathChange[]): readonly string[] | undefined
  /** Equal where a text that is one statement means the same. */
  readonly key: string
  /** Whether what was read here of these is what they mean wherever the key is the same. */
  isLasting(statements: readonly Statement[]): boolean
}

/** Undefined when it depends on answers that are still to come: then the message has to wait for them. */
export function pathHere(state: State): Here | undefined {
  const path = state.path.now(state.batch, () => isBehind(state))
  if (path === 'unsettled') return undefined
  const usable = state.catalogue.current().schemas
  const schemas = (of: Path): readonly string[] => state.path.schemas(of.current, usable)
  const searchPath = schemas(path)
  return {
    searchPath,
    pathAfter(changes) {
      const then = changes.reduce(after, path)
      return then.lost ? undefined : schemas(then)
    },
    // What a later statement of a text means may depend on what its transaction began with.
    key: `${path.uniform ? '' : '*'}${JSON.stringify(searchPath)}`,
    isLasting: (statements) =>
      statements.length === 1 || statements.every((one) => leaves(path, one.path)),
  }
}

function leaves({ uniform }: Path, change: PathChange | undefined): boolean {
  return change === undefined || (uniform && change.kind !== 'set' && change.kind !== 'discard')
}

/** Whether the server has not yet answered all that was sent before this batch; a stand-in goes with it. */
function isBehind({ queue }: State): boolean {
  return queue.some(
    (slot) =>
      slot.kind === 'query' ||
      slot.kind === 'sync' ||
      (slot.kind === 'refused' && slot.simple && !slot.silent),
  )
}

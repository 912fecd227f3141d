import { Refusal } from '../../pdp/refusal.ts'
import { parse, query } from './frames.ts'
import { unnamedGone } from './proposals.ts'
import { errorResponse, failure } from './report.ts'
import { propose, type State } from './state.ts'

/**
 * A syntax error in every state a server can be in: it does nothing, aborts the transaction as any refusal by the
 * server would, and keeps the answers in order. The client reads the refusal in place of the server's complaint.
 */
const standIn = 'postern_refused'
const standInQuery = query(standIn)
/** Under a name of its own, because Parse of the unnamed statement forgets the client's even when it fails. */
const standInParse = parse(standIn, standIn)
/** In place of the client's own Parse of the unnamed statement, which would have done just that. */
const standInUnnamed = parse('', standIn)

/** A refusal, and the decision it comes from; or an error the server would have given. */
export type No =
  | { readonly id: string | undefined; readonly refusal: Refusal; readonly sqlstate?: string }
  | { readonly error: Buffer }

/** Puts the stand-in into the place of a refused message. Extended messages up to the Sync are void after it. */
export function refuse(state: State, no: No, instead: 'query' | 'parse' | 'unnamed'): Buffer {
  const error = 'error' in no ? no.error : failure(no.refusal, no.id, no.sqlstate)
  if (instead === 'query') {
    state.queue.push({ kind: 'refused', error, simple: true, changes: unnamedGone(state) })
    state.batch += 1
    return standInQuery
  }
  const changes =
    instead === 'unnamed'
      ? [propose(state.prepared, { name: '', value: undefined, batch: state.batch })]
      : []
  state.queue.push({ kind: 'refused', error, simple: false, changes })
  state.skipping = true
  return instead === 'unnamed' ? standInUnnamed : standInParse
}

/** What the server says about a name it does not know; one that we do not know is never passed on. */
export function missing(kind: 'statement' | 'portal', name: string): No {
  const shown = name.slice(0, 64)
  const M =
    kind === 'portal'
      ? `portal "${shown}" does not exist`
      : name === ''
        ? 'unnamed prepared statement does not exist'
        : `prepared statement "${shown}" does not exist`
  return {
    error: errorResponse({ S: 'ERROR', V: 'ERROR', C: kind === 'portal' ? '34000' : '26000', M }),
  }
}

export const tooManyNames: No = {
  id: undefined,
  refusal: new Refusal('limit_exceeded', 'too many prepared statements or portals are open', {
    remedy: 'Close those that are no longer needed: DEALLOCATE ALL.',
  }),
}

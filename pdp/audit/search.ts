import { Worker } from 'node:worker_threads'
import { type Code, Refusal } from '../refusal.ts'
import type { AuditPage } from './finder.ts'
import type { AuditQuery } from './query.ts'

export type { AuditPage } from './finder.ts'
export type { AuditQuery } from './query.ts'

/** Searches a log that is being written to. */
export interface AuditSearch {
  /** One page, newest first. Throws Refusal `bad_request` or `state_unavailable`. */
  find(query: AuditQuery): Promise<AuditPage>
  close(): Promise<void>
}

type Answer = {
  readonly id: number
  readonly page?: AuditPage
  readonly refusal?: { readonly code: Code; readonly message: string }
}
type Waiting = {
  readonly done: (page: AuditPage) => void
  readonly refused: (why: Refusal) => void
  readonly timer: NodeJS.Timeout
}

const waitingMax = 64
const answerMsMax = 30_000

/**
 * Starts to keep an index of the log in this folder, in a thread of its own. A thread that died, which `failed` hears
 * of, is started anew when it is next needed.
 */
export function openSearch(folder: string, failed: (error: unknown) => void): AuditSearch {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined = start()
  let lastId = 0
  let closed = false

  function start(): Worker {
    const thread = new Worker(new URL('./search-worker.ts', import.meta.url), {
      workerData: folder,
    })
    thread.unref()
    thread.on('message', answer)
    thread.on('error', failed)
    thread.on('exit', () => {
      if (worker === thread) worker = undefined
      for (const id of waiting.keys()) {
        settle(id)?.refused(new Refusal('state_unavailable', 'the index of the record failed'))
      }
    })
    return thread
  }

  function find(query: AuditQuery): Promise<AuditPage> {
    if (closed || waiting.size >= waitingMax) {
      const why = closed ? 'the index of the record is closed' : 'too many searches at once'
      return Promise.reject(new Refusal('state_unavailable', why))
    }
    worker ??= start()
    const thread = worker
    lastId += 1
    const id = lastId
    return new Promise((done, refused) => {
      const timer = setTimeout(() => {
        settle(id)?.refused(new Refusal('state_unavailable', 'the search takes too long'))
      }, answerMsMax)
      waiting.set(id, { done, refused, timer })
      thread.postMessage({ id, query })
    })
  }

  function answer({ id, page, refusal }: Answer): void {
    const asker = settle(id)
    if (page !== undefined) asker?.done(page)
    else asker?.refused(new Refusal(refusal?.code ?? 'internal_error', refusal?.message))
  }

  function settle(id: number): Waiting | undefined {
    const asker = waiting.get(id)
    waiting.delete(id)
    clearTimeout(asker?.timer)
    return asker
  }

  async function close(): Promise<void> {
    closed = true
    await worker?.terminate()
  }

  return { find, close }
}

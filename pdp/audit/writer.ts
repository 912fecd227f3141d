import { Refusal } from '../refusal.ts'
import type { Chain, End, Gap } from './chain.ts'

export type Failure = { readonly since: string; readonly reason: string }

/** A chain that stops at the first failure and is opened anew, at most once a second, when it is next needed. */
export type Writer = {
  /** Throws Refusal `audit_unavailable` when the work fails and until the chain could be opened again. */
  run<Result>(work: (chain: Chain) => Result): Result
  /** Waits for the disk. A failure there is final: what the disk holds cannot be told from within the process. */
  flushed(): Promise<void>
  /** Counts an entry that had to be given up. */
  drop(): void
  status(): { readonly end: End; readonly failure?: Failure; readonly dropped: number }
  close(): Promise<void>
}

const retryMs = 1000

/** Opens the chain and keeps it open. Throws Refusal. */
export function openWriter(open: (gap?: Gap) => Chain, now: () => number): Writer {
  let chain: Chain | undefined = attempt(open)
  let end = chain.end()
  let failure: Failure | undefined
  let final = false
  let triedMs = 0
  let dropped = 0

  function run<Result>(work: (chain: Chain) => Result): Result {
    const usable = mended()
    try {
      return work(usable)
    } catch (error) {
      throw fail(error)
    } finally {
      end = usable.end()
    }
  }

  function mended(): Chain {
    if (failure === undefined && chain !== undefined) return chain
    const reason = failure?.reason ?? 'the log is closed'
    if (final || now() - triedMs < retryMs) throw unavailable(reason)
    triedMs = now()
    release()
    chain = attempt(() => open({ failed_since: failure?.since ?? '', reason, dropped }))
    failure = undefined
    dropped = 0
    return chain
  }

  function fail(error: unknown): Refusal {
    failure ??= { since: new Date(now()).toISOString(), reason: reasonOf(error) }
    triedMs = now()
    return unavailable(failure.reason)
  }

  async function flushed(): Promise<void> {
    try {
      await chain?.flushed()
    } catch (error) {
      final = true
      throw fail(error)
    }
  }

  function release(): void {
    chain?.close().catch(() => undefined)
    chain = undefined
  }

  async function close(): Promise<void> {
    const last = chain
    final = true
    chain = undefined
    await last?.close()
  }

  return {
    run,
    flushed,
    drop: () => {
      dropped += 1
    },
    status: () => ({ end, dropped, ...(failure === undefined ? {} : { failure }) }),
    close,
  }
}

function attempt(open: () => Chain): Chain {
  try {
    return open()
  } catch (error) {
    throw error instanceof Refusal ? error : unavailable(reasonOf(error))
  }
}

function unavailable(reason: string): Refusal {
  return new Refusal('audit_unavailable', `the record cannot be written: ${reason}`)
}

// System errors name a code and a path, never content.
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown failure'
}

import { Worker } from 'node:worker_threads'
import type { ReachSettings } from '../commands/settings.ts'
import { endOf, keepPosition, keptPosition } from './position.ts'
import type { Shipped, ShipperOptions } from './shipper.ts'

/** Sends decisions to a receiver of OPA's decision logs, from the record, which is the spool. */
export interface DecisionLog {
  status(): DecisionLogStatus
  /** Sends what is there for at most `graceMs`; the rest is sent after the next start. */
  close(graceMs: number): Promise<void>
}

/** Where events are posted: `<url>/logs`. Secrets and certificates are read by the thread. */
export type Target = ReachSettings & { readonly url: string; readonly timeoutMs?: number }

/** Delivery as `/v1/status` and the metrics show it. */
export type DecisionLogStatus = {
  readonly url: string
  readonly sent: number
  readonly batches: number
  readonly failures: number
  readonly shrunk: number
  readonly lost: number
  readonly crashes: number
  /** Age of the oldest decision that waits. */
  readonly lag_s: number
  /** How much of the record is not delivered yet. */
  readonly behind_bytes: number
  /** Whether decisions wait for longer than is configured to be normal. */
  readonly late: boolean
  readonly code?: 'decision_log_error'
  readonly message?: string
  readonly http_code?: string
}

export type DecisionLogOptions = {
  /** The record's folder, open for writing, and the number of its last entry. */
  readonly folder: string
  readonly entries: number
  readonly positionFile: string
  readonly receiver: Target
  readonly events: ShipperOptions['events']
  readonly uploadBytesMax: number
  /** How long decisions may wait for others to be sent with. */
  readonly delayMs: number
  /** From which age of the oldest decision that waits there is an alarm. */
  readonly alarmAfterMs: number
  /** Hears of what was not delivered as it is on record, and of delivery that is late: once each. */
  alarm(text: string, decision?: string): void
  /** Hears of crashes of the thread. */
  failed(error: unknown): void
  readonly now?: () => number
}

/** What the thread says. */
export type Said =
  | { readonly kind: 'status'; readonly shipped: Shipped }
  | { readonly kind: 'alarm'; readonly text: string; readonly decision?: string }
  | { readonly kind: 'ended' }

/** What the thread is given. */
export type Task = Pick<
  ShipperOptions,
  'folder' | 'positionFile' | 'position' | 'events' | 'uploadBytesMax'
> & {
  readonly receiver: Target
  readonly delayMs: number
}

const restartMsFirst = 1_000
const restartMsMax = 60_000
const lateCheckMs = 1_000
const nothing: Shipped = { sent: 0, batches: 0, failures: 0, shrunk: 0, lost: 0, behindBytes: 0 }

/** Begins where delivery ended last, the first time at the end of the record. Throws an Error. */
export function openDecisionLog(options: DecisionLogOptions): DecisionLog {
  const { folder, positionFile, receiver, alarm, failed, now = Date.now } = options
  if (keptPosition(positionFile) === undefined)
    keepPosition(positionFile, endOf(folder, options.entries))
  let shipped = nothing
  // What threads before this one counted.
  let before = nothing
  let crashes = 0
  let late = false
  let restart: NodeJS.Timeout | undefined
  let thread = start()
  const watch = setInterval(watchLag, lateCheckMs).unref()
  let closed = false

  function start(): Worker {
    const position = keptPosition(positionFile) ?? endOf(folder, options.entries)
    const { events, uploadBytesMax, delayMs } = options
    const task: Task = { folder, positionFile, position, receiver, events, uploadBytesMax, delayMs }
    const started = new Worker(new URL('./worker.ts', import.meta.url), { workerData: task })
    started.unref()
    started.on('message', (said: Said) => {
      if (said.kind === 'status') shipped = said.shipped
      else if (said.kind === 'alarm') alarm(said.text, said.decision)
    })
    started.on('error', crashed)
    return started
  }

  /** Starts anew where delivery ended, later each time. */
  function crashed(error: unknown): void {
    failed(error)
    crashes += 1
    before = totals()
    shipped = { ...nothing, behindBytes: shipped.behindBytes }
    if (closed) return
    const waitMs = Math.min(restartMsFirst * 2 ** Math.min(crashes - 1, 20), restartMsMax)
    restart = setTimeout(() => {
      thread = start()
    }, waitMs).unref()
  }

  function totals(): Shipped {
    return {
      ...shipped,
      sent: before.sent + shipped.sent,
      batches: before.batches + shipped.batches,
      failures: before.failures + shipped.failures,
      shrunk: before.shrunk + shipped.shrunk,
      lost: before.lost + shipped.lost,
    }
  }

  function lagMs(): number {
    return shipped.oldestMs === undefined ? 0 : Math.max(0, now() - shipped.oldestMs)
  }

  function watchLag(): void {
    const isLate = lagMs() > options.alarmAfterMs
    if (isLate && !late)
      alarm(`decisions wait to be delivered since ${Math.round(lagMs() / 1000)} s: ${why()}`)
    late = isLate
  }

  function why(): string {
    return shipped.problem ?? 'the receiver is slower than the gate'
  }

  function status(): DecisionLogStatus {
    const { sent, batches, failures, shrunk, lost, behindBytes, problem, httpCode } = totals()
    const counted = { sent, batches, failures, shrunk, lost, crashes }
    const error =
      problem !== undefined && ({ code: 'decision_log_error', message: problem } as const)
    return {
      url: receiver.url,
      ...counted,
      lag_s: Math.round(lagMs() / 100) / 10,
      behind_bytes: behindBytes,
      late,
      ...error,
      ...(httpCode !== undefined && { http_code: String(httpCode) }),
    }
  }

  async function close(graceMs: number): Promise<void> {
    closed = true
    clearInterval(watch)
    clearTimeout(restart)
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    const cut = setTimeout(() => void thread.terminate(), graceMs)
    thread.postMessage('end')
    if (thread.threadId >= 0) await ended
    clearTimeout(cut)
  }

  return { status, close }
}

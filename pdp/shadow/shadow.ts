import { Worker } from 'node:worker_threads'
import type { Replayed } from '../impact/replay.ts'
import type { PolicyBundle } from '../parts.ts'

/** A candidate bundle beside the active one, as `/v1/shadow` shows it. */
export type ShadowStatus = {
  readonly candidate?: Pick<PolicyBundle, 'name' | 'revision' | 'digest' | 'sequence'>
  /** Since when decisions are compared, RFC 3339: a candidate that was started anew begins anew. */
  readonly since?: string
  /** The time of the last decision that was compared, RFC 3339. */
  readonly through?: string
  readonly report?: Replayed
  /** How often the candidate crashed or hung, and why it did last. */
  readonly crashes: number
  readonly problem?: string
}

/** Runs a candidate on what the active bundle decided, in a thread of its own that reads the record. */
export interface Shadow {
  /** Replaces the candidate. Resolves once it runs; rejects with what is wrong with it, and then none runs. */
  activate(candidate: PolicyBundle): Promise<void>
  status(): ShadowStatus
  close(): Promise<void>
}

/** What the thread says. */
export type Said =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'report'; readonly report: Replayed; readonly through: string | undefined }

/** What the thread is given. */
export type Task = { readonly folder: string; readonly candidate: PolicyBundle }

export type ShadowOptions = {
  /** The record's folder. */
  readonly folder: string
  /** Hears of crashes, once each. */
  failed(error: Error): void
  /** How long the thread may say nothing before it counts as hung, in milliseconds. */
  readonly silenceMsMax?: number
}

const restartMsFirst = 1_000
const restartMsMax = 60_000
const heapMbMax = 256

/** No candidate runs until one is activated. Nothing that a candidate does reaches a command. */
export function shadow(options: ShadowOptions): Shadow {
  const { folder, failed, silenceMsMax = 10_000 } = options
  let candidate: PolicyBundle | undefined
  let thread: Worker | undefined
  let watch: NodeJS.Timeout | undefined
  let restart: NodeJS.Timeout | undefined
  let status: ShadowStatus = { crashes: 0 }

  async function activate(next: PolicyBundle): Promise<void> {
    await stop()
    status = { crashes: 0 }
    candidate = next
    try {
      await start(next)
    } catch (error) {
      await stop()
      throw error
    }
  }

  /** Resolves when the thread has loaded the candidate. */
  function start(next: PolicyBundle): Promise<void> {
    const task: Task = { folder, candidate: next }
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
    })
    started.unref()
    thread = started
    alive(started)
    return new Promise((ready, refused) => {
      started.on('message', (said: Said) => {
        alive(started)
        if (said.kind === 'ready') {
          begun(next)
          ready()
        } else if (said.kind === 'refused') refused(new Error(said.problem))
        else if (said.kind === 'report') heard(said)
      })
      started.once('error', (error) => {
        refused(error)
        crashed(started, error)
      })
      started.once('exit', () => refused(new Error('the shadow ended before it began')))
    })
  }

  function begun({ name, revision, digest, sequence }: PolicyBundle): void {
    status = {
      candidate: { name, revision, digest, ...(sequence === undefined ? {} : { sequence }) },
      since: new Date().toISOString(),
      crashes: status.crashes,
    }
  }

  function heard({ report, through }: Extract<Said, { kind: 'report' }>): void {
    const { problem: _, ...before } = status
    status = { ...before, report, ...(through === undefined ? {} : { through }) }
  }

  function alive(of: Worker): void {
    clearTimeout(watch)
    watch = setTimeout(() => {
      void of.terminate()
      crashed(of, new Error(`the candidate took longer than ${silenceMsMax} ms`))
    }, silenceMsMax).unref()
  }

  /** Starts anew at the end of the record, later each time: whatever broke the candidate is behind it then. */
  function crashed(which: Worker, error: Error): void {
    if (thread !== which) return
    thread = undefined
    clearTimeout(watch)
    const crashes = status.crashes + 1
    status = { ...status, crashes, problem: error.message }
    failed(error)
    const waitMs = Math.min(restartMsFirst * 2 ** (crashes - 1), restartMsMax)
    restart = setTimeout(() => {
      if (candidate !== undefined) start(candidate).catch(() => undefined)
    }, waitMs).unref()
  }

  async function stop(): Promise<void> {
    const ended = thread
    thread = undefined
    candidate = undefined
    clearTimeout(watch)
    clearTimeout(restart)
    await ended?.terminate()
  }

  return { activate, status: () => status, close: stop }
}

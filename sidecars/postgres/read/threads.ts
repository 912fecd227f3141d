import { Worker } from 'node:worker_threads'
import type { RawStmt } from 'libpg-query'
import type { Canonical } from '../rewrite/canonical.ts'
import { listOf } from './parser.ts'
import type { Told } from './thread.ts'

/** A large text as it was parsed, without repeated rows of VALUES (`thin`), and what that leaves open of each statement. */
export type Apart =
  | {
      readonly statements: readonly RawStmt[]
      readonly each: readonly Piece[]
      readonly problem?: undefined
    }
  | { readonly problem: string; readonly statements?: undefined }

/** What takes the whole tree of a statement to tell. */
export type Piece = {
  readonly written: Canonical
  readonly shape: string | undefined
  /** One of its literals is a mask. */
  readonly placeholder: boolean
}

/** What threads are and may take; the defaults are those of the gate. */
export type Means = {
  readonly entry?: URL
  /** A text that takes longer is not read, in milliseconds; most take a tenth of it. */
  readonly readMsMax?: number
  readonly idleMsMax?: number
  readonly threadsMax?: number
  readonly waitingMax?: number
}

/** A tree, its JSON and its copies: about ten times what is let out. */
const heapMbMax = 256
const startMsMax = 10_000

/**
 * Reads large texts in threads: at most two at once, each for a bounded time. A thread that was hurt, hangs or dies is
 * replaced; the others wait in order. Never rejects: a text that cannot be read comes with its problem.
 */
export function threads({
  entry = new URL('./thread.ts', import.meta.url),
  readMsMax = 2_000,
  idleMsMax = 60_000,
  threadsMax = 2,
  waitingMax = 64,
}: Means = {}): (text: string) => Promise<Apart> {
  const waiting: Job[] = []
  const idle: Thread[] = []
  let running = 0
  return read

  function read(text: string): Promise<Apart> {
    if (waiting.length >= waitingMax)
      return Promise.resolve({ problem: 'the gate reads too many large statements, try again' })
    return new Promise((done) => {
      waiting.push({ text, done })
      next()
    })
  }

  function next(): void {
    const thread = idle.pop()
    if (thread !== undefined) give(thread)
    else if (waiting.length > 0 && running < threadsMax) start()
  }

  function give(thread: Thread): void {
    const job = waiting.shift()
    thread.job = job
    within(thread, job === undefined ? idleMsMax : readMsMax)
    if (job === undefined) idle.push(thread)
    else thread.worker.postMessage(job.text)
  }

  function start(): void {
    running += 1
    const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: heapMbMax } })
    const thread: Thread = {
      worker,
      started: false,
      ending: false,
      job: undefined,
      timer: undefined,
    }
    worker.unref()
    within(thread, startMsMax)
    worker.on('message', (said: Told | 'ready') => heard(thread, said))
    // What it died of says nothing that the exit does not.
    worker.on('error', () => undefined)
    worker.on('exit', () => gone(thread))
  }

  function heard(thread: Thread, said: Told | 'ready'): void {
    if (thread.ending) return
    thread.started = true
    const { job } = thread
    thread.job = undefined
    if (said !== 'ready') job?.done(understood(said))
    if (said !== 'ready' && said.hurt) over(thread)
    else give(thread)
  }

  function within(thread: Thread, ms: number): void {
    clearTimeout(thread.timer)
    thread.timer = setTimeout(() => over(thread), ms)
    thread.timer.unref()
  }

  /** Only when it has gone is there room for another. */
  function over(thread: Thread): void {
    thread.ending = true
    const at = idle.indexOf(thread)
    if (at >= 0) idle.splice(at, 1)
    void thread.worker.terminate()
  }

  function gone(thread: Thread): void {
    clearTimeout(thread.timer)
    running -= 1
    // One that cannot even start answers for a statement, so that none waits for ever.
    const job = thread.job ?? (thread.started ? undefined : waiting.shift())
    job?.done({ problem: 'it takes too much time or memory to read' })
    next()
  }
}

type Job = { readonly text: string; readonly done: (read: Apart) => void }

type Thread = {
  readonly worker: Worker
  started: boolean
  ending: boolean
  job: Job | undefined
  timer: NodeJS.Timeout | undefined
}

function understood(told: Told): Apart {
  if (told.tree === undefined) return { problem: told.problem }
  return { statements: listOf(told.tree), each: told.each }
}

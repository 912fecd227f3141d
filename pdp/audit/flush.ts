import { fdatasync } from 'node:fs'
import { promisify } from 'node:util'

/** One wait for the disk shared by everyone who wrote before it began. */
export type Flush = {
  /** Resolves when all that was written before the call is on the disk. */
  flushed(): Promise<void>
  /** Resolves when no call to the disk is under way. */
  idle(): Promise<void>
}

const sync = promisify(fdatasync)

/** Groups waits for the disk; `fd` is asked at the moment a wait begins. */
export function groupFlush(fd: () => number): Flush {
  let running = Promise.resolve()
  let next: Promise<void> | undefined

  function flushed(): Promise<void> {
    next ??= running.then(begin)
    return next
  }

  function begin(): Promise<void> {
    next = undefined
    running = sync(fd())
    return running
  }

  return { flushed, idle: () => running.catch(() => undefined) }
}

import { constants, type FSWatcher, watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { archiveBytesMax } from './archive.ts'
import type { Source } from './source.ts'

/** A file's change is seen at once where the system tells, and after this long everywhere. */
export const lookMs = 2_000
// Without waiting for a writer, should somebody put a pipe there.
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** A bundle in a file that something else replaces. */
export function fileSource(path: string): Source {
  return {
    place: path,
    retryMsMax: lookMs,
    async fetch(known) {
      await using file = await open(path, flags).catch(failed)
      // Of the open file, so that the tag and the bytes belong together.
      const found = await file.stat({ bigint: true })
      const { ino, size, mtimeNs } = found
      if (!found.isFile()) throw new Error(`${path} is not a file`)
      const tag = `${ino}-${size}-${mtimeNs}`
      if (tag === known) return { kind: 'unchanged' }
      if (size > archiveBytesMax)
        throw new Error(`the file ${path} has ${size} bytes; ${archiveBytesMax} are accepted`)
      return { kind: 'bundle', bytes: await file.readFile(), tag }
    },
    changed: (signal) => fileChanged(path, signal),
  }

  function failed(error: NodeJS.ErrnoException): never {
    throw new Error(`the file ${path} cannot be read (${error.code ?? error.message})`)
  }
}

/** Resolves at the next sign of life in the file's folder, or when it is time to look anyway. */
export async function fileChanged(path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stop = () => reject(signal.reason)
  const timer = setTimeout(resolve, lookMs)
  const watcher = watching(path, resolve)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    watcher?.close()
    signal.removeEventListener('abort', stop)
  }
}

function watching(path: string, seen: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      // Kubernetes replaces a mounted file by swapping the link `..data` beside it.
      if (name === null || name === basename(path) || name === '..data') seen()
    })
    // The timer looks anyway.
    return watcher.on('error', () => undefined)
  } catch {
    return undefined
  }
}

/** Nothing to send. */
export const nothing: Buffer = Buffer.alloc(0)

/** Collects what leaves in one write: neighbours that lie side by side in memory stay one uncopied slice. */
export interface Outbox {
  add(bytes: Buffer): void
  /** Everything added since the last call, as one Buffer; empty when there was nothing. */
  take(): Buffer
}

/** An empty Outbox. */
export function outbox(): Outbox {
  let parts: Buffer[] = []
  let run: Buffer | undefined
  let runBytes = 0
  let total = 0

  return { add, take }

  function add(bytes: Buffer): void {
    if (bytes.length === 0) return
    total += bytes.length
    if (run !== undefined && follows(run, runBytes, bytes)) {
      runBytes += bytes.length
      return
    }
    closeRun()
    run = bytes
    runBytes = bytes.length
  }

  function closeRun(): void {
    if (run === undefined) return
    parts.push(runBytes === run.length ? run : Buffer.from(run.buffer, run.byteOffset, runBytes))
    run = undefined
  }

  function take(): Buffer {
    closeRun()
    const [only] = parts
    const bytes =
      only === undefined ? nothing : parts.length === 1 ? only : Buffer.concat(parts, total)
    if (only !== undefined) parts = []
    total = 0
    return bytes
  }
}

function follows(run: Buffer, runBytes: number, next: Buffer): boolean {
  return run.buffer === next.buffer && run.byteOffset + runBytes === next.byteOffset
}

/** Chunks as they arrived; joined only when enough is there, so that a long message costs one copy. */
export interface Gather {
  readonly bytes: number
  add(chunk: Buffer): void
  /** All of it as one Buffer, which leaves the gather empty. */
  take(): Buffer
}

/** An empty Gather. */
export function gather(): Gather {
  let chunks: Buffer[] = []
  let bytes = 0

  return {
    get bytes() {
      return bytes
    },
    add(chunk) {
      if (chunk.length === 0) return
      chunks.push(chunk)
      bytes += chunk.length
    },
    take() {
      const [only] = chunks
      const all =
        only === undefined ? nothing : chunks.length === 1 ? only : Buffer.concat(chunks, bytes)
      chunks = []
      bytes = 0
      return all
    },
  }
}

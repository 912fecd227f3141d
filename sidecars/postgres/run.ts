import type { Allowed, Limit, Mask } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { length, message, text } from './frames.ts'
import { failure, fields, notice } from './report.ts'
import type { Field } from './rows.ts'
import { type Around, screen } from './screen.ts'
import { sqlstate } from './sqlstate.ts'
import type { Statement } from './statement.ts'

/** One allowed statement from its ruling to its outcome: masks its rows, keeps it within its limits, reports it once. */
export interface Run {
  readonly id: string
  readonly mask: Mask
  readonly statement: Statement
  /** It has to end with our error although the server let it succeed. */
  readonly denied: boolean
  /** It went upstream: its time runs. */
  start(): void
  /** The columns its rows will have. */
  describe(columns: readonly Field[], around: Around): void
  /** DataRows as the client may see them, or nothing. Throws Malformed when they cannot be masked. */
  rows(frames: Buffer): Buffer
  /** COPY TO begins, in a format and with a number of columns. */
  copying(frame: Buffer, around: Around): void
  /** A CopyData of COPY TO, or nothing. Throws Malformed when it cannot be masked. */
  copied(frame: Buffer): Buffer
  /** The end of its data. Throws Malformed when a row is not whole. */
  copyDone(frame: Buffer): Buffer
  /** What the client reads for CommandComplete or EmptyQueryResponse. */
  complete(frame: Buffer): Buffer
  /** Our error where the server's has its cause in a limit of ours, else undefined. */
  failed(frame: Buffer): Buffer | undefined
  /** Reports the outcome; only the first call counts. */
  finish(error?: string): void
}

type Exceeded = { readonly what: string; readonly limit: Limit }

/** What a run can do beyond its own statement. */
export type Means = {
  /** Stops it at the server. */
  readonly cancel: () => void
  /** Tells those who watch the gate, in words without data, that something cannot be right. */
  readonly alarm: (text: string, decision: string) => void
}

/** Follows one allowed statement. */
export function run(ruling: Allowed, statement: Statement, { cancel, alarm }: Means): Run {
  const { mask, limits } = ruling
  /** Why it ends with our error although the server let it succeed. */
  let refusal: Refusal | undefined
  let exceeded: Exceeded | undefined
  let timer: NodeJS.Timeout | undefined
  let finished = false
  let rows = 0
  let bytes = 0
  /** Rows since the portal was last executed: what its command tag counts. */
  let rowsNow = 0
  let affected = 0
  const rowsMax = limits.rows?.max ?? Number.POSITIVE_INFINITY
  const bytesMax = limits.bytes?.max ?? Number.POSITIVE_INFINITY
  const limited = limits.rows !== undefined || limits.bytes !== undefined
  const shown = screen({ statement, mask, limited, counted, refuse })

  return {
    id: ruling.id,
    mask,
    statement,
    get denied() {
      return refusal !== undefined
    },
    start,
    describe: shown.describe,
    rows: (frames) => (refusal === undefined ? shown.rows(frames) : nothing),
    copying: shown.copying,
    copied: (frame) => (refusal === undefined ? shown.copied(frame) : nothing),
    copyDone(frame) {
      if (refusal !== undefined) return nothing
      shown.copyDone()
      return frame
    },
    complete,
    failed(frame) {
      finish(refusal === undefined ? (fields(frame)['C'] ?? 'XX000') : sqlstate[refusal.code])
      return refusal === undefined ? undefined : failure(refusal, ruling.id)
    },
    finish,
  }

  function start(): void {
    const { durationMs } = limits
    if (durationMs === undefined || timer !== undefined || finished) return
    timer = setTimeout(() => {
      if (!finished)
        exceed({ what: `${durationMs.max} ms`, limit: { ...durationMs, exceed: 'deny' } })
    }, durationMs.max)
    timer.unref()
  }

  /** Lets as many rows pass as are within the limits, each a message of its own. */
  function counted(frames: Buffer): Buffer {
    if (exceeded !== undefined) return nothing
    for (let at = 0; at < frames.length; ) {
      const size = length(frames, at)
      const over =
        rows >= rowsMax ? limits.rows : bytes + size > bytesMax ? limits.bytes : undefined
      if (over !== undefined) {
        exceed({ what: `${over.max} ${over === limits.rows ? 'rows' : 'bytes'}`, limit: over })
        return at === 0 ? nothing : frames.subarray(0, at)
      }
      rows += 1
      rowsNow += 1
      bytes += size
      at += size
    }
    return frames
  }

  function exceed(by: Exceeded): void {
    exceeded = by
    if (by.limit.exceed === 'deny') refuse(tooMuch(by))
  }

  function refuse(why: Refusal, doubt?: string): void {
    refusal = why
    if (doubt !== undefined) alarm(doubt, ruling.id)
    cancel()
  }

  function complete(frame: Buffer): Buffer {
    // EmptyQueryResponse has no tag.
    const [tag] = frame.length > 5 ? text(frame, 5) : ['']
    affected = Number(/ (\d+)$/.exec(tag)?.[1] ?? 0)
    const sent = rowsNow
    rowsNow = 0
    if (refusal !== undefined) {
      finish(sqlstate[refusal.code])
      return failure(refusal, ruling.id)
    }
    finish()
    if (exceeded === undefined) return frame
    return Buffer.concat([cutNotice(exceeded, ruling.id), retagged(frame, tag, sent)])
  }

  function finish(error?: string): void {
    if (finished) return
    finished = true
    clearTimeout(timer)
    // A COPY that nobody counts may hold several rows in a message.
    const uncounted = statement.copy === 'out' && !shown.countsCopy
    ruling.done({
      rows:
        (uncounted || rows === 0) && exceeded === undefined && refusal === undefined
          ? affected
          : rows,
      bytes,
      ...(error !== undefined && { error }),
      ...(exceeded !== undefined && { truncated: true }),
    })
  }
}

function tooMuch({ what }: Exceeded): Refusal {
  return new Refusal('limit_exceeded', `the statement went over its limit of ${what}`, {
    remedy: 'Ask for less: add a WHERE or a LIMIT.',
  })
}

function cutNotice({ what }: Exceeded, decision: string): Buffer {
  return notice(`the result was cut off at its limit of ${what} (decision ${decision})`)
}

/** A command tag that counts what the client got. */
function retagged(frame: Buffer, tag: string, shown: number): Buffer {
  const counts = /^(SELECT|FETCH|COPY) \d+$/.exec(tag)
  return counts === null ? frame : message('C', `${counts[1]} ${shown}`)
}

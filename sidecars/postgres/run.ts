import type { Allowed, Mask } from '../../pdp/contract.ts'
import type { Refusal } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { allowance, cutNotice, type Exceeded, over } from './allowance.ts'
import { intakeOf } from './copy/intake.ts'
import { message, text } from './frames.ts'
import { failure, fields } from './report.ts'
import type { Field } from './rows.ts'
import { type Around, screen } from './screen.ts'
import { sqlstate } from './sqlstate.ts'
import type { Statement } from './statement.ts'
import { isPureRead } from './stopping.ts'

/** One allowed statement from its ruling to its outcome: masks its rows, keeps it within its limits, reports it once. */
export interface Run {
  readonly id: string
  readonly mask: Mask
  readonly statement: Statement
  /** It has to end with our error although the server let it succeed. */
  isDenied(): boolean
  /** It went upstream: its time runs. */
  start(): void
  /** Nothing more of its answer may be seen; `alarm` says why, in words without data. */
  refuse(refusal: Refusal, alarm?: string): void
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
  /** Whether data of COPY FROM, or its end, may go to the server; where not, the COPY has to fail. */
  takes(frame: Buffer): boolean
  /** What the client reads for CommandComplete or EmptyQueryResponse. */
  complete(frame: Buffer): Buffer
  /** What the client reads for PortalSuspended. */
  suspend(frame: Buffer): Buffer
  /** Our error where the server's has its cause in a limit of ours, else undefined. */
  failed(frame: Buffer): Buffer | undefined
  /** Reports the outcome; only the first call counts. */
  finish(error?: string): void
}

/** What a run can do beyond its own statement. */
export type Means = {
  /** Stops it at the server. */
  readonly cancel: () => void
  /** The same where it can hit nothing else, and `unseen` also undo nothing; answers whether. */
  readonly stop: (unseen: boolean) => boolean
  /** Tells those who watch the gate, in words without data, that something cannot be right. */
  readonly alarm: (text: string, decision: string) => void
}

/** Follows one allowed statement. Throws Refusal where what it loads could not be checked. */
export function run(ruling: Allowed, statement: Statement, { cancel, stop, alarm }: Means): Run {
  const { mask, limits } = ruling
  /** Why it ends with our error although the server let it succeed. */
  let refusal: Refusal | undefined
  let exceeded: Exceeded | undefined
  /** The limit because of which rows are missing. */
  let cut: Exceeded | undefined
  let finished = false
  /** It was stopped at the server because the client has all it may get. */
  let stopped = false
  let copyEnds = false
  const count = allowance(limits, exceed)
  const reads = isPureRead({ statement })
  const copies = statement.copy === 'out'
  const limited = limits.rows !== undefined || limits.bytes !== undefined
  const intake = intakeOf(statement, mask)
  const shown = screen({ statement, mask, limited, counted: count.take, refuse })

  return {
    id: ruling.id,
    mask,
    statement,
    isDenied: () => refusal !== undefined,
    start: count.start,
    refuse,
    describe: shown.describe,
    rows: (frames) => (refusal === undefined ? shown.rows(frames) : nothing),
    copying: shown.copying,
    copied: (frame) => (refusal === undefined ? shown.copied(frame) : nothing),
    copyDone(frame) {
      if (refusal !== undefined) return nothing
      shown.copyDone()
      copyEnds = true
      return frame
    },
    takes(frame) {
      refusal ??= intake?.read(frame)
      return refusal === undefined
    },
    complete,
    suspend,
    failed(frame) {
      const { C = 'XX000' } = fields(frame)
      if (stopped && C === cancelled) return cutShort()
      const why = refusal ?? (C === cancelled ? over(exceeded) : undefined)
      if (why !== undefined) return ended(why)
      finish(C)
      return undefined
    },
    finish,
  }

  function exceed(by: Exceeded): void {
    exceeded = by
    if (by.metric !== 'durationMs') cut = by
    const why = over(by)
    // What writes may be done by now: then its client must not read that it failed.
    if (reads) refusal ??= why
    if (why === undefined) stopped = reads && stop(true)
    else if (cut === by) stop(false)
    else cancel()
  }

  function refuse(why: Refusal, doubt?: string): void {
    refusal = why
    if (doubt !== undefined) alarm(doubt, ruling.id)
    cancel()
  }

  function ended(by: Refusal): Buffer {
    finish(sqlstate[by.code])
    return failure(by, ruling.id)
  }

  /** The end of an answer that the server did not bring to its end. */
  function cutShort(): Buffer {
    const end = copies && !copyEnds ? copyDone : nothing
    const tag = message('C', `${copies ? 'COPY' : 'SELECT'} ${count.since()}`)
    finish()
    return cut ? Buffer.concat([end, cutNotice(cut, ruling.id), tag]) : nothing
  }

  /** A client that goes on asking for a portal of which it may not see more is told that this was all. */
  function suspend(frame: Buffer): Buffer {
    if (refusal !== undefined) return ended(refusal)
    if (reads && cut !== undefined) return cutShort()
    count.since()
    return frame
  }

  function complete(frame: Buffer): Buffer {
    if (refusal !== undefined) return ended(refusal)
    const tag = tagOf(frame)
    finish(undefined, Number(/ (\d+)$/.exec(tag)?.[1] ?? 0))
    if (cut === undefined) return frame
    return Buffer.concat([cutNotice(cut, ruling.id), retagged(frame, tag, count.since())])
  }

  function finish(error?: string, affected = 0): void {
    if (finished) return
    finished = true
    count.end()
    const truncated = cut !== undefined || (exceeded !== undefined && error !== undefined)
    // A COPY that nobody counts may hold several rows in a message.
    const uncounted = count.rows() === 0 || (copies && !shown.countsCopy())
    ruling.done({
      rows: uncounted && !truncated && refusal === undefined ? affected : count.rows(),
      bytes: count.bytes(),
      ...(error !== undefined && { error }),
      ...(truncated && { truncated }),
    })
  }
}

const cancelled = '57014'
const copyDone = message('c')

/** EmptyQueryResponse has none. */
const tagOf = (frame: Buffer): string => (frame.length > 5 ? text(frame, 5)[0] : '')

/** A command tag that counts what the client got. */
function retagged(frame: Buffer, tag: string, shown: number): Buffer {
  const counts = /^(SELECT|FETCH|COPY) \d+$/.exec(tag)
  return counts === null ? frame : message('C', `${counts[1]} ${shown}`)
}

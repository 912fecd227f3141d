import type { Limit, Limits } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { length } from './frames.ts'
import { notice } from './report.ts'

/** Which limit was reached. */
export type Exceeded = {
  readonly metric: keyof Limits
  readonly what: string
  readonly limit: Limit
}

/** Counts what one statement answers, and lets no more pass than its limits. */
export interface Allowance {
  /** The first rows of these, each a message of its own, that are within the limits. */
  take(frames: Buffer): Buffer
  /** Its time runs; only the first call counts. */
  start(): void
  /** It is over: its time cannot run out any more. */
  end(): void
  /** Rows since this was last asked. */
  since(): number
  rows(): number
  bytes(): number
}

/** A fresh count; `exceed` is called once. */
export function allowance(limits: Limits, exceed: (by: Exceeded) => void): Allowance {
  const rowsMax = limits.rows?.max ?? Number.POSITIVE_INFINITY
  const bytesMax = limits.bytes?.max ?? Number.POSITIVE_INFINITY
  let rows = 0
  let bytes = 0
  let told = 0
  let over = false
  let ended = false
  let timer: NodeJS.Timeout | undefined

  return {
    take,
    start,
    end() {
      ended = true
      clearTimeout(timer)
    },
    since() {
      const more = rows - told
      told = rows
      return more
    },
    // Accessors would give every count a shape of its own, which V8 keeps until it collects all of its memory.
    rows: () => rows,
    bytes: () => bytes,
  }

  function start(): void {
    const { durationMs } = limits
    if (durationMs === undefined || timer !== undefined || ended) return
    const late: Exceeded = {
      metric: 'durationMs',
      what: `${durationMs.max} ms`,
      limit: { ...durationMs, exceed: 'deny' },
    }
    timer = setTimeout(() => exceed(late), durationMs.max)
    timer.unref()
  }

  function take(frames: Buffer): Buffer {
    if (over) return nothing
    for (let at = 0; at < frames.length; ) {
      const size = length(frames, at)
      if (rows >= rowsMax || bytes + size > bytesMax) {
        over = true
        exceed(which())
        return at === 0 ? nothing : frames.subarray(0, at)
      }
      rows += 1
      bytes += size
      at += size
    }
    return frames
  }

  function which(): Exceeded {
    if (rows >= rowsMax && limits.rows !== undefined)
      return { metric: 'rows', what: `${rowsMax} rows`, limit: limits.rows }
    const none: Limit = { max: bytesMax, exceed: 'deny' }
    return { metric: 'bytes', what: `${bytesMax} bytes`, limit: limits.bytes ?? none }
  }
}

/** Why a statement ends; undefined where policy lets it be cut. */
export function over(by: Exceeded | undefined): Refusal | undefined {
  if (by === undefined || by.limit.exceed === 'truncate') return undefined
  const { what, limit } = by
  return new Refusal('limit_exceeded', `the statement went over its limit of ${what}`, {
    ...(limit.rule !== undefined && { rule: limit.rule }),
    remedy: 'Ask for less: add a WHERE or a LIMIT.',
  })
}

/** Says that rows are missing. */
export function cutNotice({ what, limit }: Exceeded, decision: string): Buffer {
  const where = limit.rule === undefined ? '' : `rule ${limit.rule}, `
  return notice(`the result was cut off at its limit of ${what} (${where}decision ${decision})`)
}

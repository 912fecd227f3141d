import { Malformed, Refusal } from '../../../pdp/refusal.ts'
import { nothing } from '../../bytes.ts'
import { int32 } from '../frames.ts'
import type { Plan } from '../mask/plan.ts'
import { binaryFormat } from './binary.ts'
import { csvFormat } from './csv.ts'
import type { Format } from './format.ts'
import type { CopyFacts } from './options.ts'
import { textFormat } from './text.ts'

/** The data of one COPY TO STDOUT on its way to the client. */
export interface Copier {
  /** The rows that a CopyData completes, as messages the client may see. Throws Malformed, and Refusal `message_too_large`. */
  data(frame: Buffer): Buffer
  /** Nothing more comes. Throws Malformed when a row is not whole. */
  done(): void
}

/** A row may be cut over several messages; one that is longer than this is not waited for. */
const rowBytesMax = 16 * 1024 * 1024

/** Rewrites rows by `plan`; `counted` lets each of them pass, or answers an empty Buffer for what is over a limit. */
export function copier(
  options: CopyFacts,
  plan: Plan | undefined,
  counted: (frame: Buffer) => Buffer,
): Copier {
  const format = formatOf(options)
  let waiting: Buffer = nothing
  let begun = format.head === undefined
  let over = false

  return {
    data(frame) {
      const bytes = joined(frame)
      const out: Buffer[] = []
      let at = begun ? 0 : begin(bytes, out)
      for (let end = next(bytes, at); end > 0; end = next(bytes, at)) {
        out.push(row(bytes.subarray(at, end)))
        at = end
      }
      waiting = bytes.subarray(at)
      return out.length === 1 ? (out[0] ?? nothing) : Buffer.concat(out)
    },
    done() {
      if (waiting.length > 0) throw new Malformed('COPY ends inside a row')
    },
  }

  function joined(frame: Buffer): Buffer {
    const fresh = frame.subarray(5)
    if (waiting.length === 0) return fresh
    if (waiting.length + fresh.length > rowBytesMax)
      throw new Refusal('message_too_large', 'a row of COPY is larger than the gate accepts')
    return Buffer.concat([waiting, fresh])
  }

  /** Whatever comes before the rows holds none of them. */
  function begin(bytes: Buffer, out: Buffer[]): number {
    const end = format.head?.(bytes) ?? 0
    if (end === 0) return 0
    begun = true
    out.push(copyData(bytes.subarray(0, end)))
    return end
  }

  function next(bytes: Buffer, at: number): number {
    return begun && at < bytes.length ? format.end(bytes, at) : 0
  }

  function row(bytes: Buffer): Buffer {
    if (over) return nothing
    if (format.trailer?.equals(bytes)) return copyData(bytes)
    const rewritten = copyData(plan === undefined ? bytes : format.rewrite(bytes, plan))
    const passed = counted(rewritten)
    if (passed.length > 0) return passed
    over = true
    return format.trailer === undefined ? nothing : copyData(format.trailer)
  }
}

const letter = Buffer.from('d')

const copyData = (bytes: Buffer): Buffer => Buffer.concat([letter, int32(bytes.length + 4), bytes])

function formatOf(options: CopyFacts): Format {
  switch (options.format) {
    case 'binary':
      return binaryFormat
    case 'csv':
      return csvFormat(options)
    default:
      return textFormat(options)
  }
}

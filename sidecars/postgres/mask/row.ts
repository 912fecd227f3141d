import { Malformed } from '../../../pdp/refusal.ts'
import { int32 } from '../frames.ts'
import type { Change } from './change.ts'
import type { Plan } from './plan.ts'
import { sheet, viewOf } from './sheet.ts'

/** What to do at one column, and nothing for those between. */
type Step = {
  readonly column: number
  readonly change: Change
  /** The new cell with its length in front; undefined where it depends on the value. */
  readonly cell: DataView | undefined
}

/**
 * Rewrites DataRows of one result, as many as lie side by side, where they lie: bytes between masked cells move in
 * runs, over the borders of rows. What does not fit goes on elsewhere. Throws Malformed.
 */
export function rewriter(plan: Plan): (rows: Buffer) => Buffer {
  const steps = plan.flatMap(stepAt)
  const whole = steps.at(-1)?.column === plan.length - 1
  const out = sheet()
  const varying = variable()

  return (rows) => {
    const view = viewOf(rows)
    /** What lies before is on the sheet. */
    let kept = 0
    for (let row = 0; row < rows.length; ) {
      const end = row + 7 > rows.length ? 0 : row + 1 + view.getUint32(row + 1)
      if (end < row + 7 || end > rows.length)
        throw new Malformed('a row is shorter or longer than it says')
      if (view.getUint16(row + 5) !== plan.length)
        throw new Malformed('a row has another number of columns than was announced')
      const before = kept
      const head = kept === 0 ? row : out.at + row - kept
      kept = rewritten(rows, view, row + 7, end, kept)
      if (kept !== before) out.size(head + 1, out.at + end - kept - head - 1)
      row = end
    }
    if (kept === 0) return rows
    out.keep(kept, rows.length)
    return out.take()
  }

  /** Puts the row on the sheet up to the end of the last cell that changed, which is answered. */
  function rewritten(rows: Buffer, view: DataView, first: number, end: number, from: number) {
    let kept = from
    let at = first
    let column = 0
    for (const step of steps) {
      for (; column < step.column; column += 1) at = cellEnd(view, at, end)
      const until = cellEnd(view, at, end)
      if (step.change.always || view.getInt32(at) >= 0) {
        if (kept === 0) out.open(rows, view)
        const cell = step.cell ?? varying(step.change, rows, at + 4, until)
        out.keep(kept, at)
        out.put(cell, until)
        kept = until
      }
      at = until
      column += 1
    }
    // Cells behind the last of these leave as they came.
    if (whole && at !== end) throw new Malformed('a row is longer or shorter than its cells')
    return kept
  }
}

const scratchBytes = 1024

/** Makes a cell that depends on its value, beside the rows, because it may be longer than before; good until the next. */
function variable(): (change: Change, rows: Buffer, start: number, end: number) => DataView {
  const scratch = Buffer.alloc(scratchBytes)
  const view = viewOf(scratch)

  return ({ ascii, text, value }, rows, start, end) => {
    if (ascii !== undefined && end - start + ascii.growth + 4 <= scratchBytes) {
      if (isAscii(rows, start, end)) return sized(ascii.write(rows, start, end, scratch, 4))
    }
    const said = text?.(rows.toString('utf8', start, end))
    if (typeof said === 'string' && 3 * said.length + 4 <= scratchBytes)
      return sized(4 + scratch.write(said, 4))
    const made = text === undefined ? value(rows.subarray(start, end)) : said
    return cellOf(typeof made === 'string' ? Buffer.from(made) : (made ?? null))
  }

  function sized(end: number): DataView {
    view.setInt32(0, end - 4)
    return new DataView(scratch.buffer, scratch.byteOffset, end)
  }
}

const nullCell = int32(-1)

/** With its length in front. */
const cellOf = (value: Buffer | null): DataView =>
  viewOf(value === null ? nullCell : Buffer.concat([int32(value.length), value]))

function stepAt(change: Change | undefined, column: number): readonly Step[] {
  if (change === undefined) return []
  const cell = change.fixed === undefined ? undefined : cellOf(change.fixed)
  return [{ column, change, cell }]
}

function cellEnd(view: DataView, at: number, end: number): number {
  if (at + 4 > end) throw new Malformed('a row ends inside a cell')
  const size = view.getInt32(at)
  if (size < -1 || size > end - at - 4) throw new Malformed('a cell is longer than its row')
  return size < 0 ? at + 4 : at + 4 + size
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  let all = 0
  for (let at = start; at < end; at += 1) all |= bytes[at] ?? 0
  return all < 128
}

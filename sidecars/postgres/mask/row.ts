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
  readonly cell: Buffer | undefined
  readonly view: DataView
}

const nullCell = int32(-1)
const nullView = viewOf(nullCell)

/**
 * Rewrites DataRows of one result, as many as lie side by side: bytes between masked cells are copied in runs, over
 * the borders of rows. The same Buffer back means that nothing changed. Throws Malformed.
 */
export function rewriter(plan: Plan): (rows: Buffer) => Buffer {
  const steps = plan.flatMap(stepAt)
  const whole = steps.at(-1)?.column === plan.length - 1
  const out = sheet()

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
    out.keep(rows, view, kept, rows.length)
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
        if (kept === 0) out.open(rows.length + slackBytes)
        out.keep(rows, view, kept, at)
        if (step.cell === undefined) vary(step.change, rows, at + 4, until)
        else out.put(step.cell, step.view)
        kept = until
      }
      at = until
      column += 1
    }
    // Cells behind the last of these leave as they came.
    if (whole && at !== end) throw new Malformed('a row is longer or shorter than its cells')
    return kept
  }

  function vary({ ascii, text, value }: Change, rows: Buffer, start: number, end: number): void {
    if (ascii !== undefined && isAscii(rows, start, end)) {
      const room = end - start + ascii.growth
      out.cell(room, (to, at) => ascii.write(rows, start, end, to, at))
      return
    }
    const said = text === undefined ? undefined : text(rows.toString('utf8', start, end))
    if (typeof said === 'string') {
      out.cell(3 * said.length, (to, at) => at + to.write(said, at))
      return
    }
    const made = said === undefined ? value(rows.subarray(start, end)) : said
    if (made === null) out.put(nullCell, nullView)
    else out.cell(made.length, (to, at) => at + made.copy(to, at))
  }
}

/** New cells that are longer than the old ones find room without another allocation, mostly. */
const slackBytes = 1024

function stepAt(change: Change | undefined, column: number): readonly Step[] {
  if (change === undefined) return []
  const { fixed } = change
  const cell =
    fixed === undefined
      ? undefined
      : fixed === null
        ? nullCell
        : Buffer.concat([int32(fixed.length), fixed])
  return [{ column, change, cell, view: viewOf(cell ?? nullCell) }]
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

import { Malformed } from '../../../pdp/refusal.ts'
import { int32 } from '../frames.ts'
import { cellEnd, short } from '../rows.ts'
import type { Change } from './change.ts'
import type { Plan } from './plan.ts'

/** The cells of one DataRow that have to change; good until the next row is looked at. */
export interface Cells {
  /** Notes them, and what they become; how many there are. Throws Malformed. */
  find(row: Buffer): number
  /** Where the cell of that index lies in its row, its length included. */
  start(index: number): number
  end(index: number): number
  /** Bytes that all of the first `count` cells gain. */
  gain(count: number): number
  /** Whether each can be written without reaching what was not read yet, when the row moves up by `slack` bytes. */
  fit(slack: number, count: number): boolean
  /** Writes the new cell; where it ends. */
  write(to: Buffer, at: number, index: number): number
}

type Masked = {
  readonly column: number
  readonly change: Change
  /** With its length in front; undefined where it depends on the value. */
  readonly cell: Buffer | undefined
}

const scratchBytes = 4 * 1024
const nullCell = int32(-1)

/** Follows a plan from row to row. */
export function cells(plan: Plan): Cells {
  const maskeds = plan.flatMap((change, column): readonly Masked[] =>
    change === undefined ? [] : [{ column, change, cell: fixedCell(change) }],
  )
  const last = maskeds.at(-1)?.column ?? -1
  const starts = new Int32Array(maskeds.length)
  const ends = new Int32Array(maskeds.length)
  /** The new cells, each with its length in front: in which memory, where, and how many bytes they are. */
  const memories: Buffer[] = maskeds.map(() => nullCell)
  const offsets = new Int32Array(maskeds.length)
  const sizes = new Int32Array(maskeds.length)
  /** Texts are written once, one behind the other, before they are moved to where they belong. */
  const scratch = Buffer.allocUnsafeSlow(scratchBytes)
  let scratchAt = 0

  return {
    find,
    start: (index) => starts[index] ?? 0,
    end: (index) => ends[index] ?? 0,
    gain,
    fit,
    write,
  }

  function find(row: Buffer): number {
    if (short(row, 5) !== plan.length)
      throw new Malformed('a row has another number of columns than was announced')
    scratchAt = 0
    let count = 0
    let next = 0
    let at = 7
    // Cells behind the last of these leave as they came.
    for (let column = 0; column <= last; column += 1) {
      const end = cellEnd(row, at)
      const masked = maskeds[next]
      if (masked?.column === column) {
        next += 1
        if (changes(masked, row, at, end, count)) count += 1
      }
      at = end
    }
    if (last === plan.length - 1 && at !== row.length)
      throw new Malformed('a row is longer or shorter than its cells')
    return count
  }

  function changes(
    { change, cell }: Masked,
    row: Buffer,
    start: number,
    end: number,
    index: number,
  ): boolean {
    const isNull = (row[start] ?? 0) >= 128
    if (isNull && !change.always) return false
    starts[index] = start
    ends[index] = end
    if (cell !== undefined) place(cell, index)
    else if (change.text === undefined)
      place(cellOf(change.value(row.subarray(start + 4, end))), index)
    else say(change.text(row.toString('utf8', start + 4, end)), index)
    return true
  }

  function place(cell: Buffer, index: number): void {
    memories[index] = cell
    offsets[index] = 0
    sizes[index] = cell.length
  }

  function say(text: string | null, index: number): void {
    if (text === null || scratchBytes - scratchAt < 4 + 3 * text.length) {
      place(cellOf(text === null ? null : Buffer.from(text)), index)
      return
    }
    const bytes = scratch.write(text, scratchAt + 4)
    scratch.writeInt32BE(bytes, scratchAt)
    memories[index] = scratch
    offsets[index] = scratchAt
    sizes[index] = 4 + bytes
    scratchAt += 4 + bytes
  }

  function gain(count: number): number {
    let bytes = 0
    for (let index = 0; index < count; index += 1)
      bytes += (sizes[index] ?? 0) - ((ends[index] ?? 0) - (starts[index] ?? 0))
    return bytes
  }

  function fit(slack: number, count: number): boolean {
    let left = slack
    for (let index = 0; index < count && left >= 0; index += 1)
      left += (ends[index] ?? 0) - (starts[index] ?? 0) - (sizes[index] ?? 0)
    return left >= 0
  }

  /** Cells are short: a loop is faster than a call. */
  function write(to: Buffer, at: number, index: number): number {
    const memory = memories[index] ?? nullCell
    const offset = offsets[index] ?? 0
    const size = sizes[index] ?? 0
    if (size > 64) memory.copy(to, at, offset, offset + size)
    else for (let byte = 0; byte < size; byte += 1) to[at + byte] = memory[offset + byte] ?? 0
    return at + size
  }
}

function fixedCell({ fixed }: Change): Buffer | undefined {
  return fixed === undefined ? undefined : cellOf(fixed)
}

function cellOf(value: Buffer | null): Buffer {
  return value === null ? nullCell : Buffer.concat([int32(value.length), value])
}

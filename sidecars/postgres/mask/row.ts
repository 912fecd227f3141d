import { Malformed } from '../../../pdp/refusal.ts'
import { cellEnd, short } from '../rows.ts'
import type { Change } from './change.ts'
import type { Plan } from './plan.ts'

const slabBytes = 64 * 1024
const nullCell = Buffer.from([255, 255, 255, 255])

type Masked = {
  readonly column: number
  readonly change: Change
  /** With its length in front; undefined where it depends on the value. */
  readonly cell: Buffer | undefined
}

/**
 * Rewrites the DataRows of one result in the buffer they came in. What a row loses in length the rows behind it move
 * up by, so that they leave as one slice; one that does not fit goes to a slab of its own. Throws Malformed.
 */
export function rewriter(plan: Plan): (frame: Buffer) => Buffer {
  const maskeds = plan.flatMap((change, column): readonly Masked[] =>
    change === undefined ? [] : [{ column, change, cell: fixedCell(change) }],
  )
  const cells: Buffer[] = maskeds.map(() => nullCell)
  const starts = new Int32Array(maskeds.length)
  const ends = new Int32Array(maskeds.length)
  /** The memory of the last row, where that row ended in it, and from where on it is free before that. */
  let memory: Buffer = Buffer.alloc(0)
  let taken = -1
  let free = -1
  let slab: Buffer = nullCell
  let slabAt = slab.length

  return (frame) => {
    const count = find(frame)
    const follows = frame.buffer === memory.buffer && frame.byteOffset === taken
    if (!follows && count === 0) return frame
    if (frame.buffer !== memory.buffer) memory = Buffer.from(frame.buffer)
    const from = frame.byteOffset
    if (!follows) free = from
    taken = from + frame.length
    if (count === 0 && free === from) {
      free = taken
      return frame
    }
    const size = sized(frame, count)
    return fits(from - free, count) ? moved(frame, count, size) : copied(frame, count, size)
  }

  /** Notes which cells have to change, and into what; how many there are. */
  function find(frame: Buffer): number {
    if (short(frame, 5) !== plan.length)
      throw new Malformed('a row has another number of columns than was announced')
    let count = 0
    let next = 0
    let at = 7
    for (let column = 0; column < plan.length; column += 1) {
      const end = cellEnd(frame, at)
      const masked = maskeds[next]
      if (masked?.column === column) {
        next += 1
        if ((frame[at] ?? 0) < 128 || masked.change.always) {
          cells[count] = masked.cell ?? cellOf(masked.change.value(frame.subarray(at + 4, end)))
          starts[count] = at
          ends[count] = end
          count += 1
        }
      }
      at = end
    }
    if (at !== frame.length) throw new Malformed('a row is longer or shorter than its cells')
    return count
  }

  function sized(frame: Buffer, count: number): number {
    let size = frame.length
    for (let index = 0; index < count; index += 1)
      size += (cells[index]?.length ?? 0) - ((ends[index] ?? 0) - (starts[index] ?? 0))
    return size
  }

  /** No new cell may reach what was not read yet. */
  function fits(slack: number, count: number): boolean {
    let left = slack
    for (let index = 0; index < count && left >= 0; index += 1)
      left += (ends[index] ?? 0) - (starts[index] ?? 0) - (cells[index]?.length ?? 0)
    return left >= 0
  }

  function moved(frame: Buffer, count: number, size: number): Buffer {
    const from = frame.byteOffset
    const to = free
    let kept = from
    let at = to
    for (let index = 0; index <= count; index += 1) {
      const until = from + (index < count ? (starts[index] ?? 0) : frame.length)
      if (at !== kept) memory.copyWithin(at, kept, until)
      at += until - kept
      if (index === count) break
      at = written(memory, at, cells[index] ?? nullCell)
      kept = from + (ends[index] ?? 0)
    }
    free = at
    memory.writeUInt32BE(size - 1, to + 1)
    return memory.subarray(to, to + size)
  }

  function copied(frame: Buffer, count: number, size: number): Buffer {
    if (slab.length - slabAt < size) {
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, size))
      slabAt = 0
    }
    const to = slabAt
    let kept = 0
    let at = to
    for (let index = 0; index <= count; index += 1) {
      const until = index < count ? (starts[index] ?? 0) : frame.length
      at += frame.copy(slab, at, kept, until)
      if (index === count) break
      at = written(slab, at, cells[index] ?? nullCell)
      kept = ends[index] ?? 0
    }
    slabAt = at
    slab.writeUInt32BE(size - 1, to + 1)
    return slab.subarray(to, to + size)
  }
}

function fixedCell({ fixed }: Change): Buffer | undefined {
  return fixed === undefined ? undefined : cellOf(fixed)
}

function cellOf(value: Buffer | null): Buffer {
  if (value === null) return nullCell
  const cell = Buffer.allocUnsafe(4 + value.length)
  cell.writeInt32BE(value.length)
  value.copy(cell, 4)
  return cell
}

/** Cells are short: a loop is faster than a call. */
function written(to: Buffer, at: number, cell: Buffer): number {
  if (cell.length > 64) return at + cell.copy(to, at)
  for (let index = 0; index < cell.length; index += 1) to[at + index] = cell[index] ?? 0
  return at + cell.length
}

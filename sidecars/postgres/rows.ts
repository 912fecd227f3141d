import { Malformed } from '../../pdp/refusal.ts'
import { ends, text } from './frames.ts'

/** One column of a RowDescription (PostgreSQL 55.7). */
export type Field = {
  readonly name: string
  readonly tableOid: number
  readonly number: number
  readonly typeOid: number
  readonly binary: boolean
}

/** The columns of a RowDescription. Throws Malformed. */
export function description(frame: Buffer): readonly Field[] {
  const found: Field[] = []
  let at = 7
  for (let left = short(frame, 5); left > 0; left -= 1) {
    const [name, next] = text(frame, at)
    if (next + 18 > frame.length) throw new Malformed('a column is described too briefly')
    found.push({
      name,
      tableOid: frame.readUInt32BE(next),
      number: frame.readInt16BE(next + 4),
      typeOid: frame.readUInt32BE(next + 6),
      binary: frame.readInt16BE(next + 16) !== 0,
    })
    at = next + 18
  }
  ends(frame, at)
  return found
}

/** The cells of a DataRow, null for NULL. Throws Malformed. */
export function cells(frame: Buffer): readonly (Buffer | null)[] {
  const found: (Buffer | null)[] = []
  let at = 7
  for (let left = short(frame, 5); left > 0; left -= 1) {
    const end = cellEnd(frame, at)
    found.push(end === at + 4 && frame.readInt32BE(at) < 0 ? null : frame.subarray(at + 4, end))
    at = end
  }
  ends(frame, at)
  return found
}

/** Where the cell at `at` ends. Lengths are compared before they are added, so that none can wrap. */
export function cellEnd(frame: Buffer, at: number): number {
  if (at + 4 > frame.length) throw new Malformed('a row ends inside a cell')
  const size = sizeAt(frame, at)
  if (size < -1 || size > frame.length - at - 4)
    throw new Malformed('a cell is longer than its row')
  return at + 4 + Math.max(size, 0)
}

/** An unsigned 16-bit number. Throws Malformed. */
export function short(frame: Buffer, at: number): number {
  if (at + 2 > frame.length) throw new Malformed('a message ends before its count')
  return frame.readUInt16BE(at)
}

/** Faster than a call to the library: this runs for every cell. */
function sizeAt(frame: Buffer, at: number): number {
  return (
    ((frame[at] ?? 0) << 24) |
    ((frame[at + 1] ?? 0) << 16) |
    ((frame[at + 2] ?? 0) << 8) |
    (frame[at + 3] ?? 0)
  )
}

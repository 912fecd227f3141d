import { Malformed } from '../../../pdp/refusal.ts'
import { int16, int32 } from '../frames.ts'
import type { Plan } from '../mask/plan.ts'
import { changed, type Format, same } from './format.ts'

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const nothing = int32(-1)

/** COPY's binary format: a signature, rows of sized cells, and a count of -1 at the end (COPY, File Formats). */
export const binaryFormat: Format = { head, end, rewrite, trailer: int16(-1) }

function head(bytes: Buffer): number {
  if (bytes.length < signature.length + 8) return 0
  if (!bytes.subarray(0, signature.length).equals(signature) || bytes.readInt32BE(11) !== 0)
    throw new Malformed('COPY sends another binary format than is known')
  const extension = bytes.readUInt32BE(15)
  const until = signature.length + 8 + extension
  return until > bytes.length ? 0 : until
}

function end(bytes: Buffer, from: number): number {
  if (from + 2 > bytes.length) return 0
  let at = from + 2
  // The trailer counts as a row without cells.
  for (let left = bytes.readInt16BE(from); left > 0; left -= 1) {
    if (at + 4 > bytes.length) return 0
    const size = bytes.readInt32BE(at)
    if (size < -1) throw new Malformed('a cell of COPY has an impossible size')
    at += 4 + Math.max(size, 0)
    if (at > bytes.length) return 0
  }
  return at
}

function rewrite(row: Buffer, plan: Plan): Buffer {
  const count = row.readInt16BE(0)
  if (count === -1) return row
  if (count !== plan.length)
    throw new Malformed('a row of COPY has another number of columns than was read')
  const parts: Buffer[] = []
  let kept = 0
  let at = 2
  for (let column = 0; column < count; column += 1) {
    const size = row.readInt32BE(at)
    const until = at + 4 + Math.max(size, 0)
    const start = at
    const value = changed(plan, column, () => (size < 0 ? null : row.subarray(start + 4, until)))
    if (value !== same) {
      parts.push(row.subarray(kept, at))
      parts.push(...(value === null ? [nothing] : [int32(value.length), value]))
      kept = until
    }
    at = until
  }
  return parts.length === 0 ? row : Buffer.concat([...parts, row.subarray(kept)])
}

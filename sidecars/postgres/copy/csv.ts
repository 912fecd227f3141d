import { Malformed } from '../../../pdp/refusal.ts'
import type { Plan } from '../mask/plan.ts'
import { changed, type Format, same } from './format.ts'

const lineFeed = 10

type Options = {
  readonly delimiter: string
  readonly null: string
  readonly quote: string
  readonly escape: string
  readonly header: boolean
}

/** COPY's CSV format: quotes around what would be misread, and only what is not quoted can be NULL (COPY, File Formats). */
export function csvFormat(options: Options): Format {
  const delimiter = options.delimiter.charCodeAt(0)
  const quote = options.quote.charCodeAt(0)
  const escaping = options.escape.charCodeAt(0)
  const nothing = Buffer.from(options.null)
  return { end, rewrite, ...(options.header && { head: (bytes: Buffer) => end(bytes, 0) }) }

  function end(bytes: Buffer, from: number): number {
    let at = from
    for (;;) {
      at = cellEnd(bytes, at)
      if (at >= bytes.length) return 0
      at += 1
      if (bytes[at - 1] === lineFeed) return at
    }
  }

  /** Where the delimiter or the line feed behind a cell is; the end of the bytes or beyond while there is none. */
  function cellEnd(bytes: Buffer, from: number): number {
    let quoted = false
    let at = from
    while (at < bytes.length) {
      const byte = bytes[at] ?? 0
      if (quoted && byte === escaping && escaping !== quote) at += 1
      else if (byte === quote) quoted = !quoted
      else if (!quoted && (byte === delimiter || byte === lineFeed)) return at
      at += 1
    }
    return at
  }

  function rewrite(row: Buffer, plan: Plan): Buffer {
    const parts: Buffer[] = []
    let kept = 0
    let start = 0
    for (let column = 0; column < plan.length; column += 1) {
      const last = column === plan.length - 1
      const until = cellEnd(row, start)
      if (last !== (row[until] === lineFeed))
        throw new Malformed('a row of COPY has another number of columns than was read')
      const cell = row.subarray(start, until)
      const value = changed(plan, column, () => (cell.equals(nothing) ? null : unquoted(cell)))
      if (value !== same) {
        parts.push(row.subarray(kept, start), value === null ? nothing : quoted(value, cell))
        kept = until
      }
      start = until + 1
    }
    return parts.length === 0 ? row : Buffer.concat([...parts, row.subarray(kept)])
  }

  function unquoted(cell: Buffer): Buffer {
    if (cell[0] !== quote) return cell
    const out = Buffer.alloc(cell.length)
    let size = 0
    for (let at = 1; at < cell.length - 1; at += 1) {
      const next = cell[at + 1]
      if (cell[at] === escaping && (next === quote || next === escaping) && at + 2 < cell.length)
        at += 1
      out[size] = cell[at] ?? 0
      size += 1
    }
    return out.subarray(0, size)
  }

  /** Quoted where the value was, so that FORCE_QUOTE holds, and where it would be misread. */
  function quoted(value: Buffer, before: Buffer): Buffer {
    const plain = before[0] !== quote && !value.equals(nothing) && !misread(value)
    if (plain) return value
    const out = [quote]
    for (const byte of value) {
      if (byte === quote || byte === escaping) out.push(escaping)
      out.push(byte)
    }
    out.push(quote)
    return Buffer.from(out)
  }

  function misread(value: Buffer): boolean {
    return (
      value.equals(endOfData) ||
      [delimiter, quote, lineFeed, carriageReturn].some((byte) => value.includes(byte))
    )
  }
}

const carriageReturn = 13
const endOfData = Buffer.from('\\.')

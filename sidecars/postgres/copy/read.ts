import { unescaped } from './escapes.ts'
import type { CopyFacts } from './options.ts'

/** What the server stores for a cell of COPY FROM, given as it was sent. */
export function decoded(cell: Buffer, options: CopyFacts): Buffer {
  switch (options.format) {
    case 'binary':
      return cell
    case 'csv':
      return unquoted(cell, options.quote.charCodeAt(0), options.escape.charCodeAt(0))
    default:
      return unescaped(cell)
  }
}

function unquoted(cell: Buffer, quote: number, escaping: number): Buffer {
  if (!cell.includes(quote)) return cell
  const out = Buffer.alloc(cell.length)
  let size = 0
  let quoted = false
  for (let at = 0; at < cell.length; at += 1) {
    const next = cell[at + 1]
    const escapes = quoted && cell[at] === escaping && (next === quote || next === escaping)
    if (escapes) at += 1
    else if (cell[at] === quote) {
      quoted = !quoted
      continue
    }
    out[size] = cell[at] ?? 0
    size += 1
  }
  return out.subarray(0, size)
}

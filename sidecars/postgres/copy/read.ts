import type { CopyFacts } from './options.ts'

/** What the server stores for a cell of COPY FROM, given as it was sent. */
export function decoded(cell: Buffer, options: CopyFacts): Buffer {
  switch (options.format) {
    case 'binary':
      return cell
    case 'csv':
      return unquoted(cell, options.quote.charCodeAt(0), options.escape.charCodeAt(0))
    default:
      return cell.includes(backslash) ? unescaped(cell) : cell
  }
}

const backslash = 92
const sequence = /\\(?:([0-7]{1,3})|x([0-9a-f]{1,2})|(.))/gis
const letters: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Numbers are bytes, not characters (COPY, Text Format). */
function unescaped(cell: Buffer): Buffer {
  const said = cell
    .toString('latin1')
    .replace(sequence, (_, octal?: string, hex?: string, letter = '') => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255)
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      return letters[letter] ?? letter
    })
  return Buffer.from(said, 'latin1')
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

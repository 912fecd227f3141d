import { Malformed } from '../../../pdp/refusal.ts'

type Rewritten = (element: string) => string | null

/** An array of texts with each element but NULL rewritten. Throws Malformed. */
export function elements(cell: Buffer, binary: boolean, text: Rewritten): Buffer {
  return binary ? binaryArray(cell, text) : Buffer.from(textArray(cell.toString('utf8'), text))
}

/** `{a,"b c",NULL}`, nested, and perhaps with `[1:2]=` in front (PostgreSQL 8.15.6); the delimiter of texts is a comma. */
function textArray(cell: string, text: Rewritten): string {
  const start = cell.indexOf('{')
  if (start < 0) throw new Malformed('an array does not begin')
  let out = cell.slice(0, start)
  for (let at = start; at < cell.length; ) {
    const letter = cell[at] ?? ''
    if (letter === '{' || letter === '}' || letter === ',') {
      out += letter
      at += 1
      continue
    }
    const quoted = letter === '"'
    const end = quoted ? closing(cell, at + 1) : plain(cell, at)
    const raw = cell.slice(quoted ? at + 1 : at, quoted ? end - 1 : end)
    const isNull = !quoted && raw.toUpperCase() === 'NULL'
    const value = isNull ? null : text(raw.replace(/\\(.)/gs, '$1'))
    out += value === null ? 'NULL' : `"${value.replace(/[\\"]/g, '\\$&')}"`
    at = end
  }
  return out
}

function closing(cell: string, from: number): number {
  for (let at = from; at < cell.length; at += 1) {
    if (cell[at] === '\\') at += 1
    else if (cell[at] === '"') return at + 1
  }
  throw new Malformed('an array ends inside an element')
}

function plain(cell: string, from: number): number {
  let at = from
  while (at < cell.length && !'{},'.includes(cell[at] ?? '')) at += cell[at] === '\\' ? 2 : 1
  return Math.min(at, cell.length)
}

const dimensionsMax = 6
const nullSize = Buffer.from([255, 255, 255, 255])

/** Dimensions, a flag for NULLs, the element type, each dimension's size and start, then sized elements (array_send). */
function binaryArray(cell: Buffer, text: Rewritten): Buffer {
  const dimensions = cell.length < 12 ? -1 : cell.readInt32BE(0)
  const head = 12 + 8 * dimensions
  if (dimensions < 0 || dimensions > dimensionsMax || head > cell.length)
    throw new Malformed('an array has an unknown shape')
  const parts = [Buffer.from(cell.subarray(0, head))]
  for (let at = head; at < cell.length; ) {
    const size = at + 4 > cell.length ? -2 : cell.readInt32BE(at)
    if (size < -1 || size > cell.length - at - 4)
      throw new Malformed('an element is longer than its array')
    const end = at + 4 + Math.max(size, 0)
    const value = size < 0 ? null : text(cell.toString('utf8', at + 4, end))
    if (value === null) parts.push(nullSize)
    else {
      const length = Buffer.alloc(4)
      length.writeInt32BE(Buffer.byteLength(value))
      parts.push(length, Buffer.from(value))
    }
    at = end
  }
  // Whether there are NULLs; saying so without need is allowed.
  parts[0]?.writeInt32BE(1, 4)
  return Buffer.concat(parts)
}

import type { CopyFacts } from './options.ts'

/** Hears of the cells of COPY FROM while its data comes, cut anywhere. */
export interface Cells {
  /** More of the cell at hand, as it was sent. */
  part(bytes: Buffer): void
  /** The cell at hand is whole. */
  cell(): void
  /** So is its row. */
  row(): void
  /** Where cells begin and end cannot be told any more. */
  lost(): void
}

/** Takes data apart as the server does; what the server would not read it may take apart in any way. */
export type Splitter = (bytes: Buffer) => void

const lineFeed = 10
const carriageReturn = 13
const backslash = 92

/** Splits COPY's text and CSV formats (COPY, File Formats). */
export function lineSplitter(options: CopyFacts, cells: Cells): Splitter {
  const delimiter = options.delimiter.charCodeAt(0)
  const isInside = options.format === 'csv' ? quoting(options) : escaping()
  let afterReturn = false

  return (bytes) => {
    let start = 0
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0
      const second = afterReturn && byte === lineFeed
      afterReturn = false
      if (second) start = at + 1
      else if (!isInside(byte) && isBorder(byte)) {
        ended(bytes.subarray(start, at), byte)
        start = at + 1
      }
    }
    if (start < bytes.length) cells.part(bytes.subarray(start))
  }

  function isBorder(byte: number): boolean {
    return byte === delimiter || byte === lineFeed || byte === carriageReturn
  }

  function ended(last: Buffer, border: number): void {
    if (last.length > 0) cells.part(last)
    cells.cell()
    afterReturn = border === carriageReturn
    if (border !== delimiter) cells.row()
  }
}

/** Whatever is behind a backslash belongs to its cell, even the end of a line. */
function escaping(): (byte: number) => boolean {
  let escaped = false
  return (byte) => {
    const inside = escaped || byte === backslash
    escaped = !escaped && byte === backslash
    return inside
  }
}

/** Whatever is in quotes belongs to its cell; they may begin in the middle of it. */
function quoting(options: CopyFacts): (byte: number) => boolean {
  const quote = options.quote.charCodeAt(0)
  const escaping = options.escape.charCodeAt(0)
  let quoted = false
  let pending = false
  return (byte) => {
    if (pending) {
      pending = false
      if (byte === quote || byte === escaping) return true
      // What looked like an escape was the end of the quotes.
      if (escaping === quote) quoted = false
    }
    if (!quoted) {
      quoted = byte === quote
      return quoted
    }
    if (byte === escaping) pending = true
    else if (byte === quote) quoted = false
    return true
  }
}

const headBytes = 19
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')

/** Splits COPY's binary format (COPY, File Formats). */
export function binarySplitter(cells: Cells): Splitter {
  const field = Buffer.alloc(headBytes)
  let stage: 'head' | 'count' | 'size' | 'over' = 'head'
  let have = 0
  let want = headBytes
  /** Bytes of the cell at hand, or of the head's extension, that have not come yet. */
  let left = 0
  let columns = 0

  return (bytes) => {
    for (let at = 0; at < bytes.length && stage !== 'over'; ) {
      const size = Math.min(left > 0 ? left : want - have, bytes.length - at)
      const part = bytes.subarray(at, at + size)
      at += size
      if (left > 0) content(part)
      else known(part)
    }
  }

  function content(part: Buffer): void {
    if (stage === 'size') cells.part(part)
    left -= part.length
    if (left === 0) next()
  }

  function known(part: Buffer): void {
    part.copy(field, have)
    have += part.length
    if (have < want) return
    have = 0
    if (stage === 'head') begun()
    else if (stage === 'count') counted(field.readInt16BE(0))
    else sized(field.readInt32BE(0))
  }

  function begun(): void {
    const extension = field.readInt32BE(15)
    if (!field.subarray(0, 11).equals(signature) || field.readInt32BE(11) !== 0 || extension < 0)
      lost()
    else leave(extension)
  }

  function counted(count: number): void {
    columns = count
    if (count < -1) lost()
    // The trailer; the server takes nothing behind it.
    else if (count === -1) stage = 'over'
    else if (count > 0) expect('size', 4)
  }

  function sized(size: number): void {
    if (size < -1) lost()
    else leave(Math.max(size, 0))
  }

  function leave(bytes: number): void {
    left = bytes
    if (left === 0) next()
  }

  /** Behind the head, or behind a cell. */
  function next(): void {
    if (stage === 'size') {
      cells.cell()
      columns -= 1
      if (columns > 0) return
      cells.row()
    }
    expect('count', 2)
  }

  function expect(what: 'count' | 'size', bytes: number): void {
    stage = what
    want = bytes
  }

  function lost(): void {
    stage = 'over'
    cells.lost()
  }
}

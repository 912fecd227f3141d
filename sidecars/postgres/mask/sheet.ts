/** Where rewritten rows are put together: in the memory they came in for as long as they fit, else in other memory. */
export interface Sheet {
  /** Where the next byte goes. */
  readonly at: number
  /** Starts with rows whose memory may be written to. */
  open(rows: Buffer, view: DataView): void
  /** Moves a run of the rows that stays as it is. */
  keep(start: number, end: number): void
  /** A cell, its length in front; up to `free` the rows are not needed any more. */
  put(cell: DataView, free: number): void
  /** Writes a length where it belongs. */
  size(at: number, size: number): void
  /** Everything since `open`. */
  take(): Buffer
}

/** From here on the library's copy is faster than a loop. */
const longRun = 256

/** An empty Sheet. */
export function sheet(): Sheet {
  let source: Buffer = Buffer.alloc(0)
  let sourceView = viewOf(source)
  let out: Buffer = source
  let view = sourceView
  let at = 0

  return {
    get at() {
      return at
    },
    open(rows, rowsView) {
      source = rows
      out = rows
      sourceView = rowsView
      view = rowsView
      at = 0
    },
    keep(start, end) {
      const bytes = end - start
      if (out === source) {
        const gap = start - at
        // A word at a time must not overtake itself.
        if (gap > 0 && (gap < 4 || bytes > longRun)) out.copyWithin(at, start, end)
        else if (gap > 0) copy(sourceView, start, end, view, at)
      } else {
        if (at + bytes > out.length) grow(bytes)
        if (bytes > longRun) source.copy(out, at, start, end)
        else copy(sourceView, start, end, view, at)
      }
      at += bytes
    },
    put(cell, free) {
      const inPlace = out === source
      const bytes = cell.byteLength
      if (at + bytes > (inPlace ? free : out.length))
        grow(bytes + (inPlace ? source.length - free : 0))
      copy(cell, 0, bytes, view, at)
      at += bytes
    },
    size: (place, size) => view.setUint32(place, size),
    take: () => out.subarray(0, at),
  }

  /** What was written so far goes on in memory with room for more. */
  function grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(at + bytes + (at >> 1) + slackBytes)
    out.copy(larger, 0, 0, at)
    out = larger
    view = viewOf(out)
  }
}

/** Rows that do not fit where they were need a little more than they took. */
const slackBytes = 1024

/** Numbers are read faster through a view than through a Buffer. */
export function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

/** Word by word, the last of them over the one before: faster than a call for the short runs between cells. */
function copy(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const last = end - 4
  if (last < start) {
    for (let byte = start; byte < end; byte += 1)
      to.setUint8(at + byte - start, from.getUint8(byte))
    return
  }
  let place = at
  for (let word = start; word < last; word += 4) {
    to.setInt32(place, from.getInt32(word, true), true)
    place += 4
  }
  to.setInt32(at + last - start, from.getInt32(last, true), true)
}

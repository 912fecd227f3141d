/** What rewritten rows are put together on: runs of untouched bytes, and new cells between them. */
export interface Sheet {
  /** Where the next byte goes. */
  readonly at: number
  /** Starts anew with room for about this many bytes; what was taken before stays as it is. */
  open(bytes: number): void
  /** Copies a run of the source. */
  keep(from: Buffer, view: DataView, start: number, end: number): void
  /** A cell with its length in front. */
  put(cell: Buffer, view: DataView): void
  /** A value that `write` puts at the place it is given, with at most `bytes` bytes, answering where it ends. */
  cell(bytes: number, write: (to: Buffer, at: number) => number): void
  /** Writes a length where it belongs. */
  size(at: number, size: number): void
  /** Everything since `open`. */
  take(): Buffer
}

/** Large results are written into slabs of this size, one behind the other. */
const slabBytes = 256 * 1024
/** Less than this gets memory of its own, so that a short answer does not hold a slab. */
const largeBytes = 32 * 1024
/** From here on the library's copy is faster than a loop. */
const longRun = 256

/** An empty Sheet. */
export function sheet(): Sheet {
  let out = Buffer.alloc(0)
  let view = viewOf(out)
  let at = 0
  /** What is left of the slab. */
  let slab = out

  return {
    get at() {
      return at
    },
    open(bytes) {
      if (bytes < largeBytes) out = Buffer.allocUnsafe(bytes)
      else {
        if (slab.length < bytes) slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
        out = slab
      }
      view = viewOf(out)
      at = 0
    },
    keep(from, source, start, end) {
      const bytes = end - start
      if (at + bytes > out.length) grow(bytes)
      if (bytes > longRun) from.copy(out, at, start, end)
      else copy(source, start, end, view, at)
      at += bytes
    },
    put(cell, source) {
      if (at + cell.length > out.length) grow(cell.length)
      copy(source, 0, cell.length, view, at)
      at += cell.length
    },
    cell(bytes, write) {
      if (at + 4 + bytes > out.length) grow(4 + bytes)
      const end = write(out, at + 4)
      view.setInt32(at, end - at - 4)
      at = end
    },
    size: (place, size) => view.setUint32(place, size),
    take() {
      if (out === slab) slab = slab.subarray(at)
      return out.subarray(0, at)
    },
  }

  function grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(out.length + Math.max(bytes, out.length >> 1))
    out.copy(larger, 0, 0, at)
    out = larger
    view = viewOf(out)
  }
}

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

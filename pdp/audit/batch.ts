/** Lines that are written with one call, each as bytes of its own for its hash. */
export type Batch = {
  /** The bytes of the line, without the newline that is put behind it; lent until the next batch begins. */
  add(line: string): Buffer
  all(): Buffer
}

const sharedBytes = 256 * 1024
/** A UTF-16 unit is at most three bytes in UTF-8. */
const unitBytesMax = 3
const newline = 10

/** Makes batches of about so many characters, one at a time: they lie in memory that all of them share. */
export function batches(): (chars: number) => Batch {
  const shared = Buffer.allocUnsafeSlow(sharedBytes)
  return (chars) => {
    const room = chars * unitBytesMax
    return batch(room > sharedBytes ? Buffer.allocUnsafeSlow(room) : shared)
  }
}

function batch(room: Buffer): Batch {
  let bytes = room
  let at = 0

  function grow(needed: number): void {
    bytes = Buffer.concat([bytes.subarray(0, at)], 2 * needed)
  }

  return {
    add(line) {
      const needed = at + line.length * unitBytesMax + 1
      if (needed > bytes.length) grow(needed)
      const start = at
      at += bytes.write(line, at)
      bytes[at] = newline
      at += 1
      return bytes.subarray(start, at - 1)
    },
    all: () => bytes.subarray(0, at),
  }
}

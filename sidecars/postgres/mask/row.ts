import { cells } from './cells.ts'
import type { Plan } from './plan.ts'

const slabBytes = 64 * 1024

/**
 * Rewrites the DataRows of one result in the buffer they came in. What a row loses in length the rows behind it move
 * up by, so that they leave as one slice; one that does not fit goes to a slab of its own. Throws Malformed.
 */
export function rewriter(plan: Plan): (frame: Buffer) => Buffer {
  const found = cells(plan)
  /** The memory of the last row, where that row ended in it, and from where on it is free before that. */
  let memory: Buffer = Buffer.alloc(0)
  let taken = -1
  let free = -1
  let slab: Buffer = Buffer.alloc(0)
  let slabAt = 0

  return (frame) => {
    const count = found.find(frame)
    const follows = frame.buffer === memory.buffer && frame.byteOffset === taken
    if (!follows && count === 0) return frame
    if (frame.buffer !== memory.buffer) memory = Buffer.from(frame.buffer)
    const from = frame.byteOffset
    if (!follows) free = from
    taken = from + frame.length
    if (count === 0 && free === from) {
      free = taken
      return frame
    }
    const size = frame.length + found.gain(count)
    return found.fit(from - free, count) ? moved(frame, count, size) : copied(frame, count, size)
  }

  function moved(frame: Buffer, count: number, size: number): Buffer {
    const from = frame.byteOffset
    const to = free
    let kept = from
    let at = to
    for (let index = 0; index <= count; index += 1) {
      const until = from + (index < count ? found.start(index) : frame.length)
      if (at !== kept) memory.copyWithin(at, kept, until)
      at += until - kept
      if (index === count) break
      at = found.write(memory, at, index)
      kept = from + found.end(index)
    }
    free = at
    memory.writeUInt32BE(size - 1, to + 1)
    return memory.subarray(to, to + size)
  }

  function copied(frame: Buffer, count: number, size: number): Buffer {
    if (slab.length - slabAt < size) {
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, size))
      slabAt = 0
    }
    const to = slabAt
    let kept = 0
    let at = to
    for (let index = 0; index <= count; index += 1) {
      const until = index < count ? found.start(index) : frame.length
      at += frame.copy(slab, at, kept, until)
      if (index === count) break
      at = found.write(slab, at, index)
      kept = found.end(index)
    }
    slabAt = at
    slab.writeUInt32BE(size - 1, to + 1)
    return slab.subarray(to, to + size)
  }
}

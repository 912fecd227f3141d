import { statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { lineBytesMax } from './line.ts'
import { type Segment, segmentsIn } from './segments.ts'

/** One line and where it was found. */
export type Line = {
  /** Name without folder. */
  readonly file: string
  /** From 1. */
  readonly number: number
  readonly offset: number
  /** Without the newline. Valid until the next line is asked for. */
  readonly bytes: Buffer
  /** The entry number the file's name promises for its first line. */
  readonly first?: number
}

/** The lines of a log, in chunks of bounded size. */
export interface Lines {
  /** From where the last call ended to the current end of the log. */
  toEnd(): AsyncGenerator<Line>
  /** Where a file ends in half a line, if one does. */
  torn(): { readonly file: string; readonly line: number } | undefined
  /** Files read so far. */
  files(): number
}

type Source = { readonly file: string; readonly first?: number }

const chunkBytes = 256 * 1024
const newline = 10

/** The lines of all files of a log, those that appear meanwhile included; from its end on, only those. */
export function folderLines(folder: string, from: 'start' | 'end' = 'start'): Lines {
  return linesOf(() => segmentsIn(folder), from === 'end' ? endOf(segmentsIn(folder)) : start)
}

/** The lines of these files, in this order. */
export function fileLines(files: readonly string[]): Lines {
  return linesOf(() => files.map((file) => ({ file })), start)
}

type Place = { readonly index: number; readonly offset: number }

const start: Place = { index: 0, offset: 0 }

function endOf(segments: readonly Segment[]): Place {
  const last = segments.at(-1)
  return last === undefined
    ? start
    : { index: segments.length - 1, offset: statSync(last.file).size }
}

function linesOf(list: () => readonly (Source | Segment)[], from: Place): Lines {
  let { index, offset } = from
  let number = 0
  let torn: { readonly file: string; readonly line: number } | undefined

  async function* toEnd(): AsyncGenerator<Line> {
    for (let source = list()[index]; source !== undefined; source = list()[index]) {
      // Asked before reading: a file with a successor grows no more.
      const finished = index + 1 < list().length
      yield* rest(source, finished)
      if (!finished) return
      index += 1
      offset = 0
      number = 0
    }
  }

  async function* rest(source: Source, finished: boolean): AsyncGenerator<Line> {
    const handle = await open(source.file, 'r')
    const file = basename(source.file)
    torn = undefined
    try {
      for (let chunk = await read(handle, offset); chunk.length > 0; ) {
        let at = 0
        for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, at)) {
          const line = { file, number: number + 1, offset, bytes: chunk.subarray(at, end) }
          number += 1
          offset += end + 1 - at
          at = end + 1
          yield number === 1 && source.first !== undefined ? { ...line, first: source.first } : line
        }
        if (at === 0) {
          // Half a line at the very end stays where it is: reading on meets it again, whole or not.
          if (finished) yield { file, number: number + 1, offset, bytes: chunk }
          else torn = { file, line: number + 1 }
          return
        }
        chunk = await read(handle, offset)
      }
    } finally {
      await handle.close()
    }
  }

  return { toEnd, torn: () => torn, files: () => Math.min(index + 1, list().length) }
}

// A chunk without a newline is read again with room for the longest line there can be.
async function read(handle: FileHandle, offset: number): Promise<Buffer> {
  const chunk = await readAt(handle, offset, chunkBytes)
  if (chunk.length < chunkBytes || chunk.includes(newline)) return chunk
  return readAt(handle, offset, lineBytesMax + 1)
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { segmentsIn } from '../audit/segments.ts'

/** Up to where the record was delivered. */
export type Position = {
  /** Number of the first entry of the file; 0 is the beginning of the record. */
  readonly segment: number
  readonly offset: number
  /** Number of the last entry before it. */
  readonly seq: number
  /** SHA-256 of that entry's line, hex; empty where it is not known. */
  readonly hash: string
}

const shape = z.strictObject({
  segment: z.int().min(0),
  offset: z.int().min(0),
  seq: z.int().min(0),
  hash: z.string().max(64),
})

/** The beginning of a record. */
export const beginning: Position = { segment: 0, offset: 0, seq: 0, hash: '' }

/** The end of a record that ends in this entry, where nobody is writing half a line. */
export function endOf(folder: string, seq: number): Position {
  const last = segmentsIn(folder).at(-1)
  if (last === undefined) return beginning
  return { segment: last.first, offset: statSync(last.file).size, seq, hash: '' }
}

/** What was kept; undefined when nothing was. Throws an Error where something is kept that is no position. */
export function keptPosition(file: string): Position | undefined {
  const text = textOf(file)
  if (text === undefined) return undefined
  try {
    return shape.parse(JSON.parse(text))
  } catch {
    throw new Error(
      `${file} holds no position: remove it to send decisions from now on, or write {"segment":0,"offset":0,"seq":0,"hash":""} to send the whole record`,
    )
  }
}

/** Replaces what is kept, whole or not at all. */
export function keepPosition(file: string, position: Position): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.new`
  const fd = openSync(fresh, 'w', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(position)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(fresh, file)
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

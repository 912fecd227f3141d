import { Malformed } from '../../pdp/refusal.ts'
import { ends, text } from './frames.ts'

/** What a Bind message says (PostgreSQL 55.7). */
export type Bound = {
  readonly portal: string
  readonly statement: string
  /** Values as text; those sent in binary as hex with a leading \x. */
  readonly parameters: readonly (string | null)[]
}

/** Reads a Bind. Throws Malformed. */
export function bound(frame: Buffer): Bound {
  const [portal, second] = text(frame, 5)
  const [statement, third] = text(frame, second)
  const [formats, fourth] = formatsAt(frame, third)
  const count = short(frame, fourth)
  if (formats.length > 1 && formats.length !== count)
    throw new Malformed('a Bind has another number of formats than of parameters')
  const parameters: (string | null)[] = []
  let at = fourth + 2
  for (let index = 0; index < count; index += 1) {
    const size = sizeAt(frame, at)
    const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1
    parameters.push(size < 0 ? null : shown(frame.subarray(at + 4, at + 4 + size), binary))
    at += 4 + Math.max(size, 0)
  }
  ends(frame, formatsAt(frame, at)[1])
  return { portal, statement, parameters }
}

const shown = (value: Buffer, binary: boolean): string =>
  binary ? `\\x${value.toString('hex')}` : value.toString('utf8')

function formatsAt(frame: Buffer, at: number): readonly [readonly number[], next: number] {
  const count = short(frame, at)
  if (at + 2 + 2 * count > frame.length) throw new Malformed('a Bind ends inside its formats')
  const formats: number[] = []
  for (let index = 0; index < count; index += 1)
    formats.push(frame.readUInt16BE(at + 2 + 2 * index))
  if (formats.some((format) => format > 1)) throw new Malformed('a Bind asks for an unknown format')
  return [formats, at + 2 + 2 * count]
}

function sizeAt(frame: Buffer, at: number): number {
  if (at + 4 > frame.length) throw new Malformed('a Bind ends inside its parameters')
  const size = frame.readInt32BE(at)
  if (size < -1 || size > frame.length - at - 4)
    throw new Malformed('a parameter is longer than its Bind')
  return size
}

function short(frame: Buffer, at: number): number {
  if (at + 2 > frame.length) throw new Malformed('a Bind ends before its counts')
  return frame.readUInt16BE(at)
}

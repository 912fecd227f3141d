import type { Mask, Rewrite } from '../../pdp/contract.ts'
import { Malformed } from '../../pdp/refusal.ts'
import type { Catalogue } from './catalogue.ts'
import { ends, text } from './frames.ts'
import type { Statement } from './statement.ts'

/** One column of a RowDescription (PostgreSQL 55.7). */
export type Field = {
  readonly name: string
  readonly tableOid: number
  readonly number: number
  readonly typeOid: number
  readonly binary: boolean
}

/** What to do with each cell of a row: leave it, null it, or rewrite its text. */
export type Plan = readonly (Rewrite | 'null' | undefined)[]

/** The columns of a RowDescription. Throws Malformed. */
export function description(frame: Buffer): readonly Field[] {
  const found: Field[] = []
  let at = 7
  for (let left = short(frame, 5); left > 0; left -= 1) {
    const [name, next] = text(frame, at)
    if (next + 18 > frame.length) throw new Malformed('a column is described too briefly')
    found.push({
      name,
      tableOid: frame.readUInt32BE(next),
      number: frame.readInt16BE(next + 4),
      typeOid: frame.readUInt32BE(next + 6),
      binary: frame.readInt16BE(next + 16) !== 0,
    })
    at = next + 18
  }
  ends(frame, at)
  return found
}

/** Types whose values are the text itself, in text and in binary format: "char", name, text, unknown, bpchar, varchar. */
const textual = new Set([18, 19, 25, 705, 1042, 1043])

/** What a plan is made from. */
export type Planning = {
  readonly statement: Statement
  readonly mask: Mask
  readonly catalogue: Catalogue
  readonly trust: Trust
}

/**
 * What can be believed of a session's statements: everything; only the wire's own origins, once temporary relations
 * may stand in front of the names that were read; nothing, while definitions are changed that the catalogue holds.
 */
export type Trust = 'all' | 'wire' | 'none'

/** What to do with the rows of one result. Undefined when nothing has to be done. */
export function planOf(fields: readonly Field[], planning: Planning): Plan | undefined {
  const { name, outputs, incomplete } = planning.statement.command
  const complete = incomplete === undefined && planning.trust === 'all'
  // SHOW answers a setting, which is nobody's data.
  if (name === 'show' && complete) return undefined
  const told = complete && outputs?.length === fields.length ? outputs : undefined
  const plan = fields.map((field, index) => {
    const origin = planning.trust === 'none' ? undefined : originOf(field, planning.catalogue)
    const change = changeOf(origin, told?.[index], planning.mask)
    return typeof change === 'object' && !textual.has(field.typeOid) ? 'null' : change
  })
  return plan.some((change) => change !== undefined) ? plan : undefined
}

type Source = { readonly sources: readonly string[]; readonly exact: boolean }

/** Where the wire says a column comes from: `computed` where it says nothing, undefined where that is not known here. */
function originOf(
  { tableOid, number }: Field,
  catalogue: Catalogue,
): Source | 'computed' | undefined {
  if (tableOid === 0) return 'computed'
  // ctid, xmin and their kind hold no data of anybody.
  if (number < 0) return { sources: [], exact: true }
  return number === 0 ? undefined : catalogue.column(tableOid, number)
}

/**
 * The wire's origin and the statement's own lineage, which may name too many sources but never too few, must both
 * leave a column alone. What neither can tell is protected.
 */
function changeOf(
  origin: Source | 'computed' | undefined,
  output: Source | undefined,
  mask: Mask,
): Rewrite | 'null' | undefined {
  if (origin === undefined || (origin === 'computed' && output === undefined)) return 'null'
  const known = origin === 'computed' ? [] : origin.sources
  const rewriteOf = (name: string): Rewrite | undefined => mask.column(name)
  if (output?.sources.some((name) => !known.includes(name) && rewriteOf(name))) return 'null'
  const rewrites = known.map(rewriteOf).filter((one) => one !== undefined)
  const [rewrite] = rewrites
  if (rewrite === undefined) return undefined
  const copied = origin !== 'computed' && origin.exact && rewrites.every((one) => one === rewrite)
  return copied ? rewrite : 'null'
}

/** The cells of a DataRow, null for NULL. Throws Malformed. */
export function cells(frame: Buffer): readonly (Buffer | null)[] {
  const found: (Buffer | null)[] = []
  let at = 7
  for (let left = short(frame, 5); left > 0; left -= 1) {
    const end = cellEnd(frame, at)
    found.push(end === at + 4 && frame.readInt32BE(at) < 0 ? null : frame.subarray(at + 4, end))
    at = end
  }
  ends(frame, at)
  return found
}

/** A DataRow with its cells changed as planned; the same Buffer when nothing changed. Throws Malformed. */
export function rewritten(frame: Buffer, plan: Plan): Buffer {
  if (short(frame, 5) !== plan.length)
    throw new Malformed('a row has another number of columns than was announced')
  const parts: Buffer[] = []
  let kept = 0
  let at = 7
  for (const change of plan) {
    const end = cellEnd(frame, at)
    if (change !== undefined && frame.readInt32BE(at) >= 0) {
      parts.push(frame.subarray(kept, at), cellOf(frame, at, end, change))
      kept = end
    }
    at = end
  }
  ends(frame, at)
  if (kept === 0) return frame
  parts.push(frame.subarray(kept))
  return sized(Buffer.concat(parts))
}

const nullCell = Buffer.from([255, 255, 255, 255])

function cellOf(frame: Buffer, at: number, end: number, change: Rewrite | 'null'): Buffer {
  const value = change === 'null' ? null : change.text(frame.toString('utf8', at + 4, end))
  if (value === null) return nullCell
  const size = Buffer.byteLength(value)
  const cell = Buffer.allocUnsafe(4 + size)
  cell.writeInt32BE(size, 0)
  cell.write(value, 4)
  return cell
}

function sized(frame: Buffer): Buffer {
  frame.writeUInt32BE(frame.length - 1, 1)
  return frame
}

/** Where the cell at `at` ends. Lengths are compared before they are added, so that none can wrap. */
function cellEnd(frame: Buffer, at: number): number {
  if (at + 4 > frame.length) throw new Malformed('a row ends inside a cell')
  const size = frame.readInt32BE(at)
  if (size < -1 || size > frame.length - at - 4)
    throw new Malformed('a cell is longer than its row')
  return at + 4 + Math.max(size, 0)
}

function short(frame: Buffer, at: number): number {
  if (at + 2 > frame.length) throw new Malformed('a message ends before its count')
  return frame.readUInt16BE(at)
}

import type { Mask } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import { holdsMask, maskBytesMax } from '../mask/known.ts'
import type { Statement } from '../statement.ts'
import { binarySplitter, type Cells, lineSplitter } from './cells.ts'
import { type CopyFacts, loadOptions } from './options.ts'
import { decoded } from './read.ts'

/** The data of one COPY FROM STDIN on its way to the server: looked at, never changed. */
export interface Intake {
  /** Reads a CopyData, or the end of the data; answers why nothing of this COPY may be stored. */
  read(frame: Buffer): Refusal | undefined
}

/** A column that may be filled with masks, and the text policy has for one, if its own. */
type Watched = { readonly name: string; readonly text: Buffer | undefined }

/**
 * What looks for masks in the data that a statement loads into masked columns; undefined where there is nothing to
 * look for. Throws Refusal where the data could not be read.
 */
export function intakeOf(statement: Statement, mask: Mask): Intake | undefined {
  if (statement.copy !== 'in' || mask.empty) return undefined
  const watched = watchedBy(statement, mask)
  if (watched?.every((one) => one === undefined)) return undefined
  const options = loadOptions(statement.command)
  if (options === undefined) throw unreadable
  return intake(options, watched)
}

const unreadable = new Refusal(
  'mask_impossible',
  'the data of this COPY cannot be searched for masks that stand for protected values',
  { remedy: 'Use COPY without options, or INSERT.' },
)

/** Column by column; undefined for all of them, where it is not known what they fill. */
function watchedBy(
  { command, into }: Statement,
  mask: Mask,
): readonly (Watched | undefined)[] | undefined {
  const known = into?.flat() ?? []
  const written = command.objects.filter(
    ({ access, name }) => access === 'write' && mask.touches(name),
  )
  const elsewhere = written.some(({ name }) => !known.some((one) => one.startsWith(`${name}.`)))
  if (into === undefined || elsewhere) return undefined
  return into.map((names) => {
    const rewrites = names.flatMap((name) => mask.column(name) ?? [])
    if (rewrites.length === 0) return undefined
    const own = rewrites.find(({ method }) => method === 'redact')?.text('')
    return { name: names[0] ?? '', text: own ? Buffer.from(own) : undefined }
  })
}

/** Any column of what is not known. */
const anyone: Watched = { name: '', text: undefined }

/** Looks at every cell of the watched columns, of each no further than a mask could reach. */
export function intake(
  options: CopyFacts,
  watched: readonly (Watched | undefined)[] | undefined,
): Intake {
  const cell = Buffer.allocUnsafe(maskBytesMax)
  const binary = options.format === 'binary'
  /** Stands for NULL, which no mask can be told from. */
  const marker = Buffer.from(options.null)
  let size = 0
  let row = 1
  let column = 0
  let found: Refusal | undefined
  const cells: Cells = { part, cell: whole, row: nextRow, lost }
  const split = binary ? binarySplitter(cells) : lineSplitter(options, cells)

  return {
    read(frame) {
      if (frame[0] === copyData) split(frame.subarray(5))
      // The last line may lack its end.
      else if (frame[0] === copyDone && !binary) whole()
      return found
    },
  }

  function watchedHere(): Watched | undefined {
    return watched === undefined ? anyone : watched[column]
  }

  function part(bytes: Buffer): void {
    if (watchedHere() === undefined || size === maskBytesMax) return
    size += bytes.copy(cell, size)
  }

  function whole(): void {
    const here = watchedHere()
    if (here !== undefined && size > 0 && isMask(cell.subarray(0, size), here))
      found ??= notOwn(here.name, row, column + 1)
    size = 0
    column += 1
  }

  function isMask(sent: Buffer, { text }: Watched): boolean {
    if (!binary && sent.equals(marker)) return false
    const value = decoded(sent, options)
    return holdsMask(value, binary) || (text !== undefined && value.equals(text))
  }

  function nextRow(): void {
    row += 1
    column = 0
  }

  function lost(): void {
    found ??= unreadable
  }
}

const copyData = 'd'.charCodeAt(0)
const copyDone = 'c'.charCodeAt(0)

function notOwn(name: string, row: number, column: number): Refusal {
  const where = name === '' ? `column ${column}` : name
  return new Refusal(
    'mask_impossible',
    `line ${row} of the data has in ${where} a mask that stands for a protected value`,
    { remedy: 'Leave the column out, or send the value itself.' },
  )
}

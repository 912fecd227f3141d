import type { Command } from '../../../pdp/contract.ts'
import type { CopyFacts } from '../read/copy.ts'
import type { Statement } from '../statement.ts'

export type { CopyFacts } from '../read/copy.ts'

/** Options that do not change how rows are written, or only by quotes that stay where they are. */
const harmless = new Set(['force_quote', 'freeze'])
/** Options that change what the server makes of rows, not where cells begin and end. */
const harmlessIn = new Set([
  'default',
  'force_not_null',
  'force_null',
  'freeze',
  'log_verbosity',
  'on_error',
  'reject_limit',
])
const utf8 = /^utf-?8$/i

/** How a COPY TO writes its rows; undefined where that is not said or not understood. */
export function copyOptions(command: Command): CopyFacts | undefined {
  return understood(command, 'out', harmless)
}

/** How the data of a COPY FROM is written; undefined where that is not said or not understood. */
export function loadOptions(command: Command): CopyFacts | undefined {
  return understood(command, 'in', harmlessIn)
}

function understood(
  command: Command,
  direction: CopyFacts['direction'],
  harmless: ReadonlySet<string>,
): CopyFacts | undefined {
  const options = (command['sql'] as { readonly copy?: CopyFacts } | undefined)?.copy
  return options?.direction === direction && isReadable(options, harmless) ? options : undefined
}

function isReadable(options: CopyFacts, harmless: ReadonlySet<string>): boolean {
  const { format, encoding, others } = options
  if (encoding !== undefined && !utf8.test(encoding)) return false
  if (others.some((name) => !harmless.has(name))) return false
  if (format === 'binary') return true
  if (format !== 'text' && format !== 'csv') return false
  return [options.delimiter, options.quote, options.escape].every(
    (one) => one.length === 1 && one.charCodeAt(0) < 128,
  )
}

/** Where a CopyOutResponse contradicts what was read from the statement, in words without data. */
export function copyContradiction(frame: Buffer, { command }: Statement): string | undefined {
  const { outputs } = command
  const columns = frame.length < 8 ? -1 : frame.readInt16BE(6)
  if (outputs !== undefined && outputs.length !== columns)
    return `COPY sends ${columns} columns where ${outputs.length} were expected`
  const format = copyOptions(command)?.format
  if (format === undefined || (format === 'binary') === (frame[5] === 1)) return undefined
  return 'COPY sends another format than expected'
}

import type { Command } from '../../../pdp/contract.ts'
import type { CopyFacts } from '../read/copy.ts'
import type { Statement } from '../statement.ts'

export type { CopyFacts } from '../read/copy.ts'

/** Options that do not change how rows are written, or only by quotes that stay where they are. */
const harmless = new Set(['force_quote', 'freeze'])
const utf8 = /^utf-?8$/i

/** How a COPY TO writes its rows; undefined where that is not said or not understood. */
export function copyOptions(command: Command): CopyFacts | undefined {
  const sql = command['sql'] as { readonly copy?: CopyFacts } | undefined
  const options = sql?.copy
  return options?.direction === 'out' && understood(options) ? options : undefined
}

function understood(options: CopyFacts): boolean {
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

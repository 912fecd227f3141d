import { Malformed } from '../../../pdp/refusal.ts'
import type { Plan } from '../mask/plan.ts'
import { backslash, letters, unescaped } from './escapes.ts'
import { changed, type Format, same } from './format.ts'

const lineFeed = 10

type Options = {
  readonly delimiter: string
  readonly null: string
  readonly header: boolean
}

/** COPY's text format: a line per row, cells behind delimiters, backslashes before what would be misread (COPY, File Formats). */
export function textFormat(options: Options): Format {
  const delimiter = options.delimiter.charCodeAt(0)
  const nothing = Buffer.from(options.null)
  // No value is written like this marker; one that looks like another marker must not pass for NULL.
  const certain = options.null === '\\N'
  return { end, rewrite, ...(options.header && { head: (bytes: Buffer) => end(bytes, 0) }) }

  /** A line feed in a value comes as a backslash and an n. */
  function end(bytes: Buffer, at: number): number {
    return bytes.indexOf(lineFeed, at) + 1
  }

  function rewrite(row: Buffer, plan: Plan): Buffer {
    const parts: Buffer[] = []
    let kept = 0
    let start = 0
    for (let column = 0; column < plan.length; column += 1) {
      const last = column === plan.length - 1
      const end = cellEnd(row, start)
      if (last !== (row[end] === lineFeed))
        throw new Malformed('a row of COPY has another number of columns than was read')
      const cell = row.subarray(start, end)
      const isNull = certain && cell.equals(nothing)
      const value = changed(plan, column, () => (isNull ? null : unescaped(cell)))
      if (value !== same) {
        parts.push(row.subarray(kept, start), value === null ? nothing : escaped(value, delimiter))
        kept = end
      }
      start = end + 1
    }
    return parts.length === 0 ? row : Buffer.concat([...parts, row.subarray(kept)])
  }

  function cellEnd(row: Buffer, from: number): number {
    let at = from
    while (at < row.length && row[at] !== delimiter && row[at] !== lineFeed)
      at += row[at] === backslash ? 2 : 1
    return at
  }
}

const names: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(letters).map(([letter, value]) => [value, letter]),
)

function escaped(value: Buffer, delimiter: number): Buffer {
  const special = String.fromCharCode(delimiter)
  let out = ''
  for (const letter of value.toString('utf8')) {
    const name = names[letter] ?? (letter === '\\' || letter === special ? letter : undefined)
    out += name === undefined ? letter : `\\${name}`
  }
  return Buffer.from(out)
}

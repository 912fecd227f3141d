/** Backslashes in COPY's text format (COPY, Text Format). */

export const backslash = 92
const sequence = /\\(?:([0-7]{1,3})|x([0-9a-f]{1,2})|(.))/gis
/** What a letter behind a backslash stands for. */
export const letters: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** What a cell says; numbers in it are bytes, not characters. */
export function unescaped(cell: Buffer): Buffer {
  if (!cell.includes(backslash)) return cell
  const said = cell
    .toString('latin1')
    .replace(sequence, (_, octal?: string, hex?: string, letter = '') => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255)
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      return letters[letter] ?? letter
    })
  return Buffer.from(said, 'latin1')
}

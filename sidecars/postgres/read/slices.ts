import type { Node, RawStmt } from 'libpg-query'

/** Each statement with its own part of the text. The parser counts bytes of UTF-8, a string counts UTF-16 units. */
export function* slices(
  text: string,
  statements: readonly RawStmt[],
): Generator<{ readonly node: Node; readonly slice: string }> {
  const [only] = statements
  if (
    statements.length === 1 &&
    only?.stmt !== undefined &&
    !only.stmt_len &&
    !only.stmt_location
  ) {
    yield { node: only.stmt, slice: text.trim() }
    return
  }
  const bytes = Buffer.from(text)
  for (const { stmt, stmt_location: from = 0, stmt_len: length } of statements) {
    const end = length ? from + length : bytes.length
    if (stmt !== undefined) yield { node: stmt, slice: bytes.toString('utf8', from, end).trim() }
  }
}

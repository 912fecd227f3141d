/** The JSON text that OPA hashes: Go's encoder without HTML escapes, keys sorted by UTF-8 bytes, numbers as written. */

/** Canonical text of one JSON document; of equal keys the last one wins, as in OPA. Throws on anything else than JSON. */
export function canonicalJson(text: string): string {
  return String(
    JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      canonical(value, context?.source),
    ),
  )
}

/** Reads UTF-8 strictly: a byte that is none, or a byte order mark, is an error. */
export function utf8(content: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
}

// JSON.parse revives from the leaves up, so whatever an array or object holds is canonical text already.
function canonical(value: unknown, source: string | undefined): string {
  if (typeof value === 'string') return goString(value)
  if (typeof value === 'number') return lexeme(source)
  if (Array.isArray(value)) return `[${value.join(',')}]`
  if (typeof value === 'object' && value !== null) return `{${members(value).join(',')}}`
  return String(value)
}

function members(value: object): string[] {
  return Object.entries(value)
    .map(([key, text]) => ({ key, text, bytes: Buffer.from(key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ key, text }) => `${goString(key)}:${text}`)
}

function lexeme(source: string | undefined): string {
  if (source === undefined) throw new Error('this JavaScript engine does not keep number texts')
  return source
}

function goString(text: string): string {
  // Go would put U+FFFD in its place: what is hashed would not be what is evaluated.
  if (!text.isWellFormed()) throw new SyntaxError('a string holds half a surrogate pair')
  return JSON.stringify(text).replace(
    /[\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16)}`,
  )
}

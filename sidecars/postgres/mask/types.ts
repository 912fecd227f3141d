/** What a value can be turned into and still be of its type. */
export type Kind = 'text' | 'texts' | 'json' | 'other'

/** Types whose values are the text itself, in text and in binary format: "char", name, text, unknown, bpchar, varchar. */
const text = new Set([18, 19, 25, 705, 1042, 1043])
/** Arrays of "char", name, text, bpchar and varchar. */
const texts = new Set([1002, 1003, 1009, 1014, 1015])
/** json and jsonb. The binary form of jsonb begins with a version. */
const json = new Set([114, 3802])
export const JSONB = 3802

/** What becomes of a type by its OID (pg_type.dat); the server describes a domain by what it is made from. */
export function kindOf(typeOid: number): Kind {
  if (text.has(typeOid)) return 'text'
  if (texts.has(typeOid)) return 'texts'
  return json.has(typeOid) ? 'json' : 'other'
}

/** Where in the text something stood; says nothing about what it means. */
export const places: ReadonlySet<string> = new Set([
  'location',
  'stmt_location',
  'stmt_len',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
  'name_location',
  'type_location',
])

const ofStatements = new Set(['stmt_location', 'stmt_len'])
const inside = [...places].filter((one) => !ofStatements.has(one)).join('|')
/** A quotation mark within a string follows a backslash, so that this finds keys and nothing else. */
const place = new RegExp(`,"(?:${inside})":-?\\d+|"(?:${inside})":-?\\d+,?`, 'g')
const ends = /(?:,"stmt_location":\d+)?(?:,"stmt_len":\d+)?\}\]\}$/

/** The parser's JSON without the places of anything inside of statements. */
export const placeless = (json: string): string => json.replace(place, '')

/** Whether the placeless JSON of two texts of one statement each is the same but for where it stands. */
export const sameJson = (one: string, other: string): boolean =>
  one === other || one.replace(ends, '') === other.replace(ends, '')

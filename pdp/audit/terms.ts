/** What an entry can be found by. */
export type Terms = {
  /** Milliseconds since the epoch. */
  readonly ms: number
  readonly decision: string | undefined
  /** Statement text. */
  readonly text: string | undefined
  readonly terms: readonly Term[]
}

export type Field = 'subject' | 'resource' | 'effect' | 'rule' | 'object' | 'session' | 'kind'
export type Term = readonly [field: Field, value: string]

type Fields = Readonly<Record<string, unknown>>

const valueCharsMax = 500
const textCharsMax = 65_536
const termsMax = 1000
const actorsMax = 10

/** Reads what an entry can be found by: decisions as OPA logs them, and the flat fields of all other kinds. */
export function termsOf(entry: Fields): Terms {
  const input = fields(entry['input'])
  const action = fields(input['action'])
  const result = fields(entry['result'])
  const found: Term[] = [
    ...texts('kind', [entry['kind']]),
    ...texts('session', [entry['session']]),
    ...texts('subject', [entry['subject'], entry['actor'], entry['by'], ...who(input['subject'])]),
    ...texts('resource', [entry['resource'], fields(input['resource'])['id']]),
    ...texts('effect', [result['effect'], ...list(action['effects'])]),
    ...texts('rule', [entry['rule'], ...each(result['reasons'], 'rule')]),
    ...texts('rule', each(result['masks'], 'rule')),
    ...texts('object', [...each(action['objects'], 'name'), ...list(entry['objects'])]),
    // The gate itself refused what policy allowed.
    ...(entry['refused'] === undefined ? [] : refusedTerms),
  ]
  const text = action['text'] ?? entry['text']
  const decision = entry['decision_id']
  return {
    ms: Date.parse(String(entry['timestamp'])) || 0,
    decision: typeof decision === 'string' ? decision : undefined,
    text: typeof text === 'string' ? text.slice(0, textCharsMax) : undefined,
    terms: unique(found),
  }
}

const refusedTerms: readonly Term[] = [
  ['effect', 'deny'],
  ['rule', 'postern'],
]

// The subject and everyone who acts for it.
function who(subject: unknown): readonly unknown[] {
  const ids: unknown[] = []
  let party = fields(subject)
  for (let depth = 0; depth < actorsMax; depth += 1) {
    ids.push(party['id'])
    party = fields(party['actor'])
  }
  return ids
}

function texts(field: Field, values: readonly unknown[]): readonly Term[] {
  return values.flatMap((value) =>
    typeof value === 'string' && value !== '' ? [[field, value.slice(0, valueCharsMax)]] : [],
  )
}

function each(items: unknown, name: string): readonly unknown[] {
  return list(items).map((item) => fields(item)[name])
}

function unique(terms: readonly Term[]): readonly Term[] {
  const seen = new Map(terms.map((term) => [term.join('\0'), term]))
  return [...seen.values()].slice(0, termsMax)
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

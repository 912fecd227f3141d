/** Which way a change goes: `weaker` lets more happen, or with less oversight; what cannot be told is `weaker`. */
export type Direction = 'weaker' | 'stronger' | 'other'

/** One way in which two answers to the same question differ. */
export type Change = {
  readonly direction: Direction
  /** What changed, in words that hold no value of a question: `effect deny to allow`, `mask dropped: public.customers.email`. */
  readonly what: string
}

/** Terms of a decision that are told apart by a key. */
export type Terms<Term> = {
  readonly name: string
  key(term: Term): string
  /** How two terms of one key differ. */
  changes(before: Term, after: Term): readonly Change[]
}

/** A number that became another; `more` is what it means when it grew. */
export function counted(
  what: string,
  before: number,
  after: number,
  more: 'weaker' | 'stronger' = 'weaker',
): readonly Change[] {
  if (before === after) return []
  const less = more === 'weaker' ? 'stronger' : 'weaker'
  return [{ direction: after > before ? more : less, what: `${what} ${before} to ${after}` }]
}

/** A word that became another of `order`, which lists the strictest first. */
export function ranked(
  what: string,
  order: readonly string[],
  before: string,
  after: string,
): readonly Change[] {
  return counted(what, order.indexOf(before), order.indexOf(after)).map(({ direction }) => ({
    direction,
    what: `${what} ${before} to ${after}`,
  }))
}

/** Compares two lists of terms; one that is gone is weaker, a new one stronger. */
export function termChanges<Term>(
  { name, key, changes }: Terms<Term>,
  before: readonly Term[],
  after: readonly Term[],
): readonly Change[] {
  if (before.length === 0 && after.length === 0) return []
  const old = new Map(before.map((term) => [key(term), term]))
  const fresh = new Map(after.map((term) => [key(term), term]))
  const found: Change[] = []
  for (const [term, one] of old) {
    const other = fresh.get(term)
    if (other === undefined) found.push({ direction: 'weaker', what: `${name} dropped: ${term}` })
    else found.push(...changes(one, other))
  }
  for (const term of fresh.keys())
    if (!old.has(term)) found.push({ direction: 'stronger', what: `${name} added: ${term}` })
  return found
}

/** Equal values have equal texts, whatever the order of their keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}

/** Counts by one word, in plain numbers: the hot path adds, a scrape reads. */
export interface Tally {
  add(word: string, by?: number): void
  entries(): Iterable<readonly [word: string, count: number]>
}

/** The word under which everything beyond the bound is counted. */
export const rest = 'other'

/** A tally of at most `wordsMax` different words; policy writes some of them, so they must be bounded. */
export function tally(wordsMax: number): Tally {
  const counts = new Map<string, { count: number }>()
  const beyond = { count: 0 }

  function cell(word: string): { count: number } {
    if (counts.size >= wordsMax || word === rest) return beyond
    const fresh = { count: 0 }
    counts.set(word, fresh)
    return fresh
  }

  return {
    add(word, by = 1) {
      const found = counts.get(word) ?? cell(word)
      found.count += by
    },
    *entries() {
      for (const [word, { count }] of counts) yield [word, count]
      if (beyond.count > 0) yield [rest, beyond.count]
    },
  }
}

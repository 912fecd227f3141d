/** Choices that a seed repeats. */
export interface Random {
  /** A whole number below this. */
  below(max: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T
  /** One of these, as often as their weight says. */
  weighted<T>(list: readonly (readonly [weight: number, make: () => T])[]): T
}

/** Mulberry32: small, fast, and good enough to choose with. */
export function random(seed: number): Random {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (max: number): number => Math.floor(next() * max)
  return {
    below,
    chance: (probability) => next() < probability,
    pick(list) {
      const one = list[below(list.length)]
      if (one === undefined) throw new Error('nothing to choose from')
      return one
    },
    weighted(list) {
      let left = next() * list.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, make] of list) {
        left -= weight
        if (left < 0) return make()
      }
      const last = list[list.length - 1]
      if (last === undefined) throw new Error('nothing to choose from')
      return last[1]()
    },
  }
}

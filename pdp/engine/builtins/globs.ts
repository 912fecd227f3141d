import { type Builtins, pure, string } from './operands.ts'

/** Steps a comparison of two globs may take; each is a pair of places in them. */
const pairsMax = 1_000_000

type Token = {
  /** The characters it stands for; undefined is any. */
  readonly runes: readonly (readonly [from: number, to: number])[] | undefined
  readonly repeat: '' | '*' | '+'
}

/** `regex.globs_match`: whether some text matches both of two globs made of `.`, `[a-z]`, `*`, `+` and `\`. */
export const globs: Builtins = {
  'regex.globs_match': pure((a, b) => intersect(tokens(string(a)), tokens(string(b)))),
}

function intersect(left: readonly Token[], right: readonly Token[]): boolean {
  const width = right.length + 1
  if ((left.length + 1) * width > pairsMax) throw new Error('the globs are too long')
  const seen = new Set<number>([0])
  // A set grows while it is walked: what is added is visited too.
  for (const pair of seen) {
    const [i, j] = [Math.trunc(pair / width), pair % width]
    const [a, b] = [left[i], right[j]]
    if (a === undefined && b === undefined) return true
    if (a?.repeat === '*') seen.add(pair + width)
    if (b?.repeat === '*') seen.add(pair + 1)
    if (a !== undefined && b !== undefined && meet(a, b))
      for (const x of steps(a)) for (const y of steps(b)) seen.add(pair + x * width + y)
  }
  return false
}

/** How far a token that took a character may move on. */
function steps({ repeat }: Token): readonly number[] {
  return repeat === '' ? [1] : [0, 1]
}

function meet(a: Token, b: Token): boolean {
  if (a.runes === undefined || b.runes === undefined) return true
  const other = b.runes
  return a.runes.some(([from, to]) => other.some(([low, high]) => low <= to && from <= high))
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = []
  const pattern = /(?:\[((?:\\.|[^\]\\])*)\]|(\.)|\\(.)|([^[\]\\*+.]))([*+]?)/gsuy
  let read = 0
  for (const [all, set, dot, escaped, plain, repeat = ''] of text.matchAll(pattern)) {
    const rune = (escaped ?? plain ?? '').codePointAt(0) ?? 0
    const runes = set === undefined ? [[rune, rune] as const] : ranges(set)
    found.push({ runes: dot === undefined ? runes : undefined, repeat: repeat as Token['repeat'] })
    read += all.length
  }
  if (read !== text.length) throw new Error('not a glob')
  return found
}

function ranges(set: string): readonly (readonly [number, number])[] {
  const pattern = /(?:\\(.)|([^\\-]))(?:-(?:\\(.)|([^\\-])))?/gsuy
  const found: (readonly [number, number])[] = []
  let read = 0
  for (const [all, a, b, c, d] of set.matchAll(pattern)) {
    const from = (a ?? b ?? '').codePointAt(0) ?? 0
    const to = (c ?? d)?.codePointAt(0) ?? from
    if (to < from) throw new Error('a range is out of order')
    found.push([from, to])
    read += all.length
  }
  if (read !== set.length) throw new Error('not a set of characters')
  return found
}

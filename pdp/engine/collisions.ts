import { randomInt } from 'node:crypto'

/**
 * OPA's sets and objects are hash tables whose hash has no key (FNV-1, 32 bits): whoever chooses many texts can choose
 * ones that all land in one bucket, and makes a table of n of them cost n². Such an input is found and refused.
 */
const buckets = 4096
/** The offset and the prime of FNV-1 as far as they reach the low bits that pick one of so many buckets. */
const offset = 0x811c9dc5 & (buckets - 1)
const prime = 0x01000193 & (buckets - 1)
/** Of n texts n/4096 land in a bucket by chance; this many more do not. */
const chance = 48

/**
 * One text in so many is looked at, picked by a number nobody outside knows: a crowd that costs anything is far larger
 * than what that can miss.
 */
const sampled = 4

/** Whether far more different texts of a value share a bucket than chance explains. */
export function colliding(value: unknown): boolean {
  const sample: Sample = {
    counts: new Uint32Array(buckets),
    last: new Array<string>(buckets),
    fullest: 0,
    texts: 0,
  }
  count(value, sample)
  const most = chance + Math.ceil((4 * sample.texts) / buckets)
  if (sample.fullest <= most) return false
  // The same text many times takes one place: only different ones count.
  const crowds = new Map<number, Set<string>>()
  collect(value, (text) => {
    const at = bucket(text)
    if ((sample.counts[at] ?? 0) > most) crowds.set(at, (crowds.get(at) ?? new Set()).add(text))
  })
  return [...crowds.values()].some(({ size }) => size > most)
}

type Sample = {
  readonly counts: Uint32Array
  /** The text seen last in each bucket: what is repeated counts once. */
  readonly last: string[]
  fullest: number
  texts: number
}

function count(value: unknown, sample: Sample): void {
  if (typeof value === 'string') counted(value, sample)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) for (const element of value) count(element, sample)
  else
    for (const key in value) {
      counted(key, sample)
      count((value as Record<string, unknown>)[key], sample)
    }
}

function counted(text: string, sample: Sample): void {
  sample.texts += 1
  if (!picked()) return
  const at = bucket(text)
  if (sample.last[at] === text) return
  sample.last[at] = text
  const found = (sample.counts[at] ?? 0) + 1
  sample.counts[at] = found
  if (found > sample.fullest) sample.fullest = found
}

let state = randomInt(1, 2 ** 31)

/** Marsaglia's xorshift, 32 bits. */
function picked(): boolean {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return state % sampled === 0
}

function collect(value: unknown, visit: (text: string) => void): void {
  if (typeof value === 'string') visit(value)
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) for (const key in value) visit(key)
  for (const member of Object.values(value)) collect(member, visit)
}

function bucket(text: string): number {
  let hash = offset
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 127) return bytesBucket(text)
    hash = Math.imul(hash, prime) ^ code
  }
  return hash & (buckets - 1)
}

function bytesBucket(text: string): number {
  let hash = offset
  for (const byte of Buffer.from(text)) hash = ((hash * prime) ^ byte) & (buckets - 1)
  return hash
}

/**
 * OPA's sets and objects are hash tables whose hash has no key (FNV-1, 32 bits): whoever chooses many texts can choose
 * ones that all land in one bucket, and makes a table of n of them cost n². Such an input is found and refused.
 */
const buckets = 4096
/** The offset and the prime of FNV-1 as far as they reach the low bits that pick one of so many buckets. */
const offset = 0x811c9dc5 & (buckets - 1)
const prime = 0x01000193 & (buckets - 1)
/** Where the number in the fullest bucket is kept. */
const fullest = buckets
/** Of n texts n/4096 land in a bucket by chance; this many more do not. */
const chance = 48

/** Whether far more different texts of a value share a bucket than chance explains. */
export function colliding(value: unknown): boolean {
  const counts = new Uint32Array(buckets + 1)
  const texts = count(value, counts)
  const most = chance + Math.ceil((4 * texts) / buckets)
  if ((counts[fullest] ?? 0) <= most) return false
  // The same text many times takes one place: only different ones count.
  const crowds = new Map<number, Set<string>>()
  collect(value, (text) => {
    const at = bucket(text)
    if ((counts[at] ?? 0) > most) crowds.set(at, (crowds.get(at) ?? new Set()).add(text))
  })
  return [...crowds.values()].some(({ size }) => size > most)
}

function count(value: unknown, counts: Uint32Array): number {
  if (typeof value === 'string') return counted(value, counts)
  if (typeof value !== 'object' || value === null) return 0
  let texts = 0
  if (Array.isArray(value)) for (const element of value) texts += count(element, counts)
  else
    for (const key in value)
      texts += counted(key, counts) + count((value as Record<string, unknown>)[key], counts)
  return texts
}

function counted(text: string, counts: Uint32Array): number {
  const at = bucket(text)
  const found = (counts[at] ?? 0) + 1
  counts[at] = found
  if (found > (counts[fullest] ?? 0)) counts[fullest] = found
  return 1
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

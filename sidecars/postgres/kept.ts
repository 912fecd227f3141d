/** A cache for the whole process, of a bounded size. */
export interface Kept<T> {
  /** What it holds now, about, in bytes. */
  readonly bytes: number
  get(key: string): T | undefined
  /** Keeps a value that weighs about so many bytes besides its key; not at all where it alone would fill the cache. */
  set(key: string, value: T, bytes: number): void
}

/** A string has one or two bytes for each character; an entry has its own weight. */
const charBytes = 2
const entryBytes = 256

/**
 * Two generations of half the size: what is not used while one fills goes with the next. A Map that is told to forget
 * and remember at every use would be rebuilt at every use.
 */
export function kept<T>(bytesMax: number): Kept<T> {
  let young = new Map<string, Entry<T>>()
  let old = new Map<string, Entry<T>>()
  let youngBytes = 0
  let oldBytes = 0

  return {
    get bytes() {
      return youngBytes + oldBytes
    },
    get,
    set: (key, value, bytes) =>
      put(key, { value, bytes: bytes + key.length * charBytes + entryBytes }),
  }

  function get(key: string): T | undefined {
    const found = young.get(key)
    if (found !== undefined) return found.value
    const earlier = old.get(key)
    if (earlier !== undefined) put(key, earlier)
    return earlier?.value
  }

  function put(key: string, entry: Entry<T>): void {
    if (entry.bytes > bytesMax / 2) return
    youngBytes -= young.get(key)?.bytes ?? 0
    oldBytes -= old.get(key)?.bytes ?? 0
    young.delete(key)
    old.delete(key)
    if (youngBytes + entry.bytes > bytesMax / 2) {
      old = young
      oldBytes = youngBytes
      young = new Map()
      youngBytes = 0
    }
    young.set(key, entry)
    youngBytes += entry.bytes
  }
}

type Entry<T> = { readonly value: T; readonly bytes: number }

/** What a value takes in memory, about, in bytes: lists and strings of its own. */
export function weight(value: unknown): number {
  if (typeof value === 'string') return 24 + charBytes * value.length
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 48
  for (const one of Object.values(value)) bytes += 8 + weight(one)
  return bytes
}

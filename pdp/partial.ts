import type { AsciiRewrite, Rewrite } from './contract.ts'

/** How much of a value stays: characters from either end, and whether what is behind an @ stays too. */
export type Keeping = { readonly first: number; readonly last: number; readonly domain: boolean }

/** `a***@example.com`. */
export const anAddress: Keeping = { first: 1, last: 0, domain: true }

const stars = '***'
const star = 42
const at = 64
/** A host name and nothing else, so that no other text passes for the domain of an address. */
const domainShape = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$/i
const surrogate = /[\ud800-\udfff]/

/** Keeps a part of each value; nothing of one that is not as expected: no address, or too short. */
export function partial(keeping: Keeping): Pick<Rewrite, 'text' | 'ascii'> {
  const isDomain = domains()
  return { text: texts(keeping, isDomain), ascii: bytes(keeping, isDomain) }
}

/** Neighbours often share their domain. */
function domains(): (domain: string) => boolean {
  let known: string | undefined
  return (domain) => {
    if (domain === known) return true
    if (!domainShape.test(domain)) return false
    known = domain
    return true
  }
}

function texts(
  { first, last, domain }: Keeping,
  isDomain: (domain: string) => boolean,
): Rewrite['text'] {
  if (!domain) return (cell) => ends(cell, first, last)
  return (cell) => {
    const sign = cell.indexOf('@')
    if (sign < 1 || !isDomain(cell.slice(sign + 1))) return stars
    return ends(cell.slice(0, sign), first, last) + cell.slice(sign)
  }
}

/** The first and last characters around three stars; the stars alone when those would be more than half. */
function ends(text: string, first: number, last: number): string {
  // Without surrogates every code unit is a character, and slicing is all there is to do.
  if (!surrogate.test(text)) {
    if ((first + last) * 2 > text.length) return stars
    return text.slice(0, first) + stars + text.slice(text.length - last)
  }
  const characters = Array.from(text)
  if ((first + last) * 2 > characters.length) return stars
  const head = characters.slice(0, first).join('')
  const tail = characters.slice(characters.length - last).join('')
  return head + stars + tail
}

/** The same on bytes, each of which is a character. */
function bytes(
  { first, last, domain }: Keeping,
  isDomain: (domain: string) => boolean,
): AsciiRewrite {
  /** The domain of the value before, and its bytes. */
  let known: Uint8Array = new Uint8Array(0)
  return { growth: stars.length, write }

  function write(from: Uint8Array, start: number, end: number, to: Uint8Array, place: number) {
    if (!domain) return kept(from, start, end, to, place)
    let sign = start
    while (sign < end && from[sign] !== at) sign += 1
    if (sign === start || sign === end || !fits(from, sign + 1, end)) return starred(to, place)
    return copied(from, sign, end, to, kept(from, start, sign, to, place))
  }

  function kept(from: Uint8Array, start: number, end: number, to: Uint8Array, place: number) {
    if ((first + last) * 2 > end - start) return starred(to, place)
    const middle = starred(to, copied(from, start, start + first, to, place))
    return copied(from, end - last, end, to, middle)
  }

  function fits(from: Uint8Array, start: number, end: number): boolean {
    if (isSame(known, from, start, end)) return true
    if (!isDomain(String.fromCharCode(...from.subarray(start, Math.min(end, start + charsMax)))))
      return false
    if (end - start > charsMax) return false
    known = from.slice(start, end)
    return true
  }
}

/** What `domainShape` takes at most. */
const charsMax = 63 * 9 + 8

function isSame(known: Uint8Array, from: Uint8Array, start: number, end: number): boolean {
  if (known.length === 0 || end - start !== known.length) return false
  for (let index = 0; index < known.length; index += 1)
    if (from[start + index] !== known[index]) return false
  return true
}

function starred(to: Uint8Array, place: number): number {
  to[place] = star
  to[place + 1] = star
  to[place + 2] = star
  return place + 3
}

function copied(from: Uint8Array, start: number, end: number, to: Uint8Array, place: number) {
  for (let index = start; index < end; index += 1) to[place + index - start] = from[index] ?? 0
  return place + end - start
}

/** Short names for texts that come again. */
export interface Texts {
  /** The text's name; equal names mean equal texts. */
  name(text: string): string
  /** A name nothing else has. */
  fresh(): string
}

/** Remembers at most so many characters of text. */
export function texts(charsMax: number): Texts {
  const names = new Map<string, string>()
  let chars = 0
  let last = 0

  return { name, fresh }

  function fresh(): string {
    return `#${++last}`
  }

  /** Numbers are never given twice, so forgetting a text can lose a hit but never confuse two texts. */
  function name(text: string): string {
    const known = names.get(text)
    if (known !== undefined) return known
    chars += text.length
    if (chars > charsMax) {
      names.clear()
      chars = text.length
    }
    const made = fresh()
    names.set(text, made)
    return made
  }
}

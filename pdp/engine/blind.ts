/** Which commands a policy decides without looking at their text. */

/** Looks that may cost an instance before unknown kinds of commands are no longer tried. */
const looksMax = 64
const kindsMax = 1024

export interface Blindness {
  /** Whether the policy is to be asked first without the text of the command. */
  tries(input: unknown): boolean
  /** It looked: it is not tried again for this kind of command. */
  looked(input: unknown): void
}

/** Tries every kind of command, by its `action.name`, until the policy looked at the text of one. */
export function blindness(): Blindness {
  const looking = new Set<string>()
  const trusted = new Set<string>()
  let looks = 0

  return { tries, looked }

  function tries(input: unknown): boolean {
    const kind = kindOf(input)
    if (kind === undefined || looking.has(kind)) return false
    if (trusted.has(kind)) return true
    if (looks >= looksMax || trusted.size >= kindsMax) return false
    trusted.add(kind)
    return true
  }

  function looked(input: unknown): void {
    const kind = kindOf(input)
    looks++
    if (kind === undefined) return
    trusted.delete(kind)
    if (looking.size < kindsMax) looking.add(kind)
  }
}

/** Undefined where there is no text to leave out. */
function kindOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const { action } = input as { readonly action?: unknown }
  if (typeof action !== 'object' || action === null) return undefined
  const { name, text } = action as { readonly name?: unknown; readonly text?: unknown }
  return typeof text === 'string' && typeof name === 'string' ? name : undefined
}

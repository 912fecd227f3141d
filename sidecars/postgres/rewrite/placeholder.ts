/** What stands for a text that was masked, where policy names no text of its own. */
export const placeholder = '[redacted]'

const tags: readonly RegExp[] = [
  /^\[redacted\]$/,
  // Partial masks: what is left of a value around three stars.
  /^[^*\n]{0,64}\*{3}[^*\n]{0,320}$/u,
  /^(?:h|tok)_[A-Za-z0-9_-]{22}$/,
]

/** Whether a value is one of the masks that clients are shown: whoever writes it back would destroy what it stands for. */
export function isPlaceholder(value: string): boolean {
  return tags.some((tag) => tag.test(value))
}

// C0 and C1 controls, DEL, line separators, zero-width and bidirectional marks, tags: all that moves a cursor or reorders.
const invisible =
  /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu

/** Text from elsewhere, made harmless for a terminal: what would move, hide or reorder is shown as its code. */
export function printable(text: string): string {
  return text.replace(invisible, (mark) => {
    if (mark === '\n') return '\\n'
    if (mark === '\t') return '\\t'
    return `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`
  })
}

/** A value as JSON that is harmless for a terminal, over several lines. */
export function printableJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2)
  return text.replace(invisible, (mark) => (mark === '\n' ? mark : escaped(mark)))
}

function escaped(mark: string): string {
  const units = Array.from({ length: mark.length }, (_, at) => mark.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

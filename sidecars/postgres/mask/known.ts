import { Malformed } from '../../../pdp/refusal.ts'
import { isPlaceholder } from '../rewrite/placeholder.ts'
import { elements } from './array.ts'

/** Beyond this a value is no mask, and of an array the elements up to here are looked at, in bytes. */
export const maskBytesMax = 8 * 1024

/** What every mask has in it: without one there is nothing to look for. */
const trace = /\[redacted\]|\*{3}|h_|tok_/
/** The version in front of jsonb in binary. */
const version = '\x01'

/** Whether a value, as text or in binary, is one of the masks clients are shown, or has one in a JSON string or an array. */
export function holdsMask(cell: Buffer, binary: boolean): boolean {
  const head = cell.length > maskBytesMax ? cell.subarray(0, maskBytesMax) : cell
  const text = head.toString('utf8')
  if (!trace.test(text)) return false
  const plain = binary && text.startsWith(version) ? text.slice(1) : text
  return isPlaceholder(plain) || isPlaceholder(string(plain)) || inArray(head, binary)
}

/** What a string of JSON says; empty for all else. */
function string(text: string): string {
  if (!text.trimStart().startsWith('"')) return ''
  try {
    return String(JSON.parse(text))
  } catch {
    return ''
  }
}

function inArray(cell: Buffer, binary: boolean): boolean {
  // A text holds no NUL, which every array in binary begins with; arrays as text begin with a brace or their bounds.
  if (binary ? cell[0] !== 0 : cell[0] !== brace && cell[0] !== bracket) return false
  let found = false
  try {
    elements(cell, binary, (one) => {
      found ||= isPlaceholder(one)
      return null
    })
  } catch (error) {
    // It is no array, or longer than what is looked at.
    if (!(error instanceof Malformed)) throw error
  }
  return found
}

const brace = 123
const bracket = 91

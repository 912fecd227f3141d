import type { Node } from 'libpg-query'
import type { Mask } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import { holdsMask } from '../mask/known.ts'
import type { Statement } from '../statement.ts'

/** What every placeholder has in it, and what may write it another way: without one there is nothing to look for. */
const trace = /\[redacted\]|\*{3}|h_|tok_|\\|U&'|'\s*(?:--.*)?[\r\n]/i

/** Whoever writes a mask back would destroy the value it stands for. Throws Refusal. */
export function ownValues(
  { command, placeholder }: Statement,
  mask: Mask,
  parameters: readonly (string | null)[],
): void {
  if (mask.empty) return
  const { objects } = command
  if (!objects.some(({ access, name }) => access === 'write' && mask.touches(name))) return
  if (parameters.some((value) => value !== null && isMask(value))) throw notOwn('a parameter')
  if (placeholder === true) throw notOwn('a literal')
}

/** A parameter that was sent in binary is known by its bytes; those of a text are the text. */
function isMask(value: string): boolean {
  if (value.startsWith('\\x') && holdsMask(Buffer.from(value.slice(2), 'hex'), true)) return true
  return holdsMask(Buffer.from(value), false)
}

/** Whether a literal of a parsed statement is a mask. */
export function holdsPlaceholder(text: string, node: Node): boolean {
  return mayHold(text) && isAnyMask(node)
}

/** Cheap, and true wherever a mask is. */
export const mayHold = (text: string): boolean => trace.test(text)

function isAnyMask(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if ('A_Const' in value) return isMask(constant(value.A_Const))
  return Object.values(value).some(isAnyMask)
}

const constant = (body: unknown): string =>
  (body as { readonly sval?: { readonly sval?: string } }).sval?.sval ?? ''

function notOwn(what: string): Refusal {
  return new Refusal('mask_impossible', `${what} is a mask that stands for a protected value`, {
    remedy: 'Leave the column out, or send the value itself.',
  })
}

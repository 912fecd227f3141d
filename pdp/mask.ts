import { createHmac } from 'node:crypto'
import type { Mask, MaskMethod, MaskRule, Rewrite, Secret } from './contract.ts'
import { anAddress, type Keeping, partial } from './partial.ts'
import { Refusal } from './refusal.ts'

const redacted = '[redacted]'
const argumentCharsMax = 64
const keyBytesMin = 32
/** From strongest to weakest: when two rules name one column, the earlier method wins. */
const strength: readonly MaskMethod[] = ['null', 'redact', 'hash', 'tokenize', 'partial']

const nothing: Mask = { empty: true, touches: () => false, column: () => undefined }

/** The capabilities a gate has for masking: `mask:hash` and `mask:tokenize` only with a key. Throws on a short key. */
export function maskCapabilities(key: Secret | undefined): readonly string[] {
  const keyless = ['mask:null', 'mask:partial', 'mask:redact']
  if (key === undefined) return keyless
  if (Buffer.byteLength(key.reveal()) < keyBytesMin)
    throw new Error(`the mask key is shorter than ${keyBytesMin} bytes`)
  return ['mask:hash', ...keyless, 'mask:tokenize']
}

/** Compiles what policy wants masked, by column. Throws Refusal for a rule that cannot be carried out. */
export function compileMask(rules: readonly MaskRule[], key?: Secret): Mask {
  if (rules.length === 0) return nothing
  const rewrites = new Map<string, Rewrite>()
  for (const rule of rules) {
    const column = columnOf(rule)
    const rewrite = rewriteOf(rule, column, key)
    const other = rewrites.get(column)
    if (other === undefined || stronger(rewrite, other)) rewrites.set(column, rewrite)
  }
  const columns = [...rewrites.keys()]
  return {
    empty: false,
    // By prefix, because a quoted column name may hold a dot: too many is safe, too few is not.
    touches: (relation) => columns.some((column) => column.startsWith(`${relation}.`)),
    column: (name) => rewrites.get(name),
  }
}

function columnOf(rule: MaskRule): string {
  if (typeof rule.column === 'string' && rule.column !== '') return rule.column
  throw impossible(rule, 'masks something other than a column')
}

function stronger(a: Rewrite, b: Rewrite): boolean {
  return strength.indexOf(a.method) < strength.indexOf(b.method)
}

function rewriteOf(rule: MaskRule, column: string, key: Secret | undefined): Rewrite {
  const value = constantOf(rule)
  return {
    method: rule.method,
    rule: rule.rule,
    ...(value !== undefined && { value }),
    ...writer(rule, column, key),
  }
}

/** `args.value`, for columns of a type that cannot hold a text. */
function constantOf(rule: MaskRule): string | undefined {
  const value = rule.args?.['value']
  if (value === undefined) return undefined
  const known = ['string', 'number', 'boolean'].includes(typeof value)
  if (known && String(value).length <= argumentCharsMax) return String(value)
  throw impossible(
    rule,
    `needs args.value of at most ${argumentCharsMax} characters, a number, true or false`,
  )
}

type Writer = Pick<Rewrite, 'text' | 'ascii'>

function writer(rule: MaskRule, column: string, key: Secret | undefined): Writer {
  switch (rule.method) {
    case 'null':
      return { text: () => null }
    case 'redact': {
      const text = textOf(rule)
      return { text: () => text }
    }
    case 'partial':
      return partial(keeping(rule))
    case 'hash':
      return keyed(rule, key, 'h_', 'hash')
    case 'tokenize':
      // Bound to the column, so that equal values of two columns cannot be joined through their tokens.
      return keyed(rule, key, 'tok_', `tokenize\0${column}`)
    default:
      throw impossible(rule, 'names a method this gate does not know')
  }
}

function textOf(rule: MaskRule): string {
  const text = rule.args?.['text'] ?? redacted
  if (typeof text === 'string' && text.length <= argumentCharsMax) return text
  throw impossible(rule, `needs args.text of at most ${argumentCharsMax} characters`)
}

function keyed(rule: MaskRule, key: Secret | undefined, prefix: string, domain: string): Writer {
  if (key === undefined) throw impossible(rule, `needs a mask key to ${rule.method}`)
  return {
    text(cell) {
      const digest = createHmac('sha256', key.reveal()).update(`${domain}\0`).update(cell)
      return prefix + digest.digest('base64url').slice(0, 22)
    },
  }
}

function keeping(rule: MaskRule): Keeping {
  if (Object.keys(rule.args ?? {}).every((name) => name === 'value')) return anAddress
  return {
    first: countOf(rule, 'keep_first'),
    last: countOf(rule, 'keep_last'),
    domain: rule.args?.['keep_domain'] === true,
  }
}

function countOf(rule: MaskRule, name: string): number {
  const count = rule.args?.[name] ?? 0
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0) {
    if (count <= argumentCharsMax) return count
  }
  throw impossible(rule, `needs args.${name} between 0 and ${argumentCharsMax}`)
}

function impossible(rule: MaskRule, why: string): Refusal {
  return new Refusal('unsupported_obligation', `the mask of policy ${rule.rule} ${why}`, {
    rule: rule.rule,
  })
}

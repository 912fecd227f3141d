import type { KeyObject } from 'node:crypto'
import { type Algorithm, algorithmOf, fingerprint, publicKey } from './keys.ts'

/** The published demo key (bundles/demo): anybody can sign with it. */
export const demoFingerprint = 'dc971e1a53a656e10d51275e7201183ee10f05045ccd314b7056293007f4b275'

/** What a gate's owner says about the bundles it accepts. */
export type TrustOptions = {
  readonly keys: readonly TrustedKeyOptions[]
  /** The `scope` claim a signature must carry. */
  readonly scope?: string
  /** How many of the keys must have signed: one unless given. */
  readonly signaturesMin?: number
  /** Claims every bundle must carry; without this a bundle may leave them out. */
  readonly required?: readonly RequiredClaim[]
  /** Accept the demo key, whose private half is published. */
  readonly demo?: boolean
}

export type TrustedKeyOptions = {
  readonly id: string
  /** Decides how a signature is checked, whatever its header says; without it the key's natural one. */
  readonly algorithm?: string
  readonly pem: string
}

export type RequiredClaim = 'sequence' | 'expiry'

/** Keys read and checked: only `trustSet` makes one. */
export type Trust = {
  readonly keys: readonly TrustedKey[]
  readonly scope: string | undefined
  readonly signaturesMin: number
  readonly required: readonly RequiredClaim[]
}

export type TrustedKey = {
  readonly id: string
  readonly algorithm: Algorithm
  readonly fingerprint: string
  readonly key: KeyObject
}

/** Reads the keys. Throws one Error that lists every problem; a set without keys is a problem. */
export function trustSet(options: TrustOptions): Trust {
  const problems: string[] = []
  const keys = options.keys.flatMap((given) => {
    try {
      return [trustedKey(given, options.demo ?? false)]
    } catch (error) {
      problems.push(`key ${given.id}: ${error instanceof Error ? error.message : 'unreadable'}`)
      return []
    }
  })
  if (options.keys.length === 0) problems.push('no key is trusted: name at least one public key')
  problems.push(...doubled(keys.map(({ id }) => id)).map((id) => `two keys have the id ${id}`))
  const twice = doubled(keys.map((key) => key.fingerprint))
  problems.push(...twice.map((print) => `the key with fingerprint ${print} is listed twice`))
  const { signaturesMin = 1 } = options
  if (!Number.isInteger(signaturesMin) || signaturesMin < 1)
    problems.push('the least number of signatures is a whole number from 1')
  if (options.keys.length > 0 && signaturesMin > options.keys.length)
    problems.push(`${signaturesMin} keys must sign, and only ${options.keys.length} are trusted`)
  if (problems.length > 0) throw new Error(problems.join('; '))
  return { keys, scope: options.scope, signaturesMin, required: options.required ?? [] }
}

function trustedKey(given: TrustedKeyOptions, demo: boolean): TrustedKey {
  const key = publicKey(given.pem)
  const print = fingerprint(key)
  if (print === demoFingerprint && !demo)
    throw new Error(
      'it is the demo key, whose private half is published: anybody could write your policy. ' +
        'Make your own (openssl ecparam -name prime256v1 -genkey -noout -out key.pem)',
    )
  return { id: given.id, algorithm: algorithmOf(key, given.algorithm), fingerprint: print, key }
}

function doubled(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text, at) => texts.indexOf(text) !== at))]
}

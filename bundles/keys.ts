/** Keys that sign and check bundles: what algorithm fits which, and how a key is recognised. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** The algorithms a bundle may be signed with. HMAC is none: who can check it could forge it. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const

export type Algorithm = (typeof algorithms)[number]

const curves: Readonly<Record<string, Algorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
const rsaBitsMin = 2_048

/** Whether a name from a setting is one of the algorithms. */
export function isAlgorithm(name: string): name is Algorithm {
  return algorithms.some((algorithm) => algorithm === name)
}

/** The private key of a PEM text. Throws an Error that never shows the text. */
export function privateKey(pem: string): KeyObject {
  const key = parsed(() => createPrivateKey(pem))
  if (key === undefined)
    throw new Error('the signing key is not an unencrypted private key in PEM form')
  return key
}

/** The public key of a PEM text. A private key or a certificate is refused, with what to do instead. */
export function publicKey(pem: string): KeyObject {
  if (pem.includes('PRIVATE KEY'))
    throw new Error('it is a private key: give the public one (openssl pkey -in key.pem -pubout)')
  if (pem.includes('CERTIFICATE'))
    throw new Error(
      'it is a certificate, whose dates nobody would check: give its key (openssl x509 -noout -pubkey)',
    )
  const key = parsed(() => createPublicKey(pem))
  if (key === undefined) throw new Error('it is not a public key in PEM form')
  return key
}

/** The algorithm to use with a key: the one asked for when it fits, else the key's natural one. Throws when none does. */
export function algorithmOf(key: KeyObject, asked?: string): Algorithm {
  const natural = naturalAlgorithm(key)
  if (asked === undefined) return natural
  if (!isAlgorithm(asked))
    throw new Error(`the algorithm ${asked} is not accepted: use one of ${algorithms.join(', ')}`)
  const fits = natural === 'RS256' ? /^[RP]S/.test(asked) : asked === natural
  if (!fits) throw new Error(`the algorithm ${asked} does not fit the key, whose own is ${natural}`)
  return asked
}

/** SHA-256 of the public part (SubjectPublicKeyInfo, DER), lower-case hex. */
export function fingerprint(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256')
    .update(open.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

function naturalAlgorithm(key: KeyObject): Algorithm {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    if ((modulusLength ?? 0) < rsaBitsMin)
      throw new Error(`the RSA key has ${modulusLength} bits; ${rsaBitsMin} is the least`)
    return 'RS256'
  }
  const algorithm = key.asymmetricKeyType === 'ec' ? curves[namedCurve ?? ''] : undefined
  if (algorithm === undefined)
    throw new Error('the key must be RSA or an elliptic curve key on P-256, P-384 or P-521')
  return algorithm
}

function parsed(read: () => KeyObject): KeyObject | undefined {
  try {
    return read()
  } catch {
    // The library's error could quote the key.
    return undefined
  }
}

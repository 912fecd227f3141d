/** Public keys as policies carry them: a PEM certificate, a PEM public key, a JWK or a set of them. */
import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isObject, type Value } from '../value.ts'
import { json } from './encoding.ts'

export type VerificationKey = {
  /** Undefined for a key that can verify nothing, such as a private or a symmetric one. */
  readonly key: KeyObject | undefined
  readonly alg: string
  readonly kid: string
}

const algorithms: ReadonlySet<string> = new Set(
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 HS256 HS384 HS512 EdDSA'.split(' '),
)

/** Algorithms of keys that may stand in a set and verify nothing (RFC 7518 section 4.1). */
const others = /^(?:RSA1_5|RSA-OAEP(?:-\d+)?|ECDH-ES(?:\+A\d+KW)?|A\d+(?:GCM)?KW|dir)$/

/** The keys of a text. Throws on anything else, and on data after a PEM block. */
export function verificationKeys(text: string): readonly VerificationKey[] {
  const pem = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----\n?([\s\S]*)/.exec(text)
  if (pem === null) return keysOf(json(text))
  const [, kind, after] = pem
  if (after !== '') throw new Error('data follows the PEM block')
  if (kind === 'CERTIFICATE')
    return [{ key: new X509Certificate(text).publicKey, alg: '', kid: '' }]
  if (kind === 'PUBLIC KEY') return [{ key: createPublicKey(text), alg: '', kid: '' }]
  throw new Error('the PEM block holds no public key')
}

function keysOf(value: Value): readonly VerificationKey[] {
  if (!isObject(value)) throw new Error('neither a JWK nor a set of them')
  const list = Object.hasOwn(value, 'keys') ? value['keys'] : [value]
  if (!Array.isArray(list)) throw new Error('keys is not a list')
  return (list as readonly Value[])
    .map(keyOf)
    .filter(({ alg }) => alg === '' || algorithms.has(alg))
}

function keyOf(value: Value): VerificationKey {
  if (!isObject(value)) throw new Error('not a JWK')
  const { alg = '', kid = '', kty, d } = value
  if (typeof alg !== 'string' || typeof kid !== 'string') throw new Error('not a JWK')
  if (alg !== '' && !algorithms.has(alg) && !others.test(alg)) throw new Error('unknown algorithm')
  if (kty === 'oct' || d !== undefined) return { key: undefined, alg, kid }
  return { key: createPublicKey({ key: value as JsonWebKey, format: 'jwk' }), alg, kid }
}

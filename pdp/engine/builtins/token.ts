/** Signed tokens (RFC 7519) taken apart, and whether a key signed them. */
import { isObject, type Value } from '../value.ts'
import { json } from './encoding.ts'
import type { VerificationKey } from './keys.ts'
import { string } from './operands.ts'
import { verified } from './signature.ts'

type Json = { readonly [key: string]: Value }

/** A signed token in its parts; `signed` is what the signature is of. */
export type Token = {
  readonly header: Json
  readonly payload: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
}

/** Takes a token apart. Throws on anything that is none, encrypted ones included. */
export function tokenOf(text: string): Token {
  const [header = ''] = text.split('.')
  const head = jsonObject(bytesOf(header))
  if (head['enc'] !== undefined) throw new Error('encrypted tokens are not supported')
  return { header: head, ...sealed(text) }
}

/** A token whose header is not looked at. Throws on what has not three parts in base64url. */
export function sealed(text: string): Omit<Token, 'header'> {
  const parts = text.split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3) throw new Error('not a JWT')
  const signed = Buffer.from(`${header}.${payload}`)
  return { payload: bytesOf(payload), signature: bytesOf(signature), signed }
}

/** A JSON object. Throws on anything else. */
export function jsonObject(bytes: Buffer): Json {
  const value = json(bytes.toString())
  if (!isObject(value)) throw new Error('a part of the JWT is not an object')
  return value
}

/** Whether one of the keys signed a token: the one its `kid` names, else any that is for this algorithm. */
export function verifies(alg: string, token: Token, keys: readonly VerificationKey[]): boolean {
  const { header, signed, signature } = token
  const named = string(header['alg'] ?? '')
  const kid = string(header['kid'] ?? '')
  const exact = kid === '' ? undefined : keys.find((key) => key.kid === kid)
  if (exact !== undefined) return verified(alg, exact.key, signed, signature)
  return keys.some(
    (key) => (key.alg === '' || key.alg === named) && verified(alg, key.key, signed, signature),
  )
}

function bytesOf(text: string): Buffer {
  if (!/^[\w-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1)
    throw new Error('a part of the JWT is not base64url')
  return Buffer.from(text, 'base64url')
}

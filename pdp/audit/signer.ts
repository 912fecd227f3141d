import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Refusal } from '../refusal.ts'
import { hashOf, lineOf, type Place } from './line.ts'

/** Signs lines of the log. */
export type Signer = {
  readonly keyId: string
  readonly publicKey: KeyObject
  /** The public key, SPKI in PEM: all that verifying needs. */
  readonly pem: string
  /** The whole line: the entry, the key's id and an Ed25519 signature over all the bytes before it. */
  line(place: Place, fields: { readonly kind: string; readonly [field: string]: unknown }): string
}

const signatureForm = /,"signature":"([A-Za-z0-9+/]{86}==)"\}$/
const signatureBytes = ',"signature":"'.length + 88 + '"}'.length

/** Reads the private key; where `create` is set and there is none, makes one that only its owner may read. Throws Refusal. */
export function openSigner(file: string, create: boolean): Signer {
  if (create && !existsSync(file)) writeFileSync(file, newKey(), { mode: 0o600, flag: 'wx' })
  const key = privateKey(file)
  const publicKey = createPublicKey(key)
  const keyId = keyIdOf(publicKey)
  function line(place: Place, fields: { readonly kind: string }): string {
    const whole = lineOf(place, JSON.stringify({ ...fields, key_id: keyId }))
    const text = whole.slice(0, -1)
    const signature = sign(undefined, Buffer.from(text), key).toString('base64')
    return `${text},"signature":"${signature}"}`
  }
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { keyId, publicKey, pem, line }
}

/** Whether this key signed all the bytes of the line that stand before its signature. */
export function isSigned(line: Buffer, publicKey: KeyObject): boolean {
  const tail = line.toString('latin1', Math.max(0, line.length - signatureBytes))
  const [, signature] = signatureForm.exec(tail) ?? []
  if (signature === undefined) return false
  const text = line.subarray(0, line.length - signatureBytes)
  return verify(undefined, text, publicKey, Buffer.from(signature, 'base64'))
}

/** The name of a public key: the first 16 hex digits of the SHA-256 of its SPKI. */
export function keyIdOf(publicKey: KeyObject): string {
  return hashOf(publicKey.export({ type: 'spki', format: 'der' })).slice(0, 16)
}

/** Reads an Ed25519 public key in PEM. Throws Refusal. */
export function publicKeyOf(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Said below, without the text of the key.
  }
  throw new Refusal('audit_unavailable', 'the public key is not an Ed25519 key in PEM')
}

function newKey(): string {
  return generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

function privateKey(file: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(readFileSync(file))
  } catch {
    // Said below, without the text of the key.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new Refusal('audit_unavailable', `${file} holds no Ed25519 private key in PEM`)
}

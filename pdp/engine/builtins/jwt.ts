import { isObject, type Value } from '../value.ts'
import { json } from './encoding.ts'
import { type Builtins, pure, string } from './operands.ts'

const nestingMax = 4

/** `io.jwt.decode`: reads without verifying. What verifies is the gate's, not the policy's. */
export const jwt: Builtins = { 'io.jwt.decode': pure((token) => decode(string(token), nestingMax)) }

function decode(token: string, nesting: number): Value {
  const parts = token.split('.')
  if (parts.length !== 3 || nesting === 0) throw new Error('not a JWT')
  const [header, payload, signature] = parts.map(bytesOf)
  const head = jsonObject(header)
  if (head['cty'] === 'JWT') return decode(trimmed(payload), nesting - 1)
  return [head, jsonObject(payload), signature?.toString('hex') ?? '']
}

function jsonObject(bytes: Buffer | undefined): { readonly [key: string]: Value } {
  const value = json(bytes?.toString() ?? '')
  if (!isObject(value)) throw new Error('a part of the JWT is not an object')
  return value
}

function trimmed(bytes: Buffer | undefined): string {
  return (bytes?.toString() ?? '').replace(/^["']+|["']+$/g, '')
}

function bytesOf(text: string): Buffer {
  if (!/^[\w-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1)
    throw new Error('a part of the JWT is not base64url')
  return Buffer.from(text, 'base64url')
}

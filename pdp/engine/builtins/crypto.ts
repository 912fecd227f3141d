import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { type Builtins, pure, string } from './operands.ts'

/** `crypto.*` digests and `hex.*`. Keys and certificates are not policy's business. */
export const crypto: Builtins = {
  'crypto.md5': pure((text) => hash('md5', string(text))),
  'crypto.sha1': pure((text) => hash('sha1', string(text))),
  'crypto.sha256': pure((text) => hash('sha256', string(text))),
  'crypto.hmac.md5': pure((text, key) => hmac('md5', string(text), string(key))),
  'crypto.hmac.sha1': pure((text, key) => hmac('sha1', string(text), string(key))),
  'crypto.hmac.sha256': pure((text, key) => hmac('sha256', string(text), string(key))),
  'crypto.hmac.sha512': pure((text, key) => hmac('sha512', string(text), string(key))),
  'crypto.hmac.equal': pure((a, b) => {
    const [left, right] = [Buffer.from(string(a)), Buffer.from(string(b))]
    return left.length === right.length && timingSafeEqual(left, right)
  }),
  'hex.encode': pure((text) => Buffer.from(string(text)).toString('hex')),
  'hex.decode': pure((text) => {
    const digits = string(text)
    if (!/^(?:[\da-fA-F]{2})*$/.test(digits)) throw new Error('not hexadecimal')
    return Buffer.from(digits, 'hex').toString('utf8')
  }),
  'base64url.encode_no_pad': pure((text) => Buffer.from(string(text)).toString('base64url')),
}

function hmac(algorithm: string, text: string, key: string): string {
  return createHmac(algorithm, key).update(text).digest('hex')
}

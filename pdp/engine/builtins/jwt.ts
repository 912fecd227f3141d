import type { Value } from '../value.ts'
import { decodeVerify } from './decode-verify.ts'
import { verificationKeys } from './keys.ts'
import { type Builtin, type Builtins, pure, string } from './operands.ts'
import { authentic } from './signature.ts'
import { jsonObject, sealed, tokenOf, verifies } from './token.ts'

const nestingMax = 4
const secret = ['HS256', 'HS384', 'HS512']
const signing = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ')

/** `io.jwt.*` but signing, which needs a private key and mostly randomness. */
export const jwt: Builtins = {
  'io.jwt.decode': pure((token) => decode(string(token), nestingMax)),
  // Without a time among its constraints it asks the clock.
  'io.jwt.decode_verify': { nondeterministic: true, call: decodeVerify },
  ...each(secret, (alg) =>
    pure((token, key) => {
      const { signed, signature } = sealed(string(token))
      return authentic(alg, string(key), signed, signature)
    }),
  ),
  ...each(signing, (alg) =>
    pure((token, keys) => {
      const trusted = verificationKeys(string(keys))
      return verifies(alg, tokenOf(string(token)), trusted)
    }),
  ),
}

function decode(text: string, nesting: number): Value {
  if (nesting === 0) throw new Error('too many tokens within tokens')
  const { header, payload, signature } = tokenOf(text)
  if (header['cty'] !== undefined && string(header['cty']) === 'JWT')
    return decode(payload.toString().replace(/^["']+|["']+$/g, ''), nesting - 1)
  return [header, jsonObject(payload), signature.toString('hex')]
}

function each(algs: readonly string[], make: (alg: string) => Builtin): Builtins {
  return Object.fromEntries(algs.map((alg) => [`io.jwt.verify_${alg.toLowerCase()}`, make(alg)]))
}

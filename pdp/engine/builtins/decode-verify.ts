/** `io.jwt.decode_verify`: signature, issuer, audience and times of a token at once. */
import { isArray, type Value } from '../value.ts'
import { type VerificationKey, verificationKeys } from './keys.ts'
import { type Moment, object, string } from './operands.ts'
import { authentic } from './signature.ts'
import { jsonObject, type Token, tokenOf, verifies } from './token.ts'

const nestingMax = 4
const refused: Value = [false, {}, {}]

type Constraints = {
  readonly keys: readonly VerificationKey[] | undefined
  readonly secret: string
  readonly alg: string
  readonly iss: string
  readonly aud: string
  /** Seconds since the epoch. */
  readonly time: number
}

/** Whether a token may be trusted, with its header and payload where it may. Throws on what is no token. */
export function decodeVerify([text, rules]: readonly Value[], moment: Moment): Value {
  const constraints = constraintsOf(rules, moment)
  let token = tokenOf(string(text))
  for (let nesting = 0; nesting < nestingMax; nesting++) {
    if (!trusted(token, constraints)) return refused
    const { cty } = token.header
    if (cty === undefined || string(cty).toUpperCase() !== 'JWT') {
      const payload = jsonObject(token.payload)
      return holds(payload, constraints) ? [true, token.header, payload] : refused
    }
    token = tokenOf(token.payload.toString())
  }
  throw new Error('too many tokens within tokens')
}

function constraintsOf(value: Value | undefined, { nowNs }: Moment): Constraints {
  const { cert, secret = '', alg = '', iss = '', aud = '', time, ...others } = object(value)
  if (Object.keys(others).length > 0) throw new Error('unknown constraint')
  const keys = cert === undefined ? undefined : verificationKeys(string(cert))
  if ((keys === undefined) === (secret === '')) throw new Error('needs either cert or secret')
  const ns = time === undefined ? nowNs : time
  if ((typeof ns !== 'number' && typeof ns !== 'bigint') || ns < 0) throw new Error('invalid time')
  const texts = { secret: string(secret), alg: string(alg), iss: string(iss), aud: string(aud) }
  return { keys, ...texts, time: Number(ns) / 1e9 }
}

function trusted(token: Token, { keys, secret, alg: wanted }: Constraints): boolean {
  const { header, signed, signature } = token
  const [alg] = ['alg', 'kid', 'typ', 'cty'].map((name) => string(header[name] ?? ''))
  if (alg === undefined || alg === '' || !understood(header)) return false
  if (wanted !== '' && wanted !== alg) return false
  return keys === undefined ? authentic(alg, secret, signed, signature) : verifies(alg, token, keys)
}

/** RFC 7515 section 4.1.11: what must be understood and is not makes the token invalid. */
function understood(header: Token['header']): boolean {
  const { crit } = header
  if (crit === undefined) return true
  if (!isArray(crit) || crit.length === 0) throw new Error('crit must be a list of names')
  const known = new Set(['alg', 'kid', 'typ', 'cty', 'crit'])
  return !crit.some(
    (name) => typeof name === 'string' && Object.hasOwn(header, name) && !known.has(name),
  )
}

function holds(payload: Token['header'], { iss, aud, time }: Constraints): boolean {
  const { iss: issuer, aud: audience, exp, nbf } = payload
  if (iss !== '' && (issuer === undefined || string(issuer) !== iss)) return false
  if (audience === undefined ? aud !== '' : !named(audience, aud)) return false
  if (exp !== undefined && time >= seconds(exp)) return false
  return nbf === undefined || time >= seconds(nbf)
}

function named(audience: Value, aud: string): boolean {
  return isArray(audience) ? audience.includes(aud) : audience === aud
}

function seconds(value: Value): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  throw new Error('a time of the token is not a number')
}

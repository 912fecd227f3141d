import { errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import { type HttpOptions, keysFromFile, keysFromIssuer } from './issuer.ts'
import type { Identified, Identity } from './parts.ts'
import { Refusal } from './refusal.ts'
import { type ClaimNames, subjectOf } from './subject.ts'

export type IdentityParts = {
  readonly issuer: string
  /** What the token must be meant for: never the client's choice. */
  readonly audience: string
  /** Asymmetric algorithms by their JOSE names. */
  readonly algorithms: readonly string[]
  /** A JWKS file; the issuer's discovery document where there is none. */
  readonly jwksFile?: string
  readonly claims?: ClaimNames
  /** The `typ` a token must have, e.g. `at+jwt`. */
  readonly typ?: string
  /** How wrong clocks may be, in seconds: 30 unless given, 300 at most. */
  readonly clockSkewS?: number
  readonly http?: HttpOptions
  readonly now?: () => number
}

/** Algorithms whose key cannot be used to forge (RFC 7518, RFC 8037, RFC 9864). */
export const asymmetricAlgorithms: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

/** Three parts are a signed token (RFC 7515 section 3.1); five would be an encrypted one, which nobody needs here. */
const signedForm = /^[\w-]+\.[\w-]+\.[\w-]+$/
const tokenBytesMax = 16 * 1024
const skewS = 30
const skewSMax = 300

/** Verifies OpenID Connect tokens of one issuer. Throws on parts that would accept too much. */
export function identity(parts: IdentityParts): Identity {
  const { issuer, jwksFile, claims = {}, clockSkewS = skewS, now = Date.now } = parts
  check(parts, clockSkewS)
  const http = { now, ...parts.http }
  const keys = jwksFile === undefined ? keysFromIssuer(issuer, http) : keysFromFile(jwksFile)
  const rules: JWTVerifyOptions = {
    issuer,
    audience: parts.audience,
    algorithms: [...parts.algorithms],
    clockTolerance: clockSkewS,
    requiredClaims: ['exp'],
    ...(parts.typ === undefined ? {} : { typ: parts.typ }),
  }

  return {
    async identify(token): Promise<Identified> {
      mustBeSigned(token)
      const { payload } = await jwtVerify(token, keys, {
        ...rules,
        currentDate: new Date(now()),
      }).catch((error) => {
        throw refusalFor(error)
      })
      // The skew counts at the end too: a token that is let in is not thrown out at once.
      const expiresMs = ((payload.exp ?? 0) + clockSkewS) * 1000
      return { subject: subjectOf(payload, claims), expiresMs }
    },
  }
}

function check({ issuer, audience, algorithms }: IdentityParts, clockSkewS: number): void {
  if (issuer === '') throw new Error('identity needs an issuer')
  if (audience === '') throw new Error('identity needs an audience')
  if (algorithms.length === 0) throw new Error('identity needs at least one algorithm')
  for (const name of algorithms)
    if (!asymmetricAlgorithms.includes(name))
      throw new Error(`identity cannot use algorithm ${name}: ${asymmetricAlgorithms.join(', ')}`)
  if (!(clockSkewS >= 0 && clockSkewS <= skewSMax))
    throw new Error(`identity needs a clock skew between 0 and ${skewSMax} seconds`)
}

function mustBeSigned(token: string): void {
  if (token === '') throw new Refusal('token_missing')
  if (Buffer.byteLength(token) > tokenBytesMax)
    throw new Refusal('token_invalid', `the token is larger than ${tokenBytesMax} bytes`)
  if (!signedForm.test(token)) throw new Refusal('token_invalid', 'the token is not a signed JWT')
}

/** Says which check failed, never what the token holds. */
function refusalFor(error: unknown): unknown {
  if (error instanceof Refusal) return error
  if (error instanceof errors.JWTExpired) return new Refusal('token_expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new Refusal('token_invalid', `the token was not accepted: ${claimProblem(error)}`)
  if (error instanceof errors.JWKSNoMatchingKey)
    return new Refusal(
      'token_invalid',
      'the token is signed with a key that the issuer does not have',
    )
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new Refusal('token_invalid', 'the signature of the token is wrong')
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new Refusal(
      'token_invalid',
      'the token is signed with an algorithm that is not accepted',
    )
  if (error instanceof errors.JWKSTimeout) return new Refusal('issuer_unavailable')
  if (error instanceof errors.JOSEError) return new Refusal('token_invalid')
  return error
}

function claimProblem({ claim, reason }: errors.JWTClaimValidationFailed): string {
  return reason === 'missing' ? `it has no ${claim}` : `its ${claim} is not the one expected`
}

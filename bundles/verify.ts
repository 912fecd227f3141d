import type { PolicyBundle } from '../pdp/parts.ts'
import { readArchive } from './archive.ts'
import { sha256 } from './digest.ts'
import type { Claims } from './envelope.ts'
import { entrypoint, readContent } from './manifest.ts'
import { checkSignature } from './signature.ts'
import { when } from './time.ts'
import type { RequiredClaim, Trust } from './trust.ts'

/** How far a signer's clock may be ahead of ours. */
export const skewMsMax = 5 * 60 * 1000

/** Who the bundle is and what time it is. */
export type Verifying = { readonly name: string; readonly nowMs?: number }

/**
 * Turns bytes into a bundle that may be evaluated: signed as a whole by a trusted key, in date, for this scope, complete.
 * Throws an Error that names what failed and what to do. Whether it is older than the running one is the store's question.
 */
export async function verifyBundle(
  bytes: Buffer,
  trust: Trust,
  { name, nowMs = Date.now() }: Verifying,
): Promise<PolicyBundle> {
  const files = await readArchive(bytes)
  const { claims } = await checkSignature(files, trust)
  checkScope(claims, trust)
  checkTimes(claims, nowMs)
  checkRequired(claims, trust.required)
  const { manifest, wasm, data } = readContent(files)
  const { exp, postern_sequence: sequence } = claims
  return {
    name,
    revision: manifest.revision,
    digest: sha256(bytes),
    ...(sequence === undefined ? {} : { sequence }),
    ...(exp === undefined ? {} : { expiresMs: exp * 1000 }),
    entrypoint,
    wasm,
    data,
  }
}

function checkScope({ scope }: Claims, trust: Trust): void {
  if (trust.scope === undefined || scope === trust.scope) return
  throw new Error(
    `the signature is for the scope ${JSON.stringify(scope ?? '')}, this gate takes ${JSON.stringify(trust.scope)}`,
  )
}

function checkTimes({ iat, nbf, exp }: Claims, nowMs: number): void {
  const latest = nowMs + skewMsMax
  if (iat !== undefined && iat * 1000 > latest)
    throw new Error(`the bundle was signed in the future (${when(iat)}): check both clocks`)
  if (nbf !== undefined && nbf * 1000 > latest)
    throw new Error(`the bundle is not valid before ${when(nbf)}`)
  if (exp !== undefined && exp * 1000 <= nowMs)
    throw new Error(`the bundle expired at ${when(exp)}: sign it again (postern bundle sign)`)
}

function checkRequired(claims: Claims, required: readonly RequiredClaim[]): void {
  if (required.includes('sequence') && claims.postern_sequence === undefined)
    throw new Error('the signature has no postern_sequence, which this gate requires')
  if (required.includes('expiry') && claims.exp === undefined)
    throw new Error('the signature has no exp, which this gate requires')
}

import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import { watched } from './file.ts'
import { Refusal } from './refusal.ts'

export type HttpOptions = {
  /** How requests are made, for a proxy or a private CA; the global fetch unless given. */
  readonly fetch?: typeof fetch
  readonly timeoutMs?: number
  /** How long after a failure or a refresh no new request is made. */
  readonly cooldownMs?: number
  readonly now?: () => number
}

const documentBytesMax = 1024 * 1024
const timeoutMs = 5000
const cooldownMs = 30_000
/** How long a discovery document is used. */
const discoveredMs = 60 * 60 * 1000

/** Keys from a JWKS file, read again when it changes. Throws Refusal `issuer_unavailable`. */
export function keysFromFile(path: string): JWTVerifyGetKey {
  const read = watched(path, documentBytesMax, (text) =>
    createLocalJWKSet(JSON.parse(text) as JSONWebKeySet),
  )
  return async (header, token) => {
    const keys = await read().catch((error) => {
      throw unavailable(error)
    })
    return keys(header, token)
  }
}

/** Keys found through the issuer's discovery document (OpenID Connect Discovery 1.0 section 4), refreshed and cached. */
export function keysFromIssuer(issuer: string, http: HttpOptions = {}): JWTVerifyGetKey {
  const { now = Date.now } = http
  const address = discoveryOf(issuer)
  let known:
    | { readonly keys: JWTVerifyGetKey; readonly uri: string; readonly atMs: number }
    | undefined
  let failure: { readonly refusal: Refusal; readonly atMs: number } | undefined
  let asking: Promise<JWTVerifyGetKey> | undefined

  async function discover(): Promise<JWTVerifyGetKey> {
    try {
      const uri = jwksUriIn(await document(address, http), issuer)
      const keys = known?.uri === uri ? known.keys : remoteKeys(uri, http)
      known = { keys, uri, atMs: now() }
      failure = undefined
      return keys
    } catch (error) {
      failure = { refusal: unavailable(error), atMs: now() }
      throw failure.refusal
    }
  }

  async function current(): Promise<JWTVerifyGetKey> {
    if (known !== undefined && now() - known.atMs < discoveredMs) return known.keys
    if (failure !== undefined && now() - failure.atMs < (http.cooldownMs ?? cooldownMs))
      throw failure.refusal
    asking ??= discover().finally(() => {
      asking = undefined
    })
    return asking
  }

  return async (header, token) => (await current())(header, token)
}

function remoteKeys(uri: string, http: HttpOptions): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(uri), {
    timeoutDuration: http.timeoutMs ?? timeoutMs,
    cooldownDuration: http.cooldownMs ?? cooldownMs,
    [customFetch]: async (url, options) => {
      try {
        const text = await bounded(await (http.fetch ?? fetch)(url, options))
        createLocalJWKSet(JSON.parse(text) as JSONWebKeySet)
        return new Response(text)
      } catch (error) {
        throw unavailable(error)
      }
    },
  })
}

/** The discovery address. Throws for an issuer that is neither https nor on loopback. */
function discoveryOf(issuer: string): string {
  const url = safe(issuer)
  if (url.search !== '' || url.hash !== '')
    throw new Error(`issuer ${issuer} has a query or fragment`)
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

function jwksUriIn(found: unknown, issuer: string): string {
  const { issuer: named, jwks_uri: uri } = (found ?? {}) as Record<string, unknown>
  if (named !== issuer) throw untrusted('the discovery document names another issuer')
  if (typeof uri !== 'string') throw untrusted('the discovery document names no jwks_uri')
  return safe(uri).href
}

function safe(address: string): URL {
  const url = new URL(address)
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) return url
  throw new Error(`${address} is neither https nor on loopback`)
}

async function document(address: string, http: HttpOptions): Promise<unknown> {
  const signal = AbortSignal.timeout(http.timeoutMs ?? timeoutMs)
  const headers = { accept: 'application/json' }
  const answer = await (http.fetch ?? fetch)(address, { signal, headers, redirect: 'error' })
  return JSON.parse(await bounded(answer))
}

async function bounded(answer: Response): Promise<string> {
  if (answer.status !== 200) throw untrusted(`it answered ${answer.status}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body ?? []) {
    length += chunk.length
    if (length > documentBytesMax) throw untrusted('it answered too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Says what this file found wrong; of what others throw, only the kind. */
function unavailable(cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause
  const why = cause instanceof SyntaxError ? 'are not JSON' : 'cannot be read'
  const refusal = new Refusal('issuer_unavailable', `the keys of the token issuer ${why}`)
  refusal.cause = cause
  return refusal
}

function untrusted(why: string): Refusal {
  return new Refusal('issuer_unavailable', `the token issuer cannot be used: ${why}`)
}

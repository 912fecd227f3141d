/** What every HTTP client of bundles has in common. */
import { Agent } from 'undici'
import { Refusal } from '../pdp/refusal.ts'
import type { Authorize } from './authorization.ts'

/** How a server is reached and how we show who we are. */
export type Reach = {
  readonly url: string
  readonly authorize?: Authorize | undefined
  /** Certificate authority of the server, PEM; the system's own unless given. */
  readonly ca?: string | undefined
  /** Our own certificate and its key, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Sent with every question. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For connecting, for the answer's head, and for each silence in its body, in milliseconds. */
  readonly timeoutMs?: number
  /** Accept http:// beyond loopback: signatures still hold, but who listens reads the policy. */
  readonly plain?: boolean
}

export const timeoutMsDefault = 10_000

/** Connections to one server. */
export function agentOf({ ca, tls, timeoutMs = timeoutMsDefault }: Reach): Agent {
  return new Agent({
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }), ...tls },
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 4_000,
  })
}

/** The address, checked. Throws an Error that says what is wrong with it. */
export function addressOf({ url: text, plain = false }: Reach): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error('the bundle address is not an http:// or https:// URL')
  if (url.username !== '' || url.password !== '')
    throw new Error('the bundle address holds a password: use the authorization setting')
  if (url.protocol === 'http:' && !plain && !loopback(url.hostname))
    throw new Error(`the bundle address ${url.origin} is not encrypted: use https://`)
  return url
}

/** Why a server could not be asked: the code of an error, never its text, for a library's text may quote headers. */
export function reason(error: unknown): string {
  if (error instanceof Refusal) return error.message
  const deepest = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(deepest instanceof Error)) return 'unknown'
  return 'code' in deepest ? String(deepest.code) : deepest.name
}

function loopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

import type { Request, RequestHandler } from 'express'
import { Refusal } from '../refusal.ts'

const loopback = ['localhost', '127.0.0.1', '[::1]']

/**
 * Refuses a request whose Host or Origin is not one of `names` or loopback: a page that rebinds its own name
 * to our address does not reach us (OWASP: DNS rebinding).
 */
export function namedHosts(names: readonly string[]): RequestHandler {
  const known = new Set([...loopback, ...names.map(urlName)])
  return (request, _response, next) => {
    const origin = request.headers.origin
    const asked = [request.headers.host, ...(origin === undefined ? [] : [hostOf(origin)])]
    if (asked.every((host) => host !== undefined && known.has(nameOf(host)))) return next()
    throw new Refusal('wrong_host', undefined, { remedy: 'use a name listed in server.hosts' })
  }
}

/** Tells browsers to do as little as possible with what we say; HSTS only where TLS is ours. */
export function quietHeaders(tls: boolean): RequestHandler {
  const headers = new Map([
    ['Cache-Control', 'no-store'],
    ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Resource-Policy', 'same-origin'],
    ['Referrer-Policy', 'no-referrer'],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'DENY'],
    ...(tls ? [['Strict-Transport-Security', 'max-age=31536000'] as const] : []),
  ])
  return (_request, response, next) => {
    response.setHeaders(headers)
    next()
  }
}

/** Whether the request comes from this machine itself, not through a proxy on it. */
export function near(request: Request): boolean {
  const proxied = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']
  if (proxied.some((name) => request.headers[name] !== undefined)) return false
  const peer = request.socket.remoteAddress ?? ''
  return peer === '::1' || peer.startsWith('127.') || peer.startsWith('::ffff:127.')
}

function urlName(name: string): string {
  return name.includes(':') && !name.startsWith('[') ? `[${name}]` : name.toLowerCase()
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '')
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
}

/** A bundle server on a port of its own, with people whose tokens are their names. */
import express, { type ErrorRequestHandler } from 'express'
import { onTestFinished } from 'vitest'
import { fleet } from '../../bundles/server/fleet.ts'
import { type Publisher, publisher } from '../../bundles/server/publisher.ts'
import type { Trust } from '../../bundles/trust.ts'
import type { AuditEntry, Identity } from '../../pdp/parts.ts'
import { Refusal, refusalOf } from '../../pdp/refusal.ts'
import { secret } from '../../pdp/secret.ts'
import { authenticate } from '../../pdp/server/caller.ts'
import { type ListenOptions, listening } from '../../pdp/server/listen.ts'
import { answerProblem, requestRefusal } from '../../pdp/server/problem.ts'
import { gateRoutes, type Publishing, publisherRoutes } from '../../pdp/server/publishing.ts'
import { scratch, trust } from './kit.ts'

const groups: Readonly<Record<string, readonly string[]>> = {
  ci: ['pipelines'],
  root: ['admins'],
  gate: ['gates'],
  gate2: ['gates'],
  otto: [],
}

const identity: Identity = {
  async identify(token) {
    const theirs = groups[token]
    if (theirs === undefined) throw new Refusal('token_invalid')
    const subject = { id: token, type: 'service', issuer: 'i', groups: theirs } as const
    return { subject: { ...subject, claims: {}, actor: null }, expiresMs: 9e15 }
  },
}

export type Options = {
  readonly folder?: string
  readonly trust?: Trust
  readonly keep?: number
  readonly waitersMax?: number
  readonly pulling?: Partial<Publishing['pulling']>
  readonly tls?: ListenOptions['tls']
  readonly loads?: (revision: string) => void
}

export type Served = {
  readonly url: string
  readonly publisher: Publisher
  stop(): void
  readonly entries: readonly AuditEntry[]
  push(bytes: Buffer, query?: string, token?: string): Promise<Answer>
  ask(path: string, init?: RequestInit): Promise<Response>
}
export type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

export const shared = 'all-gates-have-this'
export const asGate = { authorization: `Bearer ${shared}` }

/** Starts it; it ends with the test. */
export async function served(options: Options = {}): Promise<Served> {
  const { folder = scratch(), keep = 3, waitersMax = 2, loads = () => undefined } = options
  const published = await publisher({
    folder,
    names: ['main', 'other'],
    trust: options.trust ?? trust,
    keep,
    tried: async ({ revision }) => loads(revision),
  })
  const ending = new AbortController()
  const publishing: Publishing = {
    stopping: ending.signal,
    publisher: published,
    waitersMax,
    pushers: { groups: ['pipelines'], subjects: [] },
    pulling: {
      identity,
      groups: ['gates'],
      token: async () => secret(shared),
      certificates: false,
      open: false,
      ...options.pulling,
    },
    fleet: fleet({
      gatesMax: 3,
      target(name, gate) {
        const release = published.releaseFor(name, gate)
        return release && { ...release, canary: false }
      },
    }),
  }
  const entries: AuditEntry[] = []
  const common = {
    audit: {
      append: (entry: AuditEntry) => void entries.push(entry),
      later: (entry: AuditEntry) => void entries.push(entry),
    },
    adminGroups: ['admins'],
  }
  const failed: ErrorRequestHandler = (error, _request, response, _next) =>
    answerProblem(response, requestRefusal(error) ?? refusalOf(error))
  const app = express()
    .disable('etag')
    .use(gateRoutes(publishing, common))
    .use('/v1', authenticate(identity))
    .use(publisherRoutes(publishing, common))
    .use(failed)
  const { tls } = options
  const open = await listening(app, { host: '127.0.0.1', port: 0, ...(tls && { tls }) })
  onTestFinished(() => open.close(0))
  const url = `http${tls === undefined ? '' : 's'}://127.0.0.1:${open.port}`
  return {
    url,
    publisher: published,
    stop: () => ending.abort(),
    entries,
    ask: (path, init) => fetch(`${url}${path}`, init),
    async push(bytes, query = '', token = 'ci') {
      const answer = await fetch(`${url}/v1/bundles/main${query}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body: new Uint8Array(bytes),
      })
      return { status: answer.status, body: (await answer.json()) as Answer['body'] }
    },
  }
}

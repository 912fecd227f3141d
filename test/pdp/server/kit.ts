import { request } from 'node:http'
import { onTestFinished } from 'vitest'
import type { AuditPage, AuditQuery } from '../../../pdp/audit/search.ts'
import type { Subject } from '../../../pdp/contract.ts'
import { engine } from '../../../pdp/engine/engine.ts'
import type { AuditEntry, Hold, Holds, Vote } from '../../../pdp/parts.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import { listening } from '../../../pdp/server/listen.ts'
import { type ServerParts, server } from '../../../pdp/server.ts'

export function subject(id: string, groups: readonly string[]): Subject {
  return { id, type: 'human', issuer: 'https://issuer.test', groups, claims: {}, actor: null }
}

const people: Readonly<Record<string, Subject>> = {
  'token-ada': subject('ada', ['engineers']),
  'token-rita': subject('rita', ['reviewers']),
  'token-otto': subject('otto', ['others']),
  'token-root': subject('root', ['admins']),
}

export function hold(id: string, more: Partial<Hold> = {}): Hold {
  return {
    id,
    state: 'pending',
    session: 's1',
    decision_id: 'd1',
    subject: 'ada',
    resource: 'shop',
    text: 'delete from orders where id = $1',
    parameters: ['7'],
    effects: ['delete'],
    objects: ['public.orders'],
    reasons: [],
    approvers: ['reviewers'],
    min_approvals: 1,
    bind: 'exact',
    created_ms: 0,
    expires_ms: 60_000,
    votes: [],
    ...more,
  }
}

/** Holds in memory, with the rules that the server relies on others to keep. */
function holdsOf(all: readonly Hold[]): Holds {
  const byId = new Map(all.map((hold) => [hold.id, hold]))
  return {
    list: (filter = {}) =>
      [...byId.values()].filter(
        ({ state, resource }) =>
          (filter.state === undefined || filter.state === state) &&
          (filter.resource === undefined || filter.resource === resource),
      ),
    get: (id) => byId.get(id),
    async vote(id, reviewer, verdict, note) {
      const found = byId.get(id)
      if (found === undefined) throw new Refusal('hold_unknown')
      if (found.state !== 'pending') throw new Refusal('hold_closed')
      if (found.subject === reviewer.id) throw new Refusal('own_hold')
      if (!found.approvers.some((group) => reviewer.groups.includes(group))) {
        throw new Refusal('not_an_approver')
      }
      const vote: Vote = { by: reviewer.id, verdict, at_ms: 1, ...(note !== undefined && { note }) }
      const state = verdict === 'approve' ? 'approved' : 'refused'
      const answered = { ...found, state, votes: [...found.votes, vote] } as const
      byId.set(id, answered)
      return answered
    },
  }
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Record<string, unknown>
}

export type Ask = {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export type Running = {
  readonly port: number
  readonly entries: readonly AuditEntry[]
  readonly queries: readonly AuditQuery[]
  readonly failures: readonly unknown[]
  ask(path: string, ask?: Ask): Promise<Answer>
}

export type RunOptions = Partial<ServerParts> & {
  readonly all?: readonly Hold[]
  readonly page?: AuditPage
}

/** The real app on a real port, with the parts behind it in memory; stopped when the test ends. */
export async function running(options: RunOptions = {}): Promise<Running> {
  const { all = [hold('h1')], page = { entries: [] }, ...parts } = options
  const entries: AuditEntry[] = []
  const queries: AuditQuery[] = []
  const failures: unknown[] = []
  const app = server({
    identity: {
      async identify(token) {
        const found = people[token]
        if (found === undefined) throw new Refusal('token_invalid')
        return { subject: found, expiresMs: Number.MAX_SAFE_INTEGER }
      },
    },
    holds: holdsOf(all),
    audit: {
      append: (entry) => void entries.push(entry),
      later: (entry) => void entries.push(entry),
    },
    search: {
      async find(query) {
        queries.push(query)
        return page
      },
    },
    metrics: { contentType: 'text/plain', text: async () => 'postern_info 1\n' },
    shadow: { status: () => ({ crashes: 0 }) },
    adminGroups: ['admins'],
    unready: () => [],
    opa: {
      engine: engine(),
      labels: { id: 'gate', version: '1.2.3' },
      version: '1.2.3',
      defaultDecision: ['postern', 'decision'],
      bundle: 'postern',
      openOnLoopback: false,
      plugins: () => ({ bundle: { state: 'OK' } }),
      config: () => ({ labels: {} }),
    },
    status: () => ({ version: '1.2.3' }),
    hosts: ['gate.test'],
    tls: false,
    failed: (error) => void failures.push(error),
    ...parts,
  })
  const listener = await listening(app, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => listener.close(0))
  const { port } = listener
  return { port, entries, queries, failures, ask: (path, ask) => send(port, path, ask) }
}

/** One request over a socket, with exactly these headers: fetch would correct Host and paths. */
function send(port: number, path: string, ask: Ask = {}): Promise<Answer> {
  const { method = 'GET', token, headers = {}, body } = ask
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, headers: { ...authorization, ...type, ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { Refusal, refusalOf } from './refusal.ts'
import { type AuditParts, auditRoutes } from './server/audit.ts'
import { authenticate } from './server/caller.ts'
import { namedHosts, quietHeaders } from './server/guard.ts'
import { type HealthParts, healthRoutes } from './server/health.ts'
import { type HoldParts, holdRoutes } from './server/holds.ts'
import { type HealthParts as OpaHealthParts, opaHealthRoutes } from './server/opa/health.ts'
import { type OpaParts, opaRoutes } from './server/opa/routes.ts'
import { answerProblem, requestRefusal } from './server/problem.ts'
import { gateRoutes, type Publishing, publisherRoutes } from './server/publishing.ts'
import { type ShadowParts, shadowRoutes } from './server/shadow.ts'
import { type StatusParts, statusRoutes } from './server/status.ts'

/** What the HTTP API is made of. */
export type ServerParts = HealthParts &
  HoldParts &
  AuditParts &
  ShadowParts &
  StatusParts & {
    /** Names under which clients may address the server, besides loopback. */
    readonly hosts: readonly string[]
    readonly tls: boolean
    readonly opa: OpaParts & OpaHealthParts
    /** The bundle server, where this process is one. */
    readonly publishing?: Publishing | undefined
    /** Hears of failures of ours; `instance` is what the client was told. */
    failed(error: unknown, instance: string): void
  }

/** The HTTP API. Everything under /v1 needs a token; whatever goes wrong is answered as problem+json. */
export function server(parts: ServerParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('query parser', 'simple')

  app.use(quietHeaders(parts.tls), namedHosts(parts.hosts))
  app.use(healthRoutes(parts), gateRoutes(parts.publishing, parts))
  app.use(opaHealthRoutes(parts.opa), opaRoutes({ ...parts.opa, around: parts }))
  app.use('/v1', authenticate(parts.identity))
  app.use(holdRoutes(parts), auditRoutes(parts), shadowRoutes(parts), statusRoutes(parts))
  app.use(publisherRoutes(parts.publishing, parts))
  app.use(() => {
    throw new Refusal('not_found')
  })
  app.use(answerFailure(parts))
  return app
}

function answerFailure(parts: ServerParts): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const refusal = requestRefusal(error) ?? refusalOf(error)
    const ours = refusal.code === 'internal_error'
    const instance = ours ? `urn:uuid:${randomUUID()}` : undefined
    if (instance !== undefined) parts.failed(error, instance)
    if (response.headersSent) response.destroy()
    else answerProblem(response, refusal, instance)
  }
}

import { Router } from 'express'
import type { Metrics } from '../metrics.ts'
import type { Identity } from '../parts.ts'
import { authenticate, membersOf } from './caller.ts'
import { near } from './guard.ts'

export type HealthParts = {
  readonly identity: Identity
  readonly adminGroups: readonly string[]
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>
  /** Why the gate would refuse everything now; empty when it is ready. */
  unready(): readonly string[]
}

/** `/ready`: it can say yes. `/metrics`: numbers, from elsewhere for administrators only. */
export function healthRoutes(parts: HealthParts): Router {
  const router = Router({ caseSensitive: true, strict: true })

  // A probe from elsewhere learns yes or no; the reasons describe the inside and stay on this machine.
  router.get('/ready', (request, response) => {
    const reasons = parts.unready()
    const ready = reasons.length === 0
    response.status(ready ? 200 : 503).json({ ready, ...(near(request) && { reasons }) })
  })

  const administrators = Router().use(authenticate(parts.identity), membersOf(parts.adminGroups))
  router.get(
    '/metrics',
    (request, response, next) => (near(request) ? next() : administrators(request, response, next)),
    async (_request, response) => {
      const text = await parts.metrics.text()
      response.setHeader('Content-Type', parts.metrics.contentType)
      response.end(text)
    },
  )
  return router
}

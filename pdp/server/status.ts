import { Router } from 'express'
import { membersOf } from './caller.ts'

export type StatusParts = {
  readonly adminGroups: readonly string[]
  /** What runs and how it was configured, without secrets. */
  status(): object
}

/** `/v1/status`: what was resolved from the configuration and what runs, for administrators. */
export function statusRoutes({ adminGroups, status }: StatusParts): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/v1/status', membersOf(adminGroups), (_request, response) => {
    response.json(status())
  })
  return router
}

import { Router } from 'express'
import type { Audit } from '../parts.ts'
import type { Shadow } from '../shadow/shadow.ts'
import { membersOf } from './caller.ts'
import { onRecord } from './record.ts'

export type ShadowParts = {
  readonly adminGroups: readonly string[]
  readonly audit: Audit
  readonly shadow: Pick<Shadow, 'status'>
}

/** `/v1/shadow`: what a candidate would have answered otherwise, with examples from the record; for administrators. */
export function shadowRoutes({ adminGroups, audit, shadow }: ShadowParts): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/v1/shadow', membersOf(adminGroups), async (request, response) => {
    const action = { action: 'shadow_report' }
    response.json(await onRecord(audit, request, action, () => shadow.status()))
  })
  return router
}

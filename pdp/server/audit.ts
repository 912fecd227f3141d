import { Router } from 'express'
import { z } from 'zod'
import type { AuditSearch } from '../audit/search.ts'
import type { Audit } from '../parts.ts'
import { membersOf } from './caller.ts'
import { parsed } from './parse.ts'
import { onRecord } from './record.ts'

export type AuditParts = {
  readonly audit: Audit
  readonly adminGroups: readonly string[]
  readonly search: Pick<AuditSearch, 'find'>
}

const word = z.string().min(1).max(500).optional()
const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'a time as 2025-06-01T12:00:00Z')
  .transform((text) => Date.parse(text))
  .optional()

const asked = z.strictObject({
  subject: word,
  resource: word,
  from: time,
  to: time,
  effect: word,
  rule: word,
  object: word,
  text: word,
  session: word,
  decision: word,
  kind: word,
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: word,
})

/** `/v1/audit`: the record, for administrators; each look at it is on the record too. */
export function auditRoutes({ audit, adminGroups, search }: AuditParts): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/v1/audit', membersOf(adminGroups), async (request, response) => {
    const { from, to, ...rest } = parsed(asked, request.query)
    const query = { ...rest, fromMs: from, toMs: to }
    response.json(
      await onRecord(audit, request, { action: 'audit_search', query }, () => search.find(query)),
    )
  })
  return router
}

import { json, type Request, Router } from 'express'
import { z } from 'zod'
import type { Subject } from '../contract.ts'
import type { Audit, Hold, Holds, Vote } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { caller } from './caller.ts'
import { parsed } from './parse.ts'
import { onRecord } from './record.ts'

export type HoldParts = { readonly holds: Holds; readonly audit: Audit }

const bodyBytesMax = 64 * 1024
const noteLengthMax = 2_000

const filter = z.strictObject({
  state: z
    .enum(['pending', 'approved', 'refused', 'expired', 'abandoned', 'used', 'all'])
    .default('pending'),
  resource: z.string().min(1).max(200).optional(),
})
const answer = z.strictObject({ note: z.string().max(noteLengthMax).optional() })

/** `/v1/holds`: everyone sees the holds they may answer and their own, and answers the former. */
export function holdRoutes({ holds, audit }: HoldParts): Router {
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/v1/holds', (request, response) => {
    const { state, resource } = parsed(filter, request.query)
    const subject = caller(request)
    const wanted = {
      ...(state !== 'all' && { state }),
      ...(resource !== undefined && { resource }),
    }
    response.json({ holds: holds.list(wanted).filter((hold) => concerns(hold, subject)) })
  })

  router.get('/v1/holds/:id', (request, response) => {
    const hold = holds.get(request.params.id)
    if (hold === undefined || !concerns(hold, caller(request))) throw new Refusal('hold_unknown')
    response.json(hold)
  })

  const vote = async (request: Request<{ id: string }>, verdict: Vote['verdict']) => {
    if (request.body === undefined && request.headers['content-type'] !== undefined) {
      throw new Refusal('bad_request', 'the body must be application/json')
    }
    const { note } = parsed(answer, request.body ?? {})
    const { id } = request.params
    const subject = caller(request)
    const action = { action: `hold_${verdict}`, hold: id }
    return onRecord(audit, request, action, () => holds.vote(id, subject, verdict, note))
  }
  const body = json({ limit: bodyBytesMax, inflate: false })
  router.post('/v1/holds/:id/approve', body, async (request: Request<{ id: string }>, response) => {
    response.json(await vote(request, 'approve'))
  })
  router.post('/v1/holds/:id/refuse', body, async (request: Request<{ id: string }>, response) => {
    response.json(await vote(request, 'refuse'))
  })
  return router
}

/** Whether this caller may see the hold: a command's text is for those who decide on it and who sent it. */
function concerns(hold: Hold, subject: Subject): boolean {
  return (
    hold.subject === subject.id || hold.approvers.some((group) => subject.groups.includes(group))
  )
}

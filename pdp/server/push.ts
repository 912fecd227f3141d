/** How bundles get to the bundle server. */
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { archiveBytesMax } from '../../bundles/archive.ts'
import { sha256 } from '../../bundles/digest.ts'
import type { Publication, Publisher } from '../../bundles/server/publisher.ts'
import { selectionOf } from '../../bundles/server/selection.ts'
import type { Audit } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { caller } from './caller.ts'
import { parsed } from './parse.ts'
import { onRecord } from './record.ts'

export type PushParts = {
  readonly publisher: Publisher
  readonly audit: Audit
  /** Who may push, promote and abort, besides the bundle's own signature. */
  readonly pushers: { readonly groups: readonly string[]; readonly subjects: readonly string[] }
  readonly adminGroups: readonly string[]
}

/** Archives that are received and checked at the same time. */
const uploadsMax = 4

const selection = z.string().transform((text, context) => {
  try {
    return selectionOf(text)
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : 'it selects nothing')
    return z.NEVER
  }
})
const query = z.strictObject({
  canary: selection.optional(),
  abort: z.literal('true', 'write abort=true').optional(),
})

const promotion = z.strictObject({
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the bundle, 64 hex digits')
    .optional(),
})

type Named = Request<{ name: string }>

/** `/v1/bundles`: push, promote, abort for pipelines; what is published also for administrators. */
export function pushRoutes({ publisher, audit, pushers, adminGroups }: PushParts): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const pushing = only(pushers.groups, pushers.subjects, 'bundle_server.push')
  const looking = only([...pushers.groups, ...adminGroups], pushers.subjects, 'bundle_server.push')
  let uploads = 0

  router.get('/v1/bundles', looking, (_request, response) => {
    response.json({ bundles: publisher.names.map((name) => publisher.publication(name)) })
  })

  router.put('/v1/bundles/:name', pushing, async (request: Named, response) => {
    const { name } = request.params
    const { canary, abort } = parsed(query, request.query)
    publisher.publication(name)
    if (uploads >= uploadsMax)
      throw new Refusal('quota_exceeded', 'too many bundles are pushed at once', { retryAfterS: 5 })
    uploads += 1
    try {
      const bytes = await received(request)
      const intent = { by: caller(request).id, canary, abort: abort !== undefined }
      const action = {
        action: 'bundle_push',
        bundle: name,
        digest: sha256(bytes),
        ...asked(request),
      }
      const { publication, created } = await onRecord(audit, request, action, () =>
        publisher.push(name, bytes, intent),
      )
      answer(response.status(created ? 201 : 200), publication)
    } finally {
      uploads -= 1
    }
  })

  router.post('/v1/bundles/:name/promote', pushing, async (request: Named, response) => {
    const { name } = request.params
    const { digest } = parsed(promotion, request.query)
    const { canary } = publisher.publication(name)
    const action = { action: 'bundle_promote', bundle: name, digest: digest ?? canary?.digest }
    const work = () => publisher.promote(name, digest)
    answer(response, await onRecord(audit, request, action, work))
  })
  return router
}

/** As it was asked: on the record before it is done. */
function asked({ query: { canary, abort } }: Request): object {
  return { ...(canary !== undefined && { canary }), ...(abort !== undefined && { abort: true }) }
}

function answer(response: Response, publication: Publication): void {
  const { releases: _releases, ...rest } = publication
  response.json(rest)
}

function only(
  groups: readonly string[],
  subjects: readonly string[],
  setting: string,
): RequestHandler {
  return (request, _response, next) => {
    const { id, groups: theirs } = caller(request)
    if (subjects.includes(id) || theirs.some((group) => groups.includes(group))) return next()
    throw new Refusal('not_permitted', undefined, {
      remedy: `this needs a group or subject that is named in ${setting} of the configuration`,
    })
  }
}

/** The body, never more of it than an archive may have. */
async function received(request: Request): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = Number(request.headers['content-length'] ?? 0)
  if (length > archiveBytesMax) throw tooLarge()
  length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > archiveBytesMax) throw tooLarge()
    parts.push(part)
  }
  if (length === 0)
    throw new Refusal('bad_request', 'the body is empty: it must be the bundle, a .tar.gz file')
  return Buffer.concat(parts)
}

function tooLarge(): Refusal {
  return new Refusal('message_too_large', `a bundle may have ${archiveBytesMax} bytes`)
}

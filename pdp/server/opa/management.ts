import { Router } from 'express'
import { administrators } from './asker.ts'
import { invalid, OpaError } from './error.ts'
import { reply } from './reply.ts'

export type ManagementParts = {
  readonly adminGroups: readonly string[]
  /** Whose bundle owns all data and policies. */
  readonly bundle: string
  /** The configuration as OPA would write it. */
  config(): object
}

/** What changes policy or data, or evaluates policy of the caller: refused as an OPA refuses whose bundle owns everything. */
export function managementRoutes({ adminGroups, bundle, config }: ManagementParts): Router {
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/v1/config', administrators(adminGroups), async (request, response) => {
    await reply(request, response, { result: config() })
  })

  router.all(['/v1/data', '/v1/data/*path', '/v1/policies', '/v1/policies/*id'], () => {
    throw invalid(`all paths owned by bundle "${bundle}"`)
  })

  router.all(['/v1/query', '/v1/compile', '/v1/compile/*path'], () => {
    throw new OpaError(
      400,
      'invalid_operation',
      'only entrypoints of the signed bundle are evaluated: use POST /v1/data/<path>',
    )
  })

  router.all(['/v0/data', '/v0/data/*path'], (_request, response) => {
    response.setHeader('Allow', 'POST').status(405).end()
  })

  return router
}

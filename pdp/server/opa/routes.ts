import { randomUUID } from 'node:crypto'
import { type ErrorRequestHandler, type Request, Router, raw } from 'express'
import { Refusal } from '../../refusal.ts'
import { askers } from './asker.ts'
import { batchRoutes } from './batch.ts'
import { dataRoutes } from './data.ts'
import { answerError, OpaError, opaErrorOf } from './error.ts'
import { type EvaluationParts, evaluation } from './evaluation.ts'
import { type ManagementParts, managementRoutes } from './management.ts'

export type OpaParts = Omit<
  EvaluationParts & ManagementParts,
  'adminGroups' | 'identity' | 'audit'
> & {
  readonly version: string
  readonly defaultDecision: readonly string[]
}

type Around = Pick<EvaluationParts, 'adminGroups' | 'identity' | 'audit'> & {
  /** Hears of failures of ours; `instance` is what the client was told. */
  failed(error: unknown, instance: string): void
}

const bodyBytesMax = 1024 * 1024

const paths =
  /^(\/|\/v0\/data(\/.*)?|\/v1\/(batch\/)?(data|policies|compile)(\/.*)?|\/v1\/(query|config))$/

/** The part of OPA's REST API that a gate answers or refuses, in OPA's words; other paths go on to whoever comes next. */
export function opaRoutes({ around, ...own }: OpaParts & { readonly around: Around }): Router {
  const { identity, adminGroups, audit, failed } = around
  const parts = { ...own, identity, adminGroups, audit, failed }
  const evaluate = evaluation(parts)
  const router = Router({ caseSensitive: true, strict: true })
  router.use(askers(parts), raw({ limit: bodyBytesMax, inflate: true, type: () => true }))
  router.use(dataRoutes({ ...parts, evaluate }), batchRoutes(evaluate), managementRoutes(parts))
  router.use(failure(parts))
  return Router().use((request, response, next) =>
    isOurs(request) ? router(request, response, next) : next(),
  )
}

// Other methods at the root are nobody's here.
function isOurs({ path, method }: Request): boolean {
  return paths.test(path) && (path !== '/' || method === 'POST')
}

function failure({ failed }: Around): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const instance = `urn:uuid:${randomUUID()}`
    const told = opaErrorOf(error, instance)
    if (told.status === 500 && !(error instanceof OpaError || error instanceof Refusal))
      failed(error, instance)
    if (response.headersSent) response.destroy()
    else answerError(response, told)
  }
}

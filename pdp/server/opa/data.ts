import { performance } from 'node:perf_hooks'
import { type Request, type Response, Router } from 'express'
import { bodyDocument, parameterDocument } from './document.ts'
import { invalid, OpaError } from './error.ts'
import { type Evaluate, type Evaluated, referenceOf } from './evaluation.ts'
import { flag, reply, valuesOf } from './reply.ts'

export type DataParts = {
  readonly evaluate: Evaluate
  readonly version: string
  /** The document that `POST /` asks for. */
  readonly defaultDecision: readonly string[]
}

/** OPA's form of an explanation needs its evaluator, which a compiled policy does without. */
const explanations = new Set(['notes', 'fails', 'full', 'debug'])

const noInput = {
  warning: { code: 'api_usage_warning', message: "'input' key missing from the request" },
}

/** `/v1/data`, `/v0/data` and `POST /` (OPA: REST API, Data API). */
export function dataRoutes(parts: DataParts): Router {
  const { evaluate, defaultDecision } = parts
  const router = Router({ caseSensitive: true, strict: true })

  router.get(['/v1/data', '/v1/data/*path'], async (request, response) => {
    await answer(request, response, { input: parameterDocument(request), warning: {} })
  })

  router.post(['/v1/data', '/v1/data/*path'], async (request, response) => {
    const input = inputIn(bodyDocument(request))
    await answer(request, response, { input, warning: input === undefined ? noInput : {} })
  })

  router.post(['/v0/data', '/v0/data/*path'], async (request, response) => {
    await bare(request, response, pathOf(request, '/v0/data'))
  })

  router.post('/', async (request, response) => {
    await bare(request, response, defaultDecision)
  })

  async function answer(request: Request, response: Response, { input, warning }: Given) {
    const started = performance.now()
    refuseExplanation(request)
    const path = pathOf(request, '/v1/data')
    const parsedNs = nsSince(started)
    const evaluated = await evaluate(request, { path, input, strict: strict(request) })
    await reply(request, response, {
      decision_id: evaluated.id,
      ...(flag(request, 'provenance') && { provenance: provenance(parts.version, evaluated) }),
      ...(measured(request) && { metrics: metrics(evaluated, parsedNs, nsSince(started)) }),
      ...evaluated.found,
      ...warning,
    })
  }

  async function bare(request: Request, response: Response, path: readonly string[]) {
    const input = bareInput(request)
    const { found } = await evaluate(request, { path, input, strict: strict(request) })
    if (found.result === undefined) {
      const message = `document undefined: ${referenceOf(path)}`
      throw new OpaError(404, 'undefined_document', message)
    }
    await reply(request, response, found.result)
  }

  return router
}

type Given = { readonly input: unknown; readonly warning: object }

/** The document that the address names; what cannot be decoded express has refused. */
export function pathOf({ path }: Request, under: string): readonly string[] {
  const steps = path.slice(under.length).split('/').map(decodeURIComponent)
  return steps.filter((step) => step !== '')
}

/** Whether a failing builtin is an error. */
export function strict(request: Request): boolean {
  return flag(request, 'strict-builtin-errors')
}

/** Whether numbers are asked for. */
export function measured(request: Request): boolean {
  return flag(request, 'metrics') || flag(request, 'instrument')
}

/** Refuses what would need OPA's own evaluator. Throws OpaError. */
export function refuseExplanation(request: Request): void {
  if (!valuesOf(request, 'explain').some((mode) => explanations.has(mode))) return
  throw invalid(
    'explain is not available, for the policy is compiled: use explain=off, or opa eval',
  )
}

/** The numbers that there are, under OPA's names. */
export function metrics({ ns }: Pick<Evaluated, 'ns'>, parsedNs: number, totalNs: number): object {
  return {
    counter_server_query_cache_hit: 1,
    timer_rego_input_parse_ns: parsedNs,
    timer_rego_query_eval_ns: ns,
    timer_server_handler_ns: totalNs,
  }
}

/** Nanoseconds since a time of `performance.now()`. */
export function nsSince(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 1e6)
}

function provenance(version: string, { bundle }: Evaluated): object {
  return {
    version,
    build_commit: '',
    build_timestamp: '',
    build_hostname: '',
    ...(bundle && { bundles: { [bundle.name]: { revision: bundle.revision } } }),
  }
}

function inputIn(document: unknown): unknown {
  if (document === undefined) return undefined
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw invalid('body contains malformed input document: it is not an object')
  return Reflect.get(document, 'input') ?? undefined
}

function bareInput(request: Request): unknown {
  try {
    return bodyDocument(request)
  } catch (error) {
    if (!(error instanceof OpaError)) throw error
    throw invalid(`unexpected parse error for input: ${error.message}`)
  }
}

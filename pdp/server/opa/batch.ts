import { type Request, Router } from 'express'
import { z } from 'zod'
import { newId } from '../../id.ts'
import { measured, metrics, nsSince, pathOf, refuseExplanation, strict } from './data.ts'
import { bodyDocument } from './document.ts'
import { bodyOf, invalid, OpaError } from './error.ts'
import type { Asked, Evaluate } from './evaluation.ts'
import { reply } from './reply.ts'

const inputsMax = 1_000
/** All inputs with what they have in common, as JSON text: each of them is put on record. */
const charsMax = 4 * 1024 * 1024

const body = z.object({
  inputs: z.record(z.string(), z.unknown()),
  common_input: z.record(z.string(), z.unknown()).optional(),
})

/** `POST /v1/batch/data/<path>`: many inputs, one document (Enterprise OPA: Batch API). */
export function batchRoutes(evaluate: Evaluate): Router {
  const router = Router({ caseSensitive: true, strict: true })

  router.post('/v1/batch/data/*path', async (request, response) => {
    const started = performance.now()
    refuseExplanation(request)
    const path = pathOf(request, '/v1/batch/data')
    const inputs = inputsIn(request)
    const batch = newId()
    const parsedNs = nsSince(started)
    const responses = new Map<string, object>()
    let ns = 0
    let errors = 0
    // One after the other: commands come between them.
    for (const [name, input] of inputs) {
      // Nobody reads the rest.
      if (response.destroyed) return
      const one = await answer(request, { path, input, strict: strict(request), batch })
      responses.set(name, one.answer)
      ns += one.ns
      errors += one.failed ? 1 : 0
    }
    const mixed = errors > 0 && errors < inputs.length
    response.status(errors === 0 ? 200 : mixed ? 207 : 500)
    const answers = [...responses].map(([name, one]) => [
      name,
      mixed ? { ...one, http_status_code: statusIn(one) } : one,
    ])
    await reply(request, response, {
      batch_decision_id: batch,
      ...(measured(request) && { metrics: metrics({ ns }, parsedNs, nsSince(started)) }),
      responses: Object.fromEntries(answers),
    })
  })

  async function answer(request: Request, asked: Asked) {
    try {
      const { id, found, ns } = await evaluate(request, asked)
      return { answer: { decision_id: id, ...found }, ns, failed: false }
    } catch (error) {
      if (!(error instanceof OpaError)) throw error
      return { answer: bodyOf(error), ns: 0, failed: true }
    }
  }

  return router
}

function statusIn(answer: object): string {
  return 'code' in answer ? '500' : '200'
}

function inputsIn(request: Request): readonly (readonly [name: string, input: unknown])[] {
  const read = body.safeParse(bodyDocument(request))
  if (!read.success) throw invalid('body must be { "inputs": { name: input }, "common_input": {} }')
  const { inputs, common_input: common } = read.data
  const entries = Object.entries(inputs)
  if (entries.length > inputsMax) throw invalid(`a batch holds at most ${inputsMax} inputs`)
  const commonChars = JSON.stringify(common ?? {}).length
  const chars = JSON.stringify(inputs).length + commonChars * entries.length
  if (chars > charsMax)
    throw invalid(`a batch holds at most ${charsMax} characters, common_input counted each time`)
  return entries.map(([name, input]) => [name, merged(common, input)])
}

/** Members of the input win; what is no object has nothing in common with others. */
function merged(common: Readonly<Record<string, unknown>> | undefined, input: unknown): unknown {
  if (common === undefined || typeof input !== 'object' || Array.isArray(input)) return input
  return { ...common, ...input }
}

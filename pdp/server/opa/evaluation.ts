import type { Request } from 'express'
import type { ManagedEngine } from '../../engine/engine.ts'
import type { Queried, QueriedVerdict, Query } from '../../engine/query.ts'
import { newId } from '../../id.ts'
import type { Audit, AuditEntry } from '../../parts.ts'
import type { Refusal } from '../../refusal.ts'
import { type AskerParts, askerOf, mayRead } from './asker.ts'
import { invalid, OpaError, opaErrorOf } from './error.ts'
import { turns } from './turns.ts'

export type EvaluationParts = AskerParts & {
  readonly audit: Audit
  readonly engine: Pick<ManagedEngine, 'query'>
  /** What the decision log calls this gate. */
  readonly labels: Readonly<Record<string, string>>
}

/** One evaluation that is on record. */
export type Evaluated = {
  readonly id: string
  readonly bundle: QueriedVerdict['bundle']
  readonly ns: number
  readonly found: { readonly result?: unknown }
}

/** An evaluation among others of one request. */
export type Asked = Query & { readonly batch?: string }

export type Evaluate = (request: Request, asked: Asked) => Promise<Evaluated>

/** How the compiled policy says where it gave up. */
const placed = /^the policy aborted: (.{1,500}):(\d{1,9}):(\d{1,9}): (.{1,500})$/
/** A longer result is named on the record, not repeated: data of the bundle is in the bundle. */
const resultCharsMax = 64 * 1024

/**
 * Evaluates a document and puts question and answer on record before anybody reads them, marked as advisory: nothing
 * was enforced. Throws OpaError.
 */
export function evaluation(parts: EvaluationParts): Evaluate {
  const { audit, engine, adminGroups } = parts
  const { take } = turns()

  async function evaluated(request: Request, asked: Asked): Promise<Evaluated> {
    const id = newId()
    const verdict = await engine.query(asked)
    const answer = answerOf(verdict, asked.path, mayRead(request, adminGroups))
    await audit.append(entryOf(parts, request, { id, asked, verdict, answer }))
    if (answer instanceof OpaError) throw answer
    return { id, bundle: verdict.bundle, ns: verdict.ns, found: answer }
  }

  return (request, asked) => take(() => evaluated(request, asked))
}

/** `data.a.b` as OPA writes it. */
export function referenceOf(path: readonly string[]): string {
  const steps = path.map((step) =>
    /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : JSON.stringify([step]),
  )
  return `data${steps.join('')}`
}

function answerOf(
  queried: Queried,
  path: readonly string[],
  reader: boolean,
): OpaError | { readonly result?: unknown } {
  switch (queried.kind) {
    case 'undefined':
      return {}
    case 'value':
      return { result: queried.value }
    case 'data':
      if (!reader)
        return new OpaError(401, 'unauthorized', 'data of the bundle is for administrators')
      return queried.value === undefined ? {} : { result: queried.value }
    case 'unanswerable':
      return unanswerable(path, queried.entrypoints)
    case 'failed':
      return failed(queried)
    case 'refused':
      return refused(queried.refusal)
  }
}

function unanswerable(path: readonly string[], entrypoints: readonly string[]): OpaError {
  return invalid(
    `${referenceOf(path)} is neither an entrypoint nor data of the bundle: ask for one of ${entrypoints.join(', ')}, ` +
      'or annotate the rule with "entrypoint: true" and build the bundle again',
  )
}

function failed({ code, problem }: Extract<Queried, { kind: 'failed' }>): OpaError {
  const message = 'error(s) occurred while evaluating query'
  const [, file, row, col, what] = placed.exec(problem) ?? []
  if (file === undefined || what === undefined)
    return new OpaError(500, 'internal_error', message, [{ code, message: problem }])
  const location = { file, row: Number(row), col: Number(col) }
  return new OpaError(500, 'internal_error', message, [{ code, message: what, location }])
}

function refused(refusal: Refusal): OpaError {
  return opaErrorOf(refusal, '')
}

type Told = {
  readonly id: string
  readonly asked: Asked
  readonly verdict: QueriedVerdict
  readonly answer: OpaError | { readonly result?: unknown }
}

/** The fields are those of OPA's decision log. */
function entryOf(
  { labels }: EvaluationParts,
  request: Request,
  { id, asked, verdict, answer }: Told,
): AuditEntry {
  const { bundle, ns } = verdict
  const asker = askerOf(request)
  return {
    kind: 'decision',
    decision_id: id,
    batch_decision_id: asked.batch,
    advisory: true,
    path: asked.path.join('/'),
    ...(asked.input !== undefined && { input: asked.input }),
    ...shown(answer),
    bundles: bundle && { [bundle.name]: { revision: bundle.revision } },
    metrics: { timer_rego_query_eval_ns: ns },
    labels,
    requested_by: request.socket.remoteAddress,
    subject: asker?.id,
    issuer: asker?.issuer,
    actor: asker?.actor?.id,
  }
}

function shown(answer: Told['answer']): object {
  if (answer instanceof OpaError)
    return { error: { code: answer.code, message: answer.message, errors: answer.errors } }
  if (answer.result === undefined) return {}
  const long = (JSON.stringify(answer.result) ?? '').length > resultCharsMax
  return long ? { erased: ['/result'] } : { result: answer.result }
}

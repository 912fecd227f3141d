/** OPA's bundle API: what gates and stock OPA fetch. */
import { pipeline } from 'node:stream/promises'
import { type Request, type Response, Router } from 'express'
import type { Publisher } from '../../bundles/server/publisher.ts'
import type { GateName } from '../../bundles/server/selection.ts'
import type { Release } from '../../bundles/server/shelf.ts'
import { Refusal } from '../refusal.ts'
import { type Pulling, pullerOf } from './pullers.ts'

export type BundleApiParts = {
  readonly publisher: Publisher
  readonly pulling: Pulling
  /** How many questions may wait for news at once. */
  readonly waitersMax: number
  /** Answers whoever waits, because the server stops. */
  readonly stopping: AbortSignal
}

/** OPA's sign that the server holds a question until there is news. */
const longPollType = 'application/vnd.openpolicyagent.bundles'
/** The longest a question is held, whatever it asks for. */
const waitMsMax = 60_000
const word = /^[\w.-]{1,100}$/

/** `/bundles/<name>` and `/bundles/<name>.tar.gz`, with ETag, 304, and waiting as `Prefer: wait=N` asks. */
export function bundleApiRoutes(parts: BundleApiParts): Router {
  const { publisher, stopping } = parts
  const router = Router({ caseSensitive: true, strict: true })
  const waiting = new Set<() => void>()
  stopping.addEventListener('abort', () => {
    for (const end of waiting) end()
  })

  // Express answers HEAD with what GET would say.
  router.get('/bundles/:file', async (request, response) => {
    await pullerOf(parts.pulling, request)
    const name = request.params.file.replace(/\.tar\.gz$/, '')
    const waitMs = waitOf(request)
    const gate = gateOf(request)
    const current = (): Release | undefined => publisher.releaseFor(name, gate)
    const patient = waitMs > 0 && !stopping.aborted
    if (patient && knows(request, current())) await news(name, current, request, waitMs)
    const release = current()
    if (release === undefined)
      throw new Refusal('not_found', `nothing was published as ${name} yet`, {
        remedy: 'push a bundle: postern push',
      })
    response.setHeader('ETag', `"${release.digest}"`)
    response.setHeader('Vary', 'postern-gate, postern-labels')
    response.setHeader('Content-Type', waitMs > 0 ? longPollType : 'application/gzip')
    if (knows(request, release)) response.status(304).end()
    else await send(publisher, name, release, request, response)
  })
  return router

  /** Resolves when something else is published for this gate, the time is over, or nobody listens any more. */
  async function news(
    name: string,
    current: () => Release | undefined,
    request: Request,
    waitMs: number,
  ): Promise<void> {
    if (waiting.size >= parts.waitersMax)
      throw new Refusal('quota_exceeded', 'too many gates wait for news here', {
        retryAfterS: 10,
        remedy: 'operator: raise bundle_server.gates_max',
      })
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    const stop = publisher.watch(name, () => knows(request, current()) || resolve())
    const timer = setTimeout(resolve, waitMs)
    const { socket } = request
    socket.once('close', resolve)
    try {
      await promise
    } finally {
      waiting.delete(resolve)
      stop()
      clearTimeout(timer)
      socket.off('close', resolve)
    }
  }
}

async function send(
  publisher: Publisher,
  name: string,
  { digest, bytes }: Release,
  { method }: Request,
  response: Response,
): Promise<void> {
  response.setHeader('Content-Length', bytes)
  if (method === 'HEAD') {
    response.end()
    return
  }
  const file = await publisher.open(name, digest)
  // Whoever hangs up early was not answered; that is no failure of ours.
  await pipeline(file.createReadStream(), response).catch((error: unknown) => {
    if (!response.destroyed) throw error
  })
}

function knows({ headers }: Request, release: Release | undefined): boolean {
  const tags = headers['if-none-match']?.split(',').map((tag) => tag.trim()) ?? []
  return release !== undefined && tags.includes(`"${release.digest}"`)
}

/** RFC 7240: `Prefer: modes=snapshot;wait=30`, as OPA spells it. */
function waitOf({ headers }: Request): number {
  const { prefer } = headers
  const seconds = /(?:^|[;,\s])wait=(\d{1,6})(?:$|[;,\s])/.exec(String(prefer ?? ''))?.[1]
  return Math.min(Number(seconds ?? 0) * 1000, waitMsMax)
}

/** Who a gate says it is. Throws Refusal for what is no name, so that no gate misses a canary by a typing error. */
function gateOf({ headers }: Request): GateName | undefined {
  const name = headers['postern-gate']
  if (name === undefined) return undefined
  const pairs = String(headers['postern-labels'] ?? '')
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('='))
  const sound = pairs.every(
    ([label = '', value = '', more]) => word.test(label) && word.test(value) && more === undefined,
  )
  if (!word.test(String(name)) || !sound)
    throw new Refusal('bad_request', 'postern-gate or postern-labels cannot be read', {
      remedy: 'send a name, and labels as in env=staging,team=shop',
    })
  return {
    name: String(name),
    labels: Object.fromEntries(pairs.map(([label = '', value = '']) => [label, value])),
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, request } from 'undici'
import { archiveBytesMax } from './archive.ts'
import { addressOf, agentOf, type Reach, reason, timeoutMsDefault } from './client.ts'
import type { Fetched, Source } from './source.ts'

/** How to ask a server that speaks OPA's bundle API, or any static web server or object store. */
export type HttpOptions = Reach & {
  /** How long the server may let a question wait for news, in seconds; 0 turns long polling off. */
  readonly longPollS?: number
  /** Between two questions without long polling: a random time between these, in milliseconds. */
  readonly delayMsMin?: number
  readonly delayMsMax?: number
}

/** OPA's sign that a server will hold a question until there is news. */
const longPollType = 'application/vnd.openpolicyagent.bundles'
const longPollSDefault = 30
const delayMsMinDefault = 30_000
const delayMsMaxDefault = 60_000
const retryMsMax = 60_000
/** A server that promised to wait and has no news sooner than this is asked like any other. */
const hastyMs = 500
/** Between two long polls, whatever the server does. */
const breathMs = 200

/** A bundle behind a URL. Redirects are not followed; HTTPS, or loopback, or told otherwise. */
export function httpSource(options: HttpOptions): Source {
  const url = addressOf(options)
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault
  const waitS = options.longPollS ?? longPollSDefault
  const dispatcher = agentOf(options)
  const place = `${url.origin}${url.pathname}`
  let patient = false
  let hasty = false

  return { place, retryMsMax, fetch: ask, changed: pause }

  async function ask(known: string | undefined, signal: AbortSignal): Promise<Fetched> {
    const begun = performance.now()
    const headersTimeout = timeoutMs + (patient ? waitS * 1000 : 0)
    const headers = await questionHeaders(known).catch((error: unknown) => unreachable(error))
    const answer = await request(url, { dispatcher, headers, headersTimeout, signal }).catch(
      (error: unknown) => unreachable(error),
    )
    const hurried = performance.now() - begun < hastyMs
    const fetched = await read(answer).catch((error: unknown) => unreachable(error))
    hasty = hurried && (fetched.kind === 'unchanged' || fetched.tag === known)
    return fetched
  }

  async function questionHeaders(known: string | undefined): Promise<Record<string, string>> {
    const waiting = waitS > 0 ? `modes=snapshot;wait=${waitS}` : 'modes=snapshot'
    return {
      prefer: waiting,
      'user-agent': 'postern',
      ...(known === undefined ? {} : { 'if-none-match': known }),
      ...options.headers,
      ...(options.authorize === undefined ? {} : await options.authorize(url)),
    }
  }

  async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Fetched> {
    // A body that is dropped complains on the stream itself; whoever reads it is told by the read.
    body.on('error', () => undefined)
    const tag = headers['etag']
    if (statusCode === 304) {
      await body.dump()
      return { kind: 'unchanged' }
    }
    if (statusCode !== 200) {
      body.destroy()
      const moved = statusCode >= 300 && statusCode < 400
      const fix = moved ? '; redirects are not followed: configure the final address' : ''
      throw new Answered(`${place} answered ${statusCode}${fix}`)
    }
    patient = waitS > 0 && headers['content-type'] === longPollType
    const bytes = await bounded(body)
    if (bytes.length === 0) throw new Answered(`${place} answered with an empty body`)
    return { kind: 'bundle', bytes, ...(typeof tag === 'string' ? { tag } : {}) }
  }

  async function bounded(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
    const parts: Buffer[] = []
    let length = 0
    const deadline = performance.now() + timeoutMs * 6
    for await (const part of body) {
      length += part.length
      if (length > archiveBytesMax)
        throw new Answered(`${place} sent more than ${archiveBytesMax} bytes`)
      if (performance.now() > deadline) throw new Answered(`${place} sends too slowly`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  }

  async function pause(signal: AbortSignal): Promise<void> {
    if (patient && !hasty) return sleep(breathMs, undefined, { signal })
    const least = options.delayMsMin ?? delayMsMinDefault
    const most = Math.max(least, options.delayMsMax ?? delayMsMaxDefault)
    await sleep(least + Math.random() * (most - least), undefined, { signal })
  }

  function unreachable(error: unknown): never {
    if (error instanceof Answered) throw error
    throw new Error(`${place} cannot be reached (${reason(error)})`)
  }
}

/** The server was reached; what it said is no bundle. */
class Answered extends Error {}

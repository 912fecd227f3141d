import { request } from 'undici'
import { agentOf, type Reach, reason } from '../../bundles/client.ts'

/** What a receiver said. `problem` holds nothing that it sent. */
export type Told =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'failed'; readonly problem: string; readonly httpCode?: number }

/** A receiver of decision logs as OPA posts them (OPA: Management APIs, Decision Logs). */
export interface Receiver {
  /** Never rejects. */
  post(body: Buffer): Promise<Told>
}

const answerBytesMax = 64 * 1024
const timeoutMsDefault = 10_000

/** Posts to `<url>/logs`. Redirects are not followed; the server's certificate is always verified. */
export function receiver(reach: Reach): Receiver {
  const target = new URL(`${reach.url.replace(/\/+$/, '')}/logs`)
  const dispatcher = agentOf(reach)
  const { timeoutMs: headersTimeout = timeoutMsDefault } = reach

  async function post(body: Buffer): Promise<Told> {
    try {
      const headers = {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'user-agent': 'postern',
        ...(await reach.authorize?.(target)),
      }
      const answer = await request(target, {
        method: 'POST',
        dispatcher,
        headers,
        headersTimeout,
        body,
      })
      answer.body.on('error', () => undefined)
      await answer.body.dump({ limit: answerBytesMax })
      return toldBy(answer.statusCode)
    } catch (error) {
      return { kind: 'failed', problem: `the receiver cannot be reached: ${reason(error)}` }
    }
  }

  return { post }
}

function toldBy(status: number): Told {
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  if (status === 413) return { kind: 'too_large' }
  return { kind: 'failed', problem: `the receiver answered ${status}`, httpCode: status }
}

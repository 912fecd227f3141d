import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { addressOf, agentOf, type Reach, reason } from '../client.ts'
import { type Report, reportEveryMs } from './report.ts'

export type ReporterOptions = {
  /** The bundle server: only the origin of the address counts. */
  readonly to: Reach
  readonly gate: string
  /** What is true now. */
  report(): Report
  /** Hears why a report did not arrive, once until it changes, and undefined when one does again. */
  told(problem: string | undefined): void
  readonly signal: AbortSignal
}

/** Tells the bundle server what a gate runs. */
export interface Reporter {
  /** Something changed: the next report goes out soon. */
  changed(): void
  readonly ended: Promise<void>
}

/** Changes that come together are reported together. */
const gatherMs = 200
const retryMsMax = reportEveryMs

/** Reports at once, at every change and every 30 s; a server that is away changes nothing for the gate. */
export function reporter({ to, gate, report, told, signal }: ReporterOptions): Reporter {
  const url = new URL(`/v1/fleet/${encodeURIComponent(gate)}`, addressOf(to))
  const dispatcher = agentOf(to)
  let wake = Promise.withResolvers<void>()
  let problem: string | undefined
  return { changed: () => wake.resolve(), ended: run() }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      wake = Promise.withResolvers()
      const said = await send().catch((error: unknown) => reason(error))
      if (signal.aborted) return
      if (said !== problem) told(said)
      problem = said
      failures = said === undefined ? 0 : failures + 1
      await pause(failures === 0 ? reportEveryMs : Math.min(1000 * 2 ** failures, retryMsMax))
    }
  }

  /** Undefined when the report arrived, else why not. */
  async function send(): Promise<string | undefined> {
    const { statusCode, body } = await request(url, {
      method: 'PUT',
      dispatcher,
      signal,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'postern',
        ...(await to.authorize?.(url)),
      },
      body: JSON.stringify(report()),
    })
    await body.dump()
    return statusCode === 204 ? undefined : `${url.origin} answered ${statusCode}`
  }

  async function pause(ms: number): Promise<void> {
    const waiting = new AbortController()
    const end = AbortSignal.any([signal, waiting.signal])
    const timer = sleep(ms, undefined, { signal: end }).catch(() => undefined)
    await Promise.race([timer, wake.promise])
    waiting.abort()
    await sleep(gatherMs, undefined, { signal }).catch(() => undefined)
  }
}

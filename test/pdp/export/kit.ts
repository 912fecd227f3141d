/** A receiver of decision logs on loopback, and a record to send from. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { type AuditLog, type AuditOptions, openAudit } from '../../../pdp/audit/log.ts'
import {
  type DecisionLog,
  type DecisionLogOptions,
  openDecisionLog,
} from '../../../pdp/export/decision-log.ts'
import type { AuditEntry } from '../../../pdp/parts.ts'

export type Event = Readonly<Record<string, unknown>> & { readonly decision_id: string }

export type Receiving = {
  readonly url: string
  /** Events of accepted uploads, in order. */
  readonly events: Event[]
  readonly requests: {
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly bytes: number
  }[]
  /** What the next requests are answered with: a status, or `silence`. */
  answers: (number | 'silence')[]
  stop(): Promise<void>
}

/** Starts a receiver, on the given port if there was one before; it stops when the test ends. */
export async function receiving(port = 0): Promise<Receiving> {
  const started = await receiver(port)
  onTestFinished(() => started.stop())
  return started
}

/** Starts a receiver that somebody else stops. */
export async function receiver(port = 0): Promise<Receiving> {
  const found: Pick<Receiving, 'events' | 'requests'> & { answers: Receiving['answers'] } = {
    events: [],
    requests: [],
    answers: [],
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const { url: path = '', headers } = request
      found.requests.push({ path, headers, bytes: body.length })
      const answer = result.answers.shift() ?? 204
      if (answer === 'silence') return
      if (answer < 300) found.events.push(...(JSON.parse(gunzipSync(body).toString()) as Event[]))
      response.writeHead(answer).end('canary in an answer')
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const result: Receiving = { ...found, url: `http://127.0.0.1:${bound}`, stop }
  return result
}

export function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-export-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A real record in a folder. */
export function recordIn(folder: string, options: Partial<AuditOptions> = {}): AuditLog {
  return openAudit({ folder: join(folder, 'audit'), ...options })
}

export function decisionNamed(id: string, change: object = {}): AuditEntry {
  return {
    kind: 'decision',
    session: 's1',
    decision_id: id,
    path: 'postern/decision',
    input: {
      action: { name: 'select', text: `select ${id}` },
      context: { peer: '10.0.0.7', user: 'alice' },
      subject: { id: 'alice', groups: ['a', 'b'] },
    },
    result: { effect: 'allow', reasons: [] },
    bundles: { postern: { revision: 'r1' } },
    metrics: { timer_rego_query_eval_ns: 7 },
    labels: { version: '1.2.3' },
    ...change,
  }
}

export type Alarm = { readonly text: string; readonly decision: string | undefined }

export type Sending = DecisionLog & { readonly alarms: Alarm[]; readonly failures: unknown[] }

/** Sends the record in a folder to a receiver; closed when the test ends. */
export function sending(
  folder: string,
  record: AuditLog,
  url: string,
  change: Partial<DecisionLogOptions> = {},
): Sending {
  const alarms: Alarm[] = []
  const failures: unknown[] = []
  const opened = openDecisionLog({
    folder: join(folder, 'audit'),
    entries: record.status().entries,
    positionFile: join(folder, 'decision-logs', 'position.json'),
    receiver: { url },
    events: { labels: { id: 'gate', version: '1.2.3' }, erased: [], masked: [] },
    uploadBytesMax: 32_768,
    delayMs: 50,
    alarmAfterMs: 300_000,
    alarm: (text, decision) => void alarms.push({ text, decision }),
    failed: (error) => void failures.push(error),
    ...change,
  })
  onTestFinished(() => opened.close(0))
  return { ...opened, alarms, failures }
}

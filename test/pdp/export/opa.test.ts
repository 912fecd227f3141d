/** What a real OPA sends to the same receiver for the same question, and a receiver that wants to know who we are. */
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { certificates } from '../../../deploy/demo/certificates.ts'
import { freePort } from '../../../deploy/demo/ports.ts'
import { opa } from '../engine/kit.ts'
import { decisionNamed, type Event, folderOf, receiving, recordIn, sending } from './kit.ts'

const soon = { timeout: 20_000, interval: 50 }

test('an event has every key that a real OPA sends', async () => {
  const to = await receiving()
  const theirs = await sentByOpa(to.url, to.events)
  const folder = folderOf()
  const record = recordIn(folder)
  sending(folder, record, to.url)
  record.append(decisionNamed('ours'))
  const ours = () => to.events.find(({ decision_id }) => decision_id === 'ours')
  await expect.poll(ours, soon).toBeDefined()
  const keys = Object.keys(theirs).filter((key) => key !== 'query')
  expect(keys.length).toBeGreaterThan(7)
  expect(Object.keys(ours() ?? {})).toEqual(expect.arrayContaining(keys))
  for (const key of keys) expect(typeof ours()?.[key], key).toBe(typeof theirs[key])
  expect(Object.keys(Object(theirs['labels']))).toEqual(['id', 'version'])
  await record.close()
}, 60_000)

async function sentByOpa(url: string, events: readonly Event[]): Promise<Event> {
  const folder = folderOf()
  writeFileSync(join(folder, 'a.rego'), 'package postern\n\ndecision := {"effect": "allow"}\n')
  const port = await freePort()
  const settings = [
    `services.logs.url=${url}`,
    'decision_logs.service=logs',
    'decision_logs.reporting.min_delay_seconds=1',
    'decision_logs.reporting.max_delay_seconds=1',
  ].flatMap((setting) => ['--set', setting])
  const args = [
    'run',
    '--server',
    '--addr',
    `127.0.0.1:${port}`,
    '--disable-telemetry',
    ...settings,
  ]
  const child = spawn(opa, [...args, '--bundle', '.'], { cwd: folder, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGTERM'))
  const body = JSON.stringify({ input: { action: { name: 'select' } } })
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/v1/data/postern/decision`, { method: 'POST', body })
  for (let tries = 0; tries < 200 && !(await ask().then(accepted, () => false)); tries++)
    await pause(50)
  await expect.poll(() => events.length, soon).toBeGreaterThan(0)
  const [event] = events
  if (event === undefined) throw new Error('opa sent nothing')
  return event
}

const accepted = ({ ok }: Response): boolean => ok

test('a receiver with TLS is verified, and is shown our certificate where it asks for one', async () => {
  const folder = folderOf()
  const made = await certificates()
  for (const [name, text] of Object.entries({ 'ca.crt': made.ca, ...pair(made.server) }))
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  const shown: (string | undefined)[] = []
  const server = createServer(
    { ...made.server, ca: made.ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      shown.push((request.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256)
      request.resume().on('end', () => response.writeHead(204).end())
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => server.closeAllConnections())
  onTestFinished(() => void server.close())
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const record = recordIn(folder)
  const stranger = sending(folder, record, url)
  record.append(decisionNamed('d0'))
  await expect
    .poll(() => stranger.status().message, soon)
    .toMatch(/cannot be reached: .*(CERT|VERIFY|SIGNED|ISSUER)/)
  expect(shown).toEqual([])
  await stranger.close(1_000)
  const files = { cert: join(folder, 'gate.crt'), key: join(folder, 'gate.key') }
  const receiver = { url, ca: join(folder, 'ca.crt'), auth: { kind: 'tls', ...files } } as const
  const known = sending(folder, record, url, { receiver })
  await expect.poll(() => known.status().sent, soon).toBe(1)
  expect(shown).toEqual([new X509Certificate(made.server.cert).fingerprint256])
  await record.close()
}, 60_000)

function pair({ cert, key }: { readonly cert: string; readonly key: string }) {
  return { 'gate.crt': cert, 'gate.key': key }
}

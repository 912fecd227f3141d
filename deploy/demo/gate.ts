/** The gate of the demo: its configuration on disk and its process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Certificates } from './certificates.ts'

export type Ports = {
  readonly postgres: number
  readonly issuer: number
  readonly gate: number
  readonly server: number
}

export type Gate = {
  readonly process: ChildProcess
  stop(): Promise<void>
}

/** Where the project and the demo's own files lie. */
export const project = fileURLToPath(new URL('../../', import.meta.url))
export const folder = join(project, '.demo')

const readyMsMax = 30_000

/** Writes everything the gate reads into .demo, replacing what an earlier demo left. */
export function writeConfig(ports: Ports, made: Certificates, issuer: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = {
    'ca.crt': made.ca,
    'gate.crt': made.server.cert,
    'gate.key': made.server.key,
    'postern.yaml': config(ports, issuer),
    postern: wrapper(ports),
    token: `#!/bin/sh\nexec '${process.execPath}' '${project}deploy/demo/token.ts' '${issuer}' "$1"\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    const script = name === 'postern' || name === 'token'
    writeFileSync(join(folder, name), text, { mode: script ? 0o755 : 0o600 })
  }
}

/** Starts `postern serve` and resolves when it is ready; its log goes to .demo/gate.log. */
export async function startGate(ports: Ports, secret: string): Promise<Gate> {
  const log = openSync(join(folder, 'gate.log'), 'a')
  const child = spawn(
    process.execPath,
    [join(project, 'main.ts'), 'serve', '--config', join(folder, 'postern.yaml')],
    { env: { ...process.env, SHOP_PASSWORD: secret }, stdio: ['ignore', log, log] },
  )
  const stop = (): Promise<void> => stopped(child)
  try {
    await ready(child, ports.server)
  } catch (error) {
    await stop()
    throw error
  }
  return { process: child, stop }
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const until = Date.now() + readyMsMax
  while (Date.now() < until) {
    if (child.exitCode !== null)
      throw new Error('the gate ended while starting: see .demo/gate.log')
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    if (answer?.ok === true) return
    await pause(50)
  }
  throw new Error('the gate did not become ready: see .demo/gate.log')
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

function wrapper(ports: Ports): string {
  return [
    '#!/bin/sh',
    `export POSTERN_CONFIG='${join(folder, 'postern.yaml')}'`,
    `export POSTERN_SERVER='http://127.0.0.1:${ports.server}'`,
    `exec '${process.execPath}' '${join(project, 'main.ts')}' "$@"`,
    '',
  ].join('\n')
}

function config(ports: Ports, issuer: string): string {
  return `version: 1
state: ./state
server:
  listen: 127.0.0.1:${ports.server}
identity:
  issuer: ${issuer}
  audience: postern
  algorithms: [ES256]
  claims: { groups: groups, type: kind }
bundle:
  source: ${join(project, 'bundles/demo/demo.tar.gz')}
  # Published with the source, so it proves nothing: a normal configuration refuses this key.
  demo: true
  keys:
    - { id: demo, algorithm: ES256, file: ${join(project, 'bundles/demo/demo.pub.pem')} }
admin: { groups: [data-owners] }
listeners:
  - id: shop
    protocol: postgres
    listen: 127.0.0.1:${ports.gate}
    tls: { cert: ./gate.crt, key: ./gate.key }
    labels: { env: production }
    upstream:
      host: 127.0.0.1
      port: ${ports.postgres}
      tls: { ca: ./ca.crt, servername: localhost }
    credential:
      username: shop_owner
      secret: { env: SHOP_PASSWORD }
`
}

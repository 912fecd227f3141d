/** A gate in front of the shop: its configuration on disk and its process. Demo, tests and benchmarks start the same. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Certificates } from './certificates.ts'
import type { Postgres } from './postgres.ts'

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

/** What one gate is started with. */
export type Setup = {
  readonly folder: string
  readonly ports: Ports
  readonly certificates: Certificates
  /** URL of the issuer. */
  readonly issuer: string
  /** Plain text on both sides, for measuring. */
  readonly plain?: boolean
  /** More lines for the end of postern.yaml, e.g. `log: { level: warn }`. */
  readonly more?: string
  /** Another bundle than the demo's: its path. */
  readonly bundle?: string
  /** A candidate that runs in the shadow of the bundle: its path. */
  readonly shadow?: string
  /** Another place of the sealed role's password than the environment, e.g. `{ file: ./password }`. */
  readonly sealedSecret?: string
}

export const project = fileURLToPath(new URL('../../', import.meta.url))

const readyMsMax = 30_000

/** Writes everything the gate reads into an empty folder. */
export function writeConfig(setup: Setup): void {
  const { folder, certificates } = setup
  mkdirSync(folder, { recursive: true })
  const files = {
    'ca.crt': certificates.ca,
    'gate.crt': certificates.server.cert,
    'gate.key': certificates.server.key,
    'postern.yaml': config(setup),
    postern: wrapper(setup),
    token: `#!/bin/sh\nexec '${process.execPath}' '${project}deploy/demo/token.ts' '${setup.issuer}' "$1"\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    const script = name === 'postern' || name === 'token'
    writeFileSync(join(folder, name), text, { mode: script ? 0o755 : 0o600 })
  }
}

/** Starts `postern serve` and resolves when it is ready; its log goes to gate.log in the folder. */
export async function startGate(setup: Setup, postgres: Logins): Promise<Gate> {
  const log = openSync(join(setup.folder, 'gate.log'), 'a')
  const child = spawn(
    process.execPath,
    [join(project, 'main.ts'), 'serve', '--config', join(setup.folder, 'postern.yaml')],
    { env: { ...process.env, ...secretsOf(postgres) }, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  const stop = (): Promise<void> => stopped(child)
  try {
    await ready(child, setup.ports.server)
  } catch (error) {
    await stop()
    throw error
  }
  return { process: child, stop }
}

export type Logins = Pick<Postgres, 'password' | 'sealed'>

/** The environment in which the configuration finds its secrets. */
export function secretsOf({ password, sealed }: Logins): Readonly<Record<string, string>> {
  return { SHOP_PASSWORD: password, SHOP_SEALED_PASSWORD: sealed.password }
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const until = Date.now() + readyMsMax
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error('the gate ended while starting: see gate.log')
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    if (answer?.ok === true) return
    await pause(50)
  }
  throw new Error('the gate did not become ready: see gate.log')
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

function wrapper({ folder, ports }: Setup): string {
  return [
    '#!/bin/sh',
    `export POSTERN_CONFIG='${join(folder, 'postern.yaml')}'`,
    `export POSTERN_SERVER='http://127.0.0.1:${ports.server}'`,
    `exec '${process.execPath}' '${join(project, 'main.ts')}' "$@"`,
    '',
  ].join('\n')
}

function config(setup: Setup): string {
  const { ports, plain = false } = setup
  return `version: 1
state: ./state
server:
  listen: 127.0.0.1:${ports.server}
identity:
  issuer: ${setup.issuer}
  audience: postern
  algorithms: [ES256]
  claims: { groups: groups, type: kind }
bundle:
  source: ${setup.bundle ?? join(project, 'bundles/demo/demo.tar.gz')}
  # Published with the source, so it proves nothing: a normal configuration refuses this key.
  demo: true
  keys:
    - { id: demo, algorithm: ES256, file: ${join(project, 'bundles/demo/demo.pub.pem')} }
${setup.shadow === undefined ? '' : `  shadow: { source: ${setup.shadow} }\n`}admin: { groups: [data-owners] }
listeners:
  - id: shop
    protocol: postgres
    listen: 127.0.0.1:${ports.gate}
    ${plain ? 'plain: true' : 'tls: { cert: ./gate.crt, key: ./gate.key }'}
    labels: { env: production }
    upstream:
      host: 127.0.0.1
      port: ${ports.postgres}
      ${plain ? 'plain: true' : 'tls: { ca: ./ca.crt, servername: localhost }'}
    credential:
      username: shop_owner
      secret: { env: SHOP_PASSWORD }
    sealed_credential:
      username: shop_sealed
      secret: ${setup.sealedSecret ?? '{ env: SHOP_SEALED_PASSWORD }'}
${setup.more ?? ''}`
}

/** A gate as a process, with everything it needs in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export const project = fileURLToPath(new URL('../', import.meta.url))
const entry = join(project, 'main.ts')
const issuer = 'https://issuer.test'

/** Planted as the credential: must never be seen again. */
export const canary = 'cnry-5d1f0c-upstream-secret'

export type Home = {
  readonly folder: string
  /** A token of somebody in these groups. */
  token(subject: string, groups: readonly string[]): Promise<string>
}

/** A folder with keys of an issuer and a postern.yaml; `change` edits the text before it is written. */
export async function home(change: (config: string) => string = (config) => config): Promise<Home> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-main-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [key] }))
  writeFileSync(join(folder, 'postern.yaml'), change(config))
  return {
    folder,
    token: (subject, groups) =>
      new SignJWT({ groups })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(issuer)
        .setAudience('postern')
        .setSubject(subject)
        .setExpirationTime('1h')
        .sign(privateKey),
  }
}

const config = `version: 1
state: ./state
server: { listen: 127.0.0.1:0 }
identity:
  issuer: ${issuer}
  audience: postern
  algorithms: [ES256]
  jwks: ./jwks.json
bundle:
  source: ${project}bundles/demo/demo.tar.gz
  demo: true
  keys: [{ id: demo, algorithm: ES256, file: ${project}bundles/demo/demo.pub.pem }]
admin: { groups: [admins] }
listeners:
  - id: shop
    protocol: postgres
    listen: 127.0.0.1:0
    plain: true
    labels: { env: production }
    upstream: { host: 127.0.0.1, port: 1, plain: true }
    credential: { username: shop_owner, secret: { env: SHOP_PASSWORD } }
`

export type Ran = { readonly status: number | null; readonly out: string; readonly err: string }

/** Runs `postern` to its end. */
export async function postern(
  home: Home | undefined,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = started(home, args, env)
  const [out, err] = [collected(child.stdout), collected(child.stderr)]
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { status, out: out(), err: err() }
}

export type Serving = {
  readonly child: ChildProcess
  readonly url: string
  /** The port of the listener. */
  readonly port: number
  log(): string
  readonly ended: Promise<number | null>
}

/** Starts `postern serve` and resolves when its log says so. */
export async function serving(home: Home): Promise<Serving> {
  const child = started(home, ['serve'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err] = [collected(child.stdout), collected(child.stderr)]
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => out().includes('"gate started"') && resolve())
    child.once('close', () => reject(new Error(`the gate ended: ${err()}${out()}`)))
  })
  const port = Number(/"resource":"shop".*?"port":(\d+)/.exec(out())?.[1])
  const url = `http://127.0.0.1:${/"server_port":(\d+)/.exec(out())?.[1]}`
  return { child, url, port, log: () => out() + err(), ended }
}

function started(
  home: Home | undefined,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn(process.execPath, [entry, ...args], {
    cwd: home?.folder ?? tmpdir(),
    env: { PATH: process.env['PATH'], SHOP_PASSWORD: canary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function collected(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

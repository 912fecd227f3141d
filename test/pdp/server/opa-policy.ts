/** One policy, served by us and by a real OPA. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { readArchive } from '../../../bundles/archive.ts'
import { readContent } from '../../../bundles/manifest.ts'
import { freePort } from '../../../deploy/demo/ports.ts'
import type { PolicyBundle } from '../../../pdp/parts.ts'
import { opa } from '../engine/kit.ts'

const rego = `package postern

# METADATA
# entrypoint: true
decision := {"effect": effect, "reasons": [{"rule": "r", "code": "c", "message": "m"}], "masks": [], "limits": [], "quotas": [], "obligations": []}

effect := "allow" if input.user == "alice"

effect := "deny" if object.get(input, "user", "") != "alice"
`

const app = `package app

# METADATA
# entrypoint: true
allow if input.user == "alice"

# METADATA
# entrypoint: true
profile := {"name": input.user, "roles": data.roles[input.user], "list": [1, {"a": null}]}

# METADATA
# entrypoint: true
falsy := false

# METADATA
# entrypoint: true
conflict := 1 if input.a

conflict := 2 if input.b

# METADATA
# entrypoint: true
broken := time.parse_rfc3339_ns(input.when)

# METADATA
# entrypoint: true
words := [word | some i in numbers.range(1, 200); word := sprintf("word %d of %s", [i, input.user])]
`

const health = `package system.health

# METADATA
# entrypoint: true
live if input.plugin_state

# METADATA
# entrypoint: true
text := "fine"
`

const data = {
  roles: { alice: ['admin'] },
  deep: { a: [1, { b: 'c' }], n: null, 'odd name': { 'x/y': 1 } },
}

export type Both = {
  readonly bundle: PolicyBundle
  /** Where the real OPA answers. */
  readonly url: string
  stop(): Promise<void>
}

/** Builds the policy and starts a real `opa run --server` with the same bundle. */
export async function both(): Promise<Both> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-opa-'))
  const source = join(folder, 'postern')
  mkdirSync(source)
  writeFileSync(join(source, 'decision.rego'), rego)
  writeFileSync(join(source, 'app.rego'), app)
  writeFileSync(join(source, 'health.rego'), health)
  writeFileSync(join(source, 'data.json'), JSON.stringify(data))
  const bundle = await built(folder)
  const port = await freePort()
  const child = spawn(
    opa,
    [
      ...['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error'],
      ...['--set', 'decision_logs.console=true', '--set', 'default_decision=/postern/decision'],
      ...['--bundle', 'postern', '--disable-telemetry'],
    ],
    { cwd: folder, stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  await up(url)
  return {
    bundle,
    url,
    async stop() {
      await ended(child)
      rmSync(folder, { recursive: true })
    },
  }
}

async function built(folder: string): Promise<PolicyBundle> {
  const output = join(folder, 'bundle.tar.gz')
  const args = ['build', '-t', 'wasm', '-e', 'postern/decision', '-r', 'r1', '-o', output]
  const made = spawnSync(opa, [...args, '-b', 'postern'], { cwd: folder, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
  const content = readContent(await readArchive(readFileSync(output)))
  return {
    name: 'postern',
    revision: 'r1',
    digest: 'd',
    entrypoint: 'postern/decision',
    wasm: content.wasm,
    data: content.data,
  }
}

async function up(url: string): Promise<void> {
  const until = Date.now() + 20_000
  while (Date.now() < until) {
    const answer = await fetch(`${url}/health?bundles`).catch(() => undefined)
    if (answer?.ok === true) return
    await pause(50)
  }
  throw new Error('opa did not start')
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const end = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await end
}

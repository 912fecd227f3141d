import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { Input } from '../../../pdp/contract.ts'
import type { PolicyBundle } from '../../../pdp/parts.ts'

/** The pinned opa; `make setup` puts it there. */
export const opa = fileURLToPath(new URL('../../../.tools/opa', import.meta.url))
const capabilities = fileURLToPath(
  new URL('../../../pdp/engine/capabilities.json', import.meta.url),
)
const policies = fileURLToPath(new URL('./policies/', import.meta.url))

export type Source = {
  readonly rego: string
  readonly data?: unknown
  readonly entrypoint?: string
  /** Accept what any gate could provide, ours or not. */
  readonly anyBuiltin?: true
}

/** The text of one of the policies in `policies/`. */
export function policyText(name: string): string {
  return readFileSync(join(policies, `${name}.rego`), 'utf8')
}

/** Compiles a policy with `opa build -t wasm` into a bundle ready to be activated. */
export function bundle(source: Source): PolicyBundle {
  const { rego, data = {}, entrypoint = 'postern/decision', anyBuiltin } = source
  return inFolder((folder) => {
    mkdirSync(join(folder, 'in'))
    writeFileSync(join(folder, 'in', 'policy.rego'), rego)
    const limits = anyBuiltin ? [] : ['--capabilities', capabilities]
    const output = join(folder, 'bundle.tar.gz')
    const made = spawnSync(
      opa,
      ['build', '-t', 'wasm', ...limits, '-e', entrypoint, '-o', output, '-b', 'in'],
      { cwd: folder, encoding: 'utf8' },
    )
    if (made.status !== 0) throw new Error(made.stderr + made.stdout)
    const archive = readFileSync(output)
    return {
      name: 'test',
      revision: 'r1',
      digest: createHash('sha256').update(archive).digest('hex'),
      entrypoint,
      wasm: member(gunzipSync(archive), '/policy.wasm'),
      data,
    }
  })
}

/** What `opa eval` answers for an expression, `undefined` where it is undefined. */
export function opaEval(rego: string, expression: string, document: unknown): unknown {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'policy.rego'), rego)
    writeFileSync(join(folder, 'input.json'), JSON.stringify(document))
    const args = ['eval', '-f', 'json', '-d', 'policy.rego', '-i', 'input.json', expression]
    const out = execFileSync(opa, args, { cwd: folder, maxBuffer: 1 << 28 }).toString()
    const { result } = JSON.parse(out) as { result?: { expressions: { value: unknown }[] }[] }
    return result?.[0]?.expressions[0]?.value
  })
}

/** What `opa eval` answers for an expression under each input, in one run. */
export function opaEvalAll(
  rego: string,
  expression: string,
  inputs: readonly unknown[],
  data: object,
): readonly unknown[] {
  const constants = Object.entries(data).map(
    ([name, value]) => `${name} := ${JSON.stringify(value)}`,
  )
  const given = Object.keys(data).reduce(
    (text, name) => text.replaceAll(`data.${name}[`, `${name}[`),
    `${rego}\n${constants.join('\n')}\n`,
  )
  const each = `[answer | some i; asked := input.inputs[i]; answer := ${expression} with input as asked]`
  return opaEval(given, each, { inputs }) as readonly unknown[]
}

/** A complete question, with what a test wants different about its command. */
export function question(action: Record<string, unknown> = {}, more: Partial<Input> = {}): Input {
  return {
    v: 1,
    phase: 'command',
    subject: {
      id: 'ann@example.com',
      type: 'human',
      issuer: 'https://issuer.example.com',
      groups: ['analysts', 'staff'],
      claims: { email: 'ann@example.com', department: 'sales' },
      actor: null,
    },
    resource: { id: 'shop', protocol: 'postgres', labels: { env: 'production', tier: '1' } },
    action: { name: 'select', effects: ['read'], objects: [], ...action },
    context: {
      peer: '10.1.2.3:50122',
      tls: true,
      database: 'shop',
      user: 'ann',
      application: 'psql',
      state: {},
      grants: [],
      capabilities: ['mask:redact', 'limit:rows'],
    },
    counts: {
      groups: 2,
      claims: 2,
      labels: 2,
      effects: 1,
      objects: 0,
      columns: 0,
      outputs: 0,
      predicates: 0,
      grants: 0,
      incomplete: 0,
    },
    ...more,
  }
}

/** The same numbers for the same seed, between 0 and 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'postern-engine-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The bytes of one member of a tar archive. */
function member(tar: Buffer, name: string): Buffer {
  for (let at = 0; at < tar.length; ) {
    const found = tar.toString('utf8', at, tar.indexOf(0, at))
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8)
    if (found === name) return tar.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil((size || 0) / 512) * 512
  }
  throw new Error(`the archive has no ${name}`)
}

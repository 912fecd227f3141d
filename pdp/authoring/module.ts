import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArchive } from '../../bundles/archive.ts'
import { Failure } from '../commands/io.ts'
import { builtins } from '../engine/builtins.ts'
import { type Policy, policy } from '../engine/policy.ts'
import type { PolicyBundle } from '../parts.ts'
import { complaint, type Opa, opa } from './opa.ts'

/** What gates provide, and what opa may therefore use. */
const capabilities = fileURLToPath(new URL('../engine/capabilities.json', import.meta.url))

/** What to compile from a folder. */
export type Wanted = {
  /** Paths of rules, as `package/rule`; the first is what the policy answers. */
  readonly entrypoints: readonly string[]
  /** Take builtins that gates do not provide, as long as no entrypoint comes to them. */
  readonly lax?: boolean
  /** Names of files to leave out, as `*_test.rego`. */
  readonly ignore?: string
}

/** Rules of a folder, loaded as a gate loads a bundle. Throws an Error with what opa, or the gate's engine, said. */
export async function compiled(from: Opa, wanted: Wanted): Promise<Policy> {
  return policy(await folderBundle(from, wanted), builtins)
}

/** Rules of a folder, compiled as a bundle is but signed by nobody: for authors alone. Throws Failure. */
export async function folderBundle(from: Opa, wanted: Wanted): Promise<PolicyBundle> {
  const { entrypoints } = wanted
  const folder = await mkdtemp(join(tmpdir(), 'postern-module-'))
  try {
    const output = join(folder, 'bundle.tar.gz')
    const said = await opa(from, argsOf(wanted, output))
    if (said.status !== 0) throw new Failure(complaint(said))
    const files = await readArchive(await readFile(output))
    const content = (name: string) => files.find((file) => file.name === name)?.content
    const wasm = content('policy.wasm')
    if (wasm === undefined) throw new Failure('opa made no module')
    const data: unknown = JSON.parse(content('data.json')?.toString() ?? '{}')
    const [entrypoint = ''] = entrypoints
    return { name: 'folder', revision: '', digest: '', entrypoint, wasm, data }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// Without --prune-unused opa makes an entrypoint of everything that depends on one, and fails on functions.
function argsOf({ entrypoints, lax, ignore }: Wanted, output: string): readonly string[] {
  return [
    ...['build', '--bundle', '.', '--target', 'wasm', '--prune-unused', '--output', output],
    ...(lax === true ? [] : ['--capabilities', capabilities]),
    ...(ignore === undefined ? [] : ['--ignore', ignore]),
    ...entrypoints.flatMap((path) => ['--entrypoint', path]),
  ]
}

import { readArchive } from './archive.ts'
import { sha256 } from './digest.ts'
import { claimed, signatureFile, signaturesOf } from './envelope.ts'
import { readManifest } from './manifest.ts'
import { neededBuiltins } from './module.ts'
import type { BundleFile } from './tar.ts'
import { when } from './time.ts'

/** What a bundle says it is. Nothing of it is checked: that is `verifyBundle`. */
export type Inspection = {
  readonly digest: string
  readonly revision: string
  readonly roots: readonly string[]
  readonly entrypoints: readonly string[]
  readonly builtins: readonly string[]
  readonly signature: string
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

/** Reads any bundle for people. Throws only when it is no archive, or its manifest or module cannot be read. */
export async function inspectBundle(bytes: Buffer): Promise<Inspection> {
  const files = await readArchive(bytes)
  const { revision, roots, wasm } = readManifest(files)
  const module = files.find(({ name }) => name === 'policy.wasm')
  return {
    digest: sha256(bytes),
    revision,
    roots,
    entrypoints: wasm.map(({ entrypoint }) => entrypoint),
    builtins: module === undefined ? [] : await neededBuiltins(module.content),
    signature: signatureState(files),
    files: files.map(({ name, content }) => ({ name, bytes: content.length })),
  }
}

/** One line about a bundle: its revision and who signed it. */
export async function describeBundle(bytes: Buffer): Promise<string> {
  const files = await readArchive(bytes)
  return `revision ${readManifest(files).revision || 'none'}, ${signatureState(files)}`
}

function signatureState(files: readonly BundleFile[]): string {
  if (!files.some(({ name }) => name === signatureFile)) return 'none'
  try {
    const signatures = signaturesOf(files).map(claimed)
    const { postern_sequence: sequence, exp, scope } = signatures[0]?.claims ?? {}
    const facts = [
      ...signatures.map(({ alg, kid }) => `${alg ?? 'no algorithm'}, key id ${kid ?? 'not named'}`),
      ...(sequence === undefined ? [] : [`sequence ${sequence}`]),
      ...(exp === undefined ? [] : [`expires ${when(exp)}`]),
      ...(scope === undefined ? [] : [`scope ${scope}`]),
    ]
    return facts.join(', ')
  } catch (error) {
    return `unreadable: ${error instanceof Error ? error.message : 'unknown'}`
  }
}

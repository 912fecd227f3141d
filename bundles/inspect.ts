import { readArchive } from './archive.ts'
import { sha256 } from './digest.ts'
import { readManifest } from './manifest.ts'
import { neededBuiltins } from './module.ts'
import { claimed, onlySignature, signatureFile } from './signature.ts'

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

function signatureState(files: Parameters<typeof onlySignature>[0]): string {
  if (!files.some(({ name }) => name === signatureFile)) return 'none'
  try {
    const { alg, kid, claims } = claimed(onlySignature(files))
    const { postern_sequence: sequence, exp, scope } = claims
    const facts = [
      `${alg ?? 'no algorithm'}, key id ${kid ?? 'not named'}`,
      ...(sequence === undefined ? [] : [`sequence ${sequence}`]),
      ...(exp === undefined ? [] : [`expires at ${exp} s`]),
      ...(scope === undefined ? [] : [`scope ${scope}`]),
    ]
    return `${facts.join(', ')} (not checked)`
  } catch (error) {
    return `unreadable: ${error instanceof Error ? error.message : 'unknown'}`
  }
}

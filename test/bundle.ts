import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildBundle } from '../bundles/build.ts'
import { entrypoint, readContent } from '../bundles/manifest.ts'
import type { PolicyBundle } from '../pdp/parts.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The policy library with the policies and data in a folder, compiled; unsigned, for engines in the test's own process. */
export async function libraryWith(policies: string): Promise<PolicyBundle> {
  const source = mkdtempSync(join(tmpdir(), 'postern-library-'))
  try {
    cpSync(at('../rego/postern'), join(source, 'postern'), { recursive: true })
    cpSync(policies, source, { recursive: true })
    const opa = at('../.tools/opa')
    const { wasm, data } = readContent(await buildBundle({ source, revision: 'test', opa }))
    return { name: 'test', revision: 'test', digest: 'test', entrypoint, wasm, data }
  } finally {
    rmSync(source, { recursive: true, force: true })
  }
}

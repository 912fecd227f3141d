import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildBundle } from '../../bundles/build.ts'
import { packSigned, type SignOptions } from '../../bundles/sign.ts'
import type { BundleFile } from '../../bundles/tar.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import type { Decision, Input, MaskRule } from '../../pdp/contract.ts'
import { engine, type ManagedEngine } from '../../pdp/engine/engine.ts'
import { ours, trust } from '../bundles/kit.ts'
import { allow, deny, held } from '../pdp/kit.ts'

const project = fileURLToPath(new URL('../../', import.meta.url))

/** A policy that goes by the marks in a command: `deny…`, `hold…`, `mask…`, and `once…`, which passes one time only. */
export function byMark(masks: readonly MaskRule[]): (input: Input) => Decision {
  const passed = new Set<string>()
  return ({ phase, action }) => {
    if (phase === 'connect') return allow
    const text = JSON.stringify(action)
    if (text.includes('deny')) return deny
    if (text.includes('hold')) return held()
    const once = /once\w*/.exec(text)?.[0]
    if (once !== undefined && passed.has(once)) return deny
    if (once !== undefined) passed.add(once)
    return text.includes('mask') ? { ...allow, masks } : allow
  }
}

/** What `opa build` makes of the policy library with these policies, by file name. */
export async function compiled(
  policies: Readonly<Record<string, string>>,
  data: object = {},
  revision = 'r1',
): Promise<readonly BundleFile[]> {
  const source = mkdtempSync(join(tmpdir(), 'postern-conformance-'))
  try {
    cpSync(join(project, 'rego/postern'), join(source, 'postern'), { recursive: true })
    mkdirSync(join(source, 'policies'))
    for (const [name, text] of Object.entries(policies))
      writeFileSync(join(source, 'policies', name), text)
    writeFileSync(join(source, 'data.json'), JSON.stringify(data))
    return await buildBundle({ source, revision, opa: join(project, '.tools/opa') })
  } finally {
    rmSync(source, { recursive: true, force: true })
  }
}

/** The same, signed with the key that tests trust. */
export function signed(
  files: readonly BundleFile[],
  options: Partial<SignOptions> = {},
): Promise<Buffer> {
  return packSigned(files, { pem: ours.private, ...options })
}

/** The real engine in charge of these policies. */
export async function ruledBy(
  policies: Readonly<Record<string, string>>,
  data: object = {},
): Promise<ManagedEngine> {
  const made = engine()
  const bytes = await signed(await compiled(policies, data))
  await made.activate(await verifyBundle(bytes, trust, { name: 'test' }))
  return made
}

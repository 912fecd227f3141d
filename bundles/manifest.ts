/** The parts of a bundle that mean something: manifest, module, data. */
import * as z from 'zod'
import { codeOf } from '../pdp/engine/code.ts'
import { utf8 } from './canonical.ts'
import type { BundleFile } from './tar.ts'

/** The one rule a gate asks. */
export const entrypoint = 'postern/decision'

const shape = z.object({
  revision: z.string().default(''),
  roots: z.array(z.string()).default(['']),
  wasm: z.array(z.object({ entrypoint: z.string(), module: z.string() })).default([]),
  metadata: z.record(z.string(), z.unknown()).optional(),
})

export type Manifest = z.infer<typeof shape>

/** What a gate evaluates. */
export type Content = {
  readonly manifest: Manifest
  readonly wasm: Buffer
  readonly data: Readonly<Record<string, unknown>>
}

/** Reads what a gate evaluates out of a bundle's files. Throws an Error that names the file and the fix. */
export function readContent(files: readonly BundleFile[]): Content {
  refuseUnread(files)
  const manifest = readManifest(files)
  checkRoots(manifest)
  const wasm = readModule(files, manifest)
  const data = readData(files)
  // What a gate would refuse to load is not built either.
  codeOf(data)
  const outside = Object.keys(data).find((key) => !covered(key, manifest.roots))
  if (outside !== undefined)
    throw new Error(`data.json holds ${JSON.stringify(outside)}, which no root of .manifest covers`)
  return { manifest, wasm, data }
}

/** The manifest; an empty one when there is no such file. */
export function readManifest(files: readonly BundleFile[]): Manifest {
  const file = files.find(({ name }) => name === '.manifest')
  const read = shape.safeParse(file === undefined ? {} : json(file))
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new Error(`.manifest: ${issue?.path.join('.')}: ${issue?.message}`)
}

/** Files that OPA would read and a gate does not: what is signed must be what is evaluated. */
function refuseUnread(files: readonly BundleFile[]): void {
  for (const { name } of files) {
    const base = name.slice(name.lastIndexOf('/') + 1)
    if (name.endsWith('patch.json'))
      throw new Error(`${name} makes this a delta bundle; push a whole one (opa build)`)
    if (base === '.manifest.pb' || (base === '.manifest' && name !== base))
      throw new Error(`${name} is a second manifest; only /.manifest is read`)
    if (/^data\.ya?ml$/.test(base) || (base === 'data.json' && name !== base))
      throw new Error(`${name}: only /data.json is read; \`opa build\` merges all data into it`)
    if (name.endsWith('.wasm') && name !== 'policy.wasm')
      throw new Error(`${name} is a second module; only /policy.wasm is read`)
  }
}

function checkRoots({ roots }: Manifest): void {
  const trimmed = roots.map((root) => root.replace(/^\/+|\/+$/g, ''))
  for (const [at, root] of trimmed.entries()) {
    const other = trimmed.find((known, index) => index !== at && under(root, known))
    if (other !== undefined)
      throw new Error(`.manifest: the roots ${JSON.stringify([other, root])} overlap`)
  }
  if (!trimmed.some((root) => under(entrypoint, root)))
    throw new Error(`.manifest: no root covers ${entrypoint}: roots are ${JSON.stringify(roots)}`)
}

function readModule(files: readonly BundleFile[], { wasm }: Manifest): Buffer {
  const module = files.find(({ name }) => name === 'policy.wasm')
  if (module === undefined)
    throw new Error('the bundle holds no policy.wasm: build it with `opa build -t wasm`')
  const names = wasm.map((one) => one.entrypoint)
  if (!names.includes(entrypoint))
    throw new Error(
      `the bundle must have the entrypoint ${entrypoint}, ` +
        `and has ${names.join(', ') || 'none'} (opa build -e ${entrypoint})`,
    )
  // Others are for those who ask without a command (OPA's data API), of the same module.
  const other = wasm.find((one) => one.module.replace(/^\//, '') !== module.name)
  if (other !== undefined)
    throw new Error(`.manifest: the entrypoint ${other.entrypoint} is in ${other.module}`)
  return module.content
}

function readData(files: readonly BundleFile[]): Readonly<Record<string, unknown>> {
  const file = files.find(({ name }) => name === 'data.json')
  if (file === undefined) return {}
  const data = json(file, exact)
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Error('data.json must hold an object')
  return { ...data }
}

function json({ name, content }: BundleFile, revive?: typeof exact): unknown {
  try {
    return JSON.parse(utf8(content), revive)
  } catch (error) {
    const why = error instanceof RangeError ? `: ${error.message}` : ''
    throw new Error(`${name} is not JSON in UTF-8${why}`)
  }
}

/** Whole numbers stay what was signed, also beyond 2^53: as bigint, which the engine takes. */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  if (!Number.isFinite(value)) throw new RangeError(`${context?.source} is too large a number`)
  const { source = '' } = context ?? {}
  return /^-?\d{1,1000}$/.test(source) ? BigInt(source) : value
}

/** A key of data lies under a root, or a root lies under it: deeper roots are OPA's to check when it builds. */
function covered(key: string, roots: readonly string[]): boolean {
  return roots
    .map((root) => root.replace(/^\/+|\/+$/g, ''))
    .some((root) => under(key, root) || under(root, key))
}

/** Whether a path lies at or under a root, segment by segment. */
function under(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}/`)
}

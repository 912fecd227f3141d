import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import type { PolicyBundle } from '../pdp/parts.ts'
import { archiveBytesMax } from './archive.ts'

/** What is remembered across restarts besides the bundle itself. */
export type Memory = {
  /** The highest sequence ever activated. */
  readonly sequence?: number
  /** Digest of the bundle activated last. */
  readonly digest?: string
  /** When a source last said that the bundle is the newest, in milliseconds since the epoch. */
  readonly refreshedMs?: number
}

/** Keeps the last good bundle, and what guards against older ones. */
export interface Store {
  /** The bytes of the bundle activated last, to be verified again; undefined when there are none. */
  last(): Promise<Buffer | undefined>
  /** What was remembered. Throws when it is there and cannot be read: forgetting would allow a rollback. */
  memory(): Promise<Memory>
  /** Both return when the disk has it. */
  keep(bytes: Buffer): Promise<void>
  remember(memory: Memory): Promise<void>
}

const shape = z.object({
  sequence: z.int().nonnegative().optional(),
  digest: z.string().optional(),
  refreshed_ms: z.number().optional(),
})

/** A store in a folder: `<name>.tar.gz` and `<name>.json`, each replaced as a whole. */
export function folderStore(folder: string, name: string): Store {
  if (!/^[\w-][\w.-]{0,99}$/.test(name))
    throw new Error(`the bundle name ${JSON.stringify(name)} is not letters, digits, "." "_" "-"`)
  const bundle = join(folder, `${name}.tar.gz`)
  const state = join(folder, `${name}.json`)
  return {
    async last() {
      const found = await stat(bundle).catch(absent)
      if (found === undefined) return undefined
      if (found.size > archiveBytesMax) throw new Error(`${bundle} is larger than a bundle may be`)
      return readFile(bundle)
    },
    async memory() {
      const text = await readFile(state, 'utf8').catch(absent)
      return text === undefined ? {} : parse(text, state)
    },
    keep: (bytes) => replaceFile(bundle, bytes),
    remember: ({ sequence, digest, refreshedMs }) =>
      replaceFile(state, `${JSON.stringify({ sequence, digest, refreshed_ms: refreshedMs })}\n`),
  }
}

/** Throws unless the bundle is the remembered one or newer: an older policy, however well signed, must not come back. */
export function refuseRollback(bundle: PolicyBundle, memory: Memory): void {
  const { sequence: known, digest } = memory
  if (known === undefined || bundle.digest === digest) return
  const fix = 'sign it again with a higher one (postern bundle sign --sequence)'
  if (bundle.sequence === undefined)
    throw new Error(`the bundle has no postern_sequence and ${known} was already active: ${fix}`)
  if (bundle.sequence < known)
    throw new Error(`the bundle's sequence ${bundle.sequence} is older than ${known}: ${fix}`)
  if (bundle.sequence === known)
    throw new Error(`the sequence ${known} was already used by another bundle: ${fix}`)
}

function parse(text: string, path: string): Memory {
  try {
    const { sequence, digest, refreshed_ms } = shape.parse(JSON.parse(text))
    return {
      ...(sequence === undefined ? {} : { sequence }),
      ...(digest === undefined ? {} : { digest }),
      ...(refreshed_ms === undefined ? {} : { refreshedMs: refreshed_ms }),
    }
  } catch {
    throw new Error(
      `${path} cannot be read, so older bundles could not be told apart; ` +
        'restore it, or delete it to accept any signed bundle once',
    )
  }
}

/** Writes beside, flushes, renames, flushes the folder: after a crash there is the old file or the new one. Its folder is made. */
export async function replaceFile(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.tmp`
  await using file = await open(beside, 'w', 0o600)
  await file.writeFile(content)
  await file.sync()
  await rename(beside, path)
  await using folder = await open(dirname(path), 'r')
  await folder.sync()
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

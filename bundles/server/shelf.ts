/** The published bundles of one name on disk. */
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { replaceFile } from '../store.ts'

/** One published bundle; snake_case because it is stored and shown. */
export type Release = z.infer<typeof release>

/** What is published under a name. */
export type Shelved = z.infer<typeof shelved>

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const release = z.object({
  digest,
  revision: z.string(),
  sequence: z.int().nonnegative(),
  bytes: z.int().positive(),
  pushed_ms: z.number(),
  pushed_by: z.string(),
})
const shelved = z.object({
  /** The highest sequence that was ever published. */
  sequence: z.int().nonnegative().optional(),
  stable: digest.optional(),
  canary: z.object({ digest, selection: z.string() }).optional(),
  /** Newest first. */
  releases: z.array(release),
})

/** Where releases are kept and found again. */
export interface Shelf {
  /** What was published. Throws when it is there and cannot be read: forgetting would allow a rollback. */
  read(): Promise<Shelved>
  /** Returns when the disk has it. */
  write(next: Shelved): Promise<void>
  keep(digest: string, bytes: Buffer): Promise<void>
  drop(digest: string): Promise<void>
  open(digest: string): Promise<FileHandle>
}

/** The file that changes whenever something else is published; the others are named by digest beside it. */
export function indexPath(folder: string, name: string): string {
  return join(folder, name, 'index.json')
}

/** A shelf in `<folder>/<name>`. */
export function shelf(folder: string, name: string): Shelf {
  const index = indexPath(folder, name)
  const path = (digest: string): string => join(folder, name, `${digest}.tar.gz`)
  return {
    async read() {
      const text = await readFile(index, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? { releases: [] } : parsed(text, index)
    },
    write: (next) => replaceFile(index, `${JSON.stringify(next)}\n`),
    keep: (digest, bytes) => replaceFile(path(digest), bytes),
    drop: (digest) => rm(path(digest), { force: true }),
    open: (digest) => open(path(digest), 'r'),
  }
}

function parsed(text: string, path: string): Shelved {
  try {
    return shelved.parse(JSON.parse(text))
  } catch {
    throw new Error(
      `${path} cannot be read, so older bundles could not be told apart; ` +
        'restore it, or delete its folder and push again with a higher sequence',
    )
  }
}

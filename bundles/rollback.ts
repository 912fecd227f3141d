/** The exception to "never an older bundle": somebody who may write to the gate's state allows one of them, once. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { replaceFile } from './store.ts'

const shape = z.object({
  sequence: z.int().nonnegative(),
  because: z.string().min(1).max(500),
  by: z.string().max(100),
  until_ms: z.number(),
})

/** Which bundle may come back, who said so and why; snake_case because it is stored. */
export type Permit = z.infer<typeof shape>

/** How long a permit waits for its bundle. */
export const permitMs = 24 * 60 * 60 * 1000

/** Where the permit of a bundle's name is kept. */
export interface Permits {
  /** Allows one older bundle; another permit that was not used yet is forgotten. */
  grant(permit: Permit): Promise<void>
  /** The permit for this sequence, which is gone then; undefined when there is none. */
  take(sequence: number | undefined): Promise<Permit | undefined>
}

/** Permits in the folder where a gate remembers its bundles. */
export function folderPermits(folder: string, name: string, now: () => number = Date.now): Permits {
  const path = join(folder, `${name}.rollback.json`)
  return {
    grant: (permit) => replaceFile(path, `${JSON.stringify(permit)}\n`),
    async take(sequence) {
      const text = await readFile(path, 'utf8').catch(() => undefined)
      const permit = text === undefined ? undefined : parsed(text)
      if (permit === undefined || permit.sequence !== sequence) return undefined
      // Gone before it is used: whatever fails afterwards, it does not work twice.
      await rm(path)
      return permit.until_ms < now() ? undefined : permit
    },
  }
}

function parsed(text: string): Permit | undefined {
  try {
    return shape.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

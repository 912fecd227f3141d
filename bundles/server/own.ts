import { fileChanged, lookMs } from '../file.ts'
import type { Source } from '../source.ts'
import { indexPath, shelf } from './shelf.ts'

/** The stable bundle that this process, or another one with the same folder, publishes under a name. */
export function publishedSource(folder: string, name: string): Source {
  const on = shelf(folder, name)
  return {
    place: `published as ${name}`,
    retryMsMax: lookMs,
    async fetch(known) {
      const { stable } = await on.read()
      if (stable === undefined) throw new Error(`nothing was published as ${name} yet`)
      if (stable === known) return { kind: 'unchanged' }
      await using file = await on.open(stable)
      return { kind: 'bundle', bytes: await file.readFile(), tag: stable }
    },
    changed: (signal) => fileChanged(indexPath(folder, name), signal),
  }
}

import { join } from 'node:path'
import { folderStore } from '../../bundles/store.ts'
import { type Supply, supply } from '../../bundles/supply.ts'
import type { Observe } from '../parts.ts'
import { type Shadow, shadow } from '../shadow/shadow.ts'
import { sourceOf, trustOf } from './parts.ts'
import type { Settings } from './settings.ts'

/** The shadow of a running gate and, where a candidate is configured, what supplies it. */
export type Shadowing = {
  readonly shadow: Shadow
  readonly candidate: Supply | undefined
  close(): Promise<void>
}

export type ShadowingParts = {
  readonly settings: Settings
  readonly observe: Observe
  failed(error: Error): void
}

/** Starts to fetch the candidate that the settings name; it must be signed like any other bundle. */
export function shadowing({ settings, observe, failed }: ShadowingParts): Shadowing {
  const { bundle, gate, audit, state } = settings
  const beside = shadow({ folder: audit.folder, failed })
  const { shadow: place } = bundle
  if (place === undefined)
    return { shadow: beside, candidate: undefined, close: () => beside.close() }
  const name = `${bundle.name}-shadow`
  const ending = new AbortController()
  const candidate = supply({
    name,
    source: sourceOf(place, gate),
    trust: trustOf(bundle),
    store: folderStore(join(state, 'bundles'), name),
    activate: (next) => beside.activate(next),
    refreshed: () => undefined,
    observe,
    signal: ending.signal,
  })
  return {
    shadow: beside,
    candidate,
    async close() {
      ending.abort()
      await candidate.ended
      await beside.close()
    },
  }
}

import { type Supply, supply } from '../../../bundles/supply.ts'
import type { OpenCourt } from '../../court.ts'
import { permitsOf, sourceOf, storeOf, trustOf } from '../parts.ts'
import type { Settings } from '../settings.ts'

/** A supply with the handle that ends it. */
export type OpenSupply = { readonly policy: Supply; close(): Promise<void> }

/** Starts to keep the gate's own bundle up to date. */
export function supplied(settings: Settings, { engine, observe }: OpenCourt): OpenSupply {
  const { bundle, gate } = settings
  const ending = new AbortController()
  const policy = supply({
    name: bundle.name,
    source: sourceOf(bundle, gate),
    trust: trustOf(bundle),
    store: storeOf(settings),
    permits: permitsOf(settings),
    activate: (next, confirmedMs) => engine.activate(next, confirmedMs),
    refreshed: (atMs) => engine.refreshed(atMs),
    observe,
    signal: ending.signal,
  })
  return {
    policy,
    close() {
      ending.abort()
      return policy.ended
    },
  }
}

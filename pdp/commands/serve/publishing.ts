import { fleet } from '../../../bundles/server/fleet.ts'
import { publisher } from '../../../bundles/server/publisher.ts'
import { engine } from '../../engine/engine.ts'
import type { Identity } from '../../parts.ts'
import type { Publishing } from '../../server/publishing.ts'
import { trustOf } from '../parts.ts'
import { readerOf } from '../reach.ts'
import type { Serving } from './serving.ts'

/** A bundle server with the handle that answers whoever waits for news. */
export type OpenPublishing = Publishing & { stop(): void }

/** The bundle server of this process; undefined when it is none. Throws when what is published cannot be read. */
export async function publishing(
  { settings, env }: Serving,
  identity: Identity,
): Promise<OpenPublishing | undefined> {
  const { bundle, bundleServer } = settings
  if (bundleServer === undefined) return undefined
  const { folder, names, keep, gatesMax, push, pull } = bundleServer
  const published = await publisher({
    folder,
    names,
    keep,
    trust: trustOf(bundle),
    // An engine of its own, so that a push changes nothing here.
    tried: (next) => engine().activate(next),
  })
  const ending = new AbortController()
  return {
    stop: () => ending.abort(),
    stopping: ending.signal,
    publisher: published,
    pushers: push,
    waitersMax: gatesMax,
    pulling: {
      identity,
      groups: pull.groups,
      token: pull.token && readerOf(pull.token, env),
      certificates: pull.clientCa !== undefined,
      open: pull.open,
    },
    fleet: fleet({
      gatesMax,
      target(name, gate) {
        if (!names.includes(name)) return undefined
        const release = published.releaseFor(name, gate)
        const { canary } = published.publication(name)
        return release && { ...release, canary: release.digest === canary?.digest }
      },
    }),
  }
}

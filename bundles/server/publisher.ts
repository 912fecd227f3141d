import type { FileHandle } from 'node:fs/promises'
import type { PolicyBundle } from '../../pdp/parts.ts'
import { Refusal } from '../../pdp/refusal.ts'
import type { Trust } from '../trust.ts'
import { verifyBundle } from '../verify.ts'
import { type GateName, type Selection, selectionOf, selectionText, selects } from './selection.ts'
import { type Release, type Shelf, type Shelved, shelf } from './shelf.ts'
import { refuseConflict } from './turn.ts'

export type PublisherOptions = {
  readonly folder: string
  /** The names that may be published. */
  readonly names: readonly string[]
  /** Who must have signed; a bundle without a sequence is refused whatever it says. */
  readonly trust: Trust
  /** How many releases stay on disk per name. */
  readonly keep: number
  /** Throws an Error when gates could not load it. */
  tried(bundle: PolicyBundle): Promise<void>
}

/** How a push is meant. */
export type Intent = {
  readonly by: string
  /** Only these gates get it, until it is promoted or aborted. */
  readonly canary?: Selection | undefined
  /** It replaces a canary and what was there before it. */
  readonly abort?: boolean
}

/** What is published under a name, as the API shows it. */
export type Publication = {
  readonly name: string
  readonly sequence?: number
  readonly stable?: Release
  readonly canary?: Release & { readonly selection: string }
  readonly releases: readonly Release[]
}

/** Keeps what gates may fetch. Methods throw Refusal when a name is not published here or the push is refused. */
export interface Publisher {
  readonly names: readonly string[]
  /** Checks and publishes; `created` is false when it was published so already. */
  push(
    name: string,
    bytes: Buffer,
    intent: Intent,
  ): Promise<{ publication: Publication; created: boolean }>
  /** Gives the canary to every gate; with a digest, only when it is still that one. */
  promote(name: string, digest?: string): Promise<Publication>
  publication(name: string): Publication
  /** The release a gate is to run; one that does not say who it is never gets a canary. */
  releaseFor(name: string, gate: GateName | undefined): Release | undefined
  open(name: string, digest: string): Promise<FileHandle>
  /** Calls back at every change, until the returned function is called. */
  watch(name: string, changed: () => void): () => void
}

/** Opens the folder. Throws an Error when what is in it cannot be read. */
export async function publisher(options: PublisherOptions): Promise<Publisher> {
  const { names, folder } = options
  const trust: Trust = { ...options.trust, required: ['sequence'] }
  const lines = new Map<string, Line>()
  // One after the other: there are few, and the first that cannot be read stops the start.
  for (const name of names) {
    const on = shelf(folder, name)
    lines.set(name, { on, now: await on.read(), watchers: new Set(), turn: Promise.resolve() })
  }

  return {
    names,
    push,
    promote: (name, digest) => inTurn(lineOf(name), (line) => promoted(name, line, digest)),
    publication: (name) => publicationOf(name, lineOf(name).now),
    releaseFor: (name, gate) => releaseFor(name, lineOf(name).now, gate),
    open: (name, digest) => lineOf(name).on.open(digest),
    watch(name, changed) {
      const { watchers } = lineOf(name)
      watchers.add(changed)
      return () => void watchers.delete(changed)
    },
  }

  function lineOf(name: string): Line {
    const line = lines.get(name)
    if (line !== undefined) return line
    throw new Refusal('not_found', `no bundle ${JSON.stringify(name)} is published here`, {
      remedy: `published here: ${names.join(', ')} (bundle_server.names)`,
    })
  }

  async function push(name: string, bytes: Buffer, intent: Intent) {
    const line = lineOf(name)
    const bundle = await acceptable(name, bytes)
    return inTurn(line, async () => {
      const change = refuseConflict(line.now, bundle, intent)
      if (change === 'none') return { publication: publicationOf(name, line.now), created: false }
      if (change === 'new') await line.on.keep(bundle.digest, bytes)
      await settle(line, after(line.now, releaseOf(bundle, bytes, intent.by), intent))
      return { publication: publicationOf(name, line.now), created: true }
    })
  }

  async function acceptable(name: string, bytes: Buffer): Promise<PolicyBundle> {
    try {
      const bundle = await verifyBundle(bytes, trust, { name })
      await options.tried(bundle)
      return bundle
    } catch (error) {
      throw new Refusal('bundle_refused', error instanceof Error ? error.message : undefined, {
        remedy: 'postern bundle verify says the same where it was built; nothing was published',
      })
    }
  }

  async function promoted(name: string, line: Line, wanted?: string): Promise<Publication> {
    const { canary, ...rest } = line.now
    if (canary === undefined)
      throw new Refusal('bundle_conflict', `there is no canary of ${name} to promote`, {
        remedy: 'push one first: postern push --canary share=10',
      })
    if (wanted !== undefined && wanted !== canary.digest)
      throw new Refusal('bundle_conflict', `the canary of ${name} is ${canary.digest} by now`, {
        remedy: 'look at it first: GET /v1/bundles',
      })
    await settle(line, { ...rest, stable: canary.digest })
    return publicationOf(name, line.now)
  }

  /** Puts it on disk, forgets what is too old, then tells who waits. */
  async function settle(line: Line, next: Shelved): Promise<void> {
    const kept = next.releases.filter(
      ({ digest }, at) =>
        at < options.keep || digest === next.stable || digest === next.canary?.digest,
    )
    await line.on.write({ ...next, releases: kept })
    const gone = next.releases.filter((release) => !kept.includes(release))
    line.now = { ...next, releases: kept }
    for (const { digest } of gone) await line.on.drop(digest)
    for (const changed of [...line.watchers]) changed()
  }
}

type Line = {
  readonly on: Shelf
  readonly watchers: Set<() => void>
  now: Shelved
  turn: Promise<unknown>
}

/** One change of a name after the other. */
function inTurn<Value>(line: Line, work: (line: Line) => Promise<Value>): Promise<Value> {
  const turn = line.turn.then(() => work(line))
  line.turn = turn.catch(() => undefined)
  return turn
}

function after(now: Shelved, release: Release, { canary }: Intent): Shelved {
  const others = now.releases.filter(({ digest }) => digest !== release.digest)
  const known = now.releases.find(({ digest }) => digest === release.digest)
  const { digest, sequence } = release
  const base = { sequence, releases: known === undefined ? [release, ...others] : now.releases }
  if (canary === undefined) return { ...base, stable: digest }
  const stable = now.stable === undefined ? {} : { stable: now.stable }
  return { ...base, ...stable, canary: { digest, selection: selectionText(canary) } }
}

function releaseOf(
  { digest, revision, sequence = 0 }: PolicyBundle,
  bytes: Buffer,
  by: string,
): Release {
  return { digest, revision, sequence, bytes: bytes.length, pushed_ms: Date.now(), pushed_by: by }
}

function publicationOf(name: string, now: Shelved): Publication {
  const { sequence, releases, canary } = now
  const stable = found(now, now.stable)
  const tried = found(now, canary?.digest)
  return {
    name,
    ...(sequence !== undefined && { sequence }),
    ...(stable !== undefined && { stable }),
    ...(tried !== undefined &&
      canary !== undefined && { canary: { ...tried, selection: canary.selection } }),
    releases,
  }
}

function releaseFor(name: string, now: Shelved, gate: GateName | undefined): Release | undefined {
  const { canary } = now
  const chosen = canary !== undefined && selects(selectionOf(canary.selection), name, gate)
  return found(now, chosen ? canary.digest : now.stable)
}

function found({ releases }: Shelved, wanted: string | undefined): Release | undefined {
  return releases.find(({ digest }) => digest === wanted)
}

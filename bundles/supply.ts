import { setTimeout as sleep } from 'node:timers/promises'
import type { Observe, PolicyBundle } from '../pdp/parts.ts'
import { sha256 } from './digest.ts'
import type { Permits } from './rollback.ts'
import type { Fetched, Source } from './source.ts'
import { type Memory, refuseRollback, type Store } from './store.ts'
import type { Trust } from './trust.ts'
import { verifyBundle } from './verify.ts'

/** What a supply needs. */
export type Supplying = {
  readonly name: string
  readonly source: Source
  readonly trust: Trust
  readonly store: Store
  /** Older bundles that somebody allowed; none without. */
  readonly permits?: Permits
  /** Swaps the bundle in, confirmed now or at the time given; a rejection leaves the old one running. */
  activate(bundle: PolicyBundle, confirmedMs?: number): Promise<void>
  /** The running bundle was the newest one at this time, in milliseconds since the epoch. */
  refreshed(atMs: number): void
  readonly observe: Observe
  /** Ends the supply. */
  readonly signal: AbortSignal
}

/** Bundle status as the API shows it; times are RFC 3339, names are OPA's where it has one. */
export type BundleStatus = {
  readonly name: string
  readonly source: string
  readonly active_revision?: string
  readonly active_digest?: string
  readonly active_sequence?: number
  readonly expires?: string
  readonly last_request?: string
  readonly last_successful_request?: string
  readonly last_successful_activation?: string
  readonly code?: 'bundle_error'
  readonly message?: string
}

/** A running supply. */
export interface Supply {
  status(): BundleStatus
  /** Resolves after the kept bundle and the source were each tried once, whatever came of it. */
  readonly tried: Promise<void>
  /** Resolves when the signal has ended the supply. */
  readonly ended: Promise<void>
}

const retryMsFirst = 100
const retryFactor = 1.6
/** A restart forgets at most this much of how fresh the bundle was. */
const rememberMs = 30_000

/**
 * Keeps one bundle up to date: fetch, verify, activate, keep. What fails is never evaluated: the running bundle
 * stays, and the reason is in the status. At the start the kept bundle is verified again and used.
 */
export function supply(supplying: Supplying): Supply {
  const { name, source, store, signal } = supplying
  const { promise: tried, resolve: triedOnce } = Promise.withResolvers<void>()
  let status: BundleStatus = { name, source: source.place }
  let active: PolicyBundle | undefined
  let memory: Memory | undefined
  let tag: string | undefined
  let kept = true
  let rememberedMs = 0
  const ended = run().finally(triedOnce)

  return { status: () => status, tried, ended }

  async function run(): Promise<void> {
    await restore().catch((error: unknown) =>
      complain('refused', `the kept bundle is not used: ${text(error)}`),
    )
    for (let failures = 0; !signal.aborted; ) {
      failures = (await turn()) ? 0 : failures + 1
      triedOnce()
      await pause(failures)
    }
  }

  /** Uses the kept bundle until the source has answered. */
  async function restore(): Promise<void> {
    memory = await store.memory()
    const { refreshedMs = 0 } = memory
    const bytes = await store.last()
    if (bytes === undefined) return
    // A restart must not make an old bundle look fresh.
    await install(bytes, Math.min(refreshedMs, Date.now()))
  }

  /** Asks the source once; false when it has to be asked again soon. */
  async function turn(): Promise<boolean> {
    status = { ...status, last_request: timestamp() }
    const fetched = await source.fetch(tag, signal).catch((error: unknown) => {
      if (!signal.aborted) complain('unreachable', text(error))
    })
    if (fetched === undefined || signal.aborted) return false
    status = { ...status, last_successful_request: timestamp() }
    try {
      await accept(fetched)
      const { code: _code, message: _message, ...good } = status
      status = good
      return true
    } catch (error) {
      complain(error instanceof NotKept ? 'activated' : 'refused', text(error))
      return false
    }
  }

  async function accept(fetched: Fetched): Promise<void> {
    const bytes = fetched.kind === 'bundle' ? fetched.bytes : undefined
    if (bytes !== undefined && sha256(bytes) !== active?.digest) await install(bytes)
    if (active === undefined) throw new Error(`${source.place} said "unchanged" and sent no bundle`)
    if (active.expiresMs !== undefined && active.expiresMs <= Date.now())
      throw new Error(`the running bundle expired, and ${source.place} has no newer one`)
    supplying.refreshed(Date.now())
    await remember(bytes)
    if (fetched.kind === 'bundle') tag = fetched.tag
  }

  async function install(bytes: Buffer, confirmedMs?: number): Promise<void> {
    memory ??= await store.memory()
    const bundle = await verifyBundle(bytes, supplying.trust, { name })
    const allowed = await notOlder(bundle, memory, supplying.permits)
    await supplying.activate(bundle, confirmedMs)
    kept = memory.digest === bundle.digest
    const { revision, digest, sequence = memory.sequence } = bundle
    memory = { ...memory, digest, ...(sequence === undefined ? {} : { sequence }) }
    active = bundle
    status = { ...activeStatus(bundle), name, source: source.place, ...requests(status) }
    const message = allowed === undefined ? {} : { message: allowed }
    supplying.observe({ kind: 'bundle', change: 'activated', name, revision, ...message })
  }

  /** Puts on disk what runs and how fresh it is; the freshness only now and then. */
  async function remember(bytes: Buffer | undefined): Promise<void> {
    const nowMs = Date.now()
    if (kept && nowMs - rememberedMs < rememberMs) return
    try {
      if (!kept && bytes !== undefined) await store.keep(bytes)
      await store.remember({ ...memory, refreshedMs: nowMs })
    } catch (error) {
      throw new NotKept(`the bundle runs but could not be kept on disk: ${text(error)}`)
    }
    kept = true
    rememberedMs = nowMs
  }

  /** Says a problem once, until it changes or goes away. */
  function complain(change: 'activated' | 'refused' | 'unreachable', message: string): void {
    const known = status.message === message
    status = { ...status, code: 'bundle_error', message }
    if (!known) supplying.observe({ kind: 'bundle', change, name, message })
  }

  async function pause(failures: number): Promise<void> {
    const waiting = failures === 0 ? source.changed(signal) : retry(failures)
    // Aborted: the loop sees it. Anything else: a source that cannot wait is asked at its slowest.
    await waiting.catch(() =>
      sleep(source.retryMsMax, undefined, { signal }).catch(() => undefined),
    )
  }

  function retry(failures: number): Promise<void> {
    const grown = retryMsFirst * retryFactor ** (failures - 1)
    const jitter = 0.8 + Math.random() * 0.4
    return sleep(Math.min(grown, source.retryMsMax) * jitter, undefined, { signal })
  }
}

/** Throws on an older bundle, unless it was allowed; then it says by whom and why. */
async function notOlder(
  bundle: PolicyBundle,
  known: Memory,
  permits: Permits | undefined,
): Promise<string | undefined> {
  try {
    refuseRollback(bundle, known)
    return undefined
  } catch (error) {
    const permit = await permits?.take(bundle.sequence)
    if (permit === undefined) throw error
    const { sequence, by, because } = permit
    return `back from sequence ${known.sequence} to ${sequence}, allowed by ${by}: ${because}`
  }
}

/** The bundle runs; the disk is the problem. */
class NotKept extends Error {}

function activeStatus({ revision, digest, sequence, expiresMs }: PolicyBundle) {
  return {
    active_revision: revision,
    active_digest: digest,
    ...(sequence === undefined ? {} : { active_sequence: sequence }),
    ...(expiresMs === undefined ? {} : { expires: timestamp(expiresMs) }),
    last_successful_activation: timestamp(),
  }
}

function requests(status: BundleStatus) {
  const { last_request, last_successful_request } = status
  return {
    ...(last_request === undefined ? {} : { last_request }),
    ...(last_successful_request === undefined ? {} : { last_successful_request }),
  }
}

function timestamp(ms: number = Date.now()): string {
  // A date beyond what JavaScript can write is as good as the last one it can.
  return new Date(Math.min(ms, 8.64e15)).toISOString()
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

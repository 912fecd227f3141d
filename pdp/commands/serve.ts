import { type Supply, supply } from '../../bundles/supply.ts'
import { type AuditSearch, openSearch } from '../audit/search.ts'
import type { Gate } from '../contract.ts'
import { type OpenCourt, openCourt } from '../court.ts'
import { type GateKeeper, gate } from '../gate.ts'
import { type Log, log } from '../log.ts'
import { type Metrics, metrics } from '../metrics.ts'
import type { Identity, Observe } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { type Listening, listening } from '../server/listen.ts'
import { type Readiness, unreadyReasons } from '../server/readiness.ts'
import { server } from '../server.ts'
import { errorCode, Failure, type Io } from './io.ts'
import {
  credentialsOf,
  identityOf,
  pemOf,
  secretAt,
  sourceOf,
  storeOf,
  trustOf,
  upstreamOf,
} from './parts.ts'
import type { Address, ListenerSettings, Settings } from './settings.ts'
import { type Shadowing, shadowing } from './shadowing.ts'
import { endOnCrash } from './stop.ts'

/** What the composition root adds: everything that knows a protocol or the form of the settings. */
export type Serving = {
  readonly settings: Settings
  /** The settings for people: no secret in them. */
  readonly described: object
  readonly version: string
  readonly env: Io['env']
  openDoor(listener: ListenerSettings, gate: Gate): Promise<Door>
  /** Resolves when the gate shall stop. */
  stopped(): Promise<string>
}

/** An open listener of some protocol. */
export interface Door {
  readonly port: number
  connections(): number
  close(graceMs: number): Promise<void>
}

type Way = { readonly id: string; readonly keeper: GateKeeper; readonly door: Door }

type Running = {
  readonly court: OpenCourt
  readonly search: AuditSearch
  readonly identity: Identity
  readonly policy: Supply
  readonly beside: Shadowing
  readonly ways: Way[]
  readonly journal: Log
  readonly numbers: Metrics
  phase: Readiness['phase']
}

/** How long open sessions may go on after the gate was told to stop. */
const graceMs = 5_000
/** How long their clients may take to read why they ended. */
const farewellMs = 1_000

/** Runs a gate until it is told to stop. Throws Failure or Refusal when it cannot start; whatever was open is closed. */
export async function serve(serving: Serving): Promise<void> {
  const { settings, version } = serving
  await using opened = new AsyncDisposableStack()
  const hearers: Observe[] = []
  const journal = log(settings.log.level)
  endOnCrash(journal)
  const court = await courtOf(serving, hearers)
  opened.defer(() => court.close())
  const search = openSearch(settings.audit.folder, (error) =>
    journal.error('index of the record failed', {}, error),
  )
  opened.defer(() => search.close())
  const supplying = new AbortController()
  const policy = supplied(settings, court, supplying.signal)
  opened.defer(() => ended(policy, supplying))
  const beside = shadowing({
    settings,
    observe: court.observe,
    failed: (error) => journal.error('candidate in the shadow failed', {}, error),
  })
  opened.defer(() => beside.close())
  const numbers = measured(court, version, beside)
  hearers.push(journal.observe, numbers.observe)
  const identity = identityOf(settings.identity)
  const parts = { court, search, identity, policy, beside, journal, numbers }
  const running: Running = { ...parts, ways: [], phase: 'starting' }

  const api = await openServer(serving, running)
  opened.defer(() => api.close(graceMs))
  opened.defer(() => closeDoors(running.ways))
  for (const listener of settings.listeners)
    running.ways.push(await openWay(serving, running, listener))
  running.phase = 'serving'
  journal.info('gate started', { version, listeners: running.ways.length, server_port: api.port })
  const signal = await serving.stopped()
  running.phase = 'stopping'
  journal.info('gate stopping', { signal })
}

async function courtOf(
  { settings, version, env }: Serving,
  hearers: readonly Observe[],
): Promise<OpenCourt> {
  const { state, audit, bundle, holds, masking } = settings
  const { folder, durability, key, segmentBytesMax } = audit
  return openCourt({
    state,
    audit: { folder, durability, segmentBytesMax, ...(key !== undefined && { keyFile: key }) },
    engine: bundle.maxStaleMs === undefined ? {} : { staleAfterMs: bundle.maxStaleMs },
    holds,
    maskKey: masking.key && (await secretAt(masking.key, env)),
    labels: { version },
    observe(happening) {
      for (const hear of hearers) hear(happening)
    },
  })
}

function measured(
  { audit, engine, holds }: OpenCourt,
  version: string,
  { shadow }: Shadowing,
): Metrics {
  return metrics({
    version,
    shadow: () => shadow.status().report,
    holds: () => ({
      pending: holds.list({ state: 'pending' }).length,
      approved: holds.list({ state: 'approved' }).length,
    }),
    bundle() {
      const { bundle } = engine.status()
      return (
        bundle && { ...bundle, activatedMs: bundle.activated_ms, refreshedMs: bundle.refreshed_ms }
      )
    },
    audit() {
      const { entries, dropped, pending, lag_ms, failed } = audit.status()
      return { entries, dropped, pending, lagMs: lag_ms, failing: failed !== undefined }
    },
  })
}

function supplied(settings: Settings, court: OpenCourt, signal: AbortSignal): Supply {
  const { bundle } = settings
  const { engine, observe } = court
  return supply({
    name: bundle.name,
    source: sourceOf(bundle),
    trust: trustOf(bundle),
    store: storeOf(settings),
    activate: (next, confirmedMs) => engine.activate(next, confirmedMs),
    refreshed: (atMs) => engine.refreshed(atMs),
    observe,
    signal,
  })
}

async function ended(policy: Supply, supplying: AbortController): Promise<void> {
  supplying.abort()
  await policy.ended
}

async function openServer(serving: Serving, running: Running): Promise<Listening> {
  const { settings } = serving
  const { host, port, hosts, tls } = settings.server
  const { court, search, identity, numbers, journal, policy, beside } = running
  const app = server({
    identity,
    shadow: beside.shadow,
    holds: court.holds,
    audit: court.audit,
    search,
    metrics: numbers,
    adminGroups: settings.admin.groups,
    hosts: [...hosts, host],
    tls: tls !== undefined,
    status: () => statusOf(serving, running),
    unready: () =>
      unreadyReasons({
        engine: court.engine.status(),
        audit: court.audit.status(),
        bundleProblem: policy.status().message,
        phase: running.phase,
      }),
    failed: (error, instance) => journal.error('request failed', { instance }, error),
  })
  const options = { host, port, ...(tls !== undefined && { tls: pemOf(tls) }) }
  return bound('the server', settings.server, () => listening(app, options))
}

function statusOf(
  { version, described }: Serving,
  { court, policy, beside, phase, ways }: Running,
): object {
  return {
    version,
    phase,
    bundle: policy.status(),
    ...(beside.candidate && { shadow: beside.candidate.status() }),
    engine: court.engine.status(),
    audit: court.audit.status(),
    listeners: ways.map(({ id, door, keeper }) => ({
      id,
      port: door.port,
      connections: door.connections(),
      sessions: keeper.sessions().length,
    })),
    config: described,
  }
}

async function openWay(
  serving: Serving,
  running: Running,
  listener: ListenerSettings,
): Promise<Way> {
  const { settings, env, openDoor } = serving
  const { id, protocol, labels } = listener
  const { sessionsMax, sessionsPerSubjectMax } = settings.limits
  const keeper = gate({
    ...running.court,
    resource: { id, protocol, labels },
    upstream: upstreamOf(listener),
    identity: running.identity,
    credentials: credentialsOf(listener.credential, env),
    ...(listener.sealedCredential !== undefined && {
      sealedCredentials: credentialsOf(listener.sealedCredential, env, 'sealed_credential'),
    }),
    tokenExpiry: settings.identity.onTokenExpiry,
    sessionsMax,
    sessionsPerSubjectMax,
  })
  const door = await bound(`listener ${id}`, listener, () => openDoor(listener, keeper))
  running.journal.info('listening', { resource: id, host: listener.host, port: door.port })
  return { id, keeper, door }
}

async function bound<Open>(
  what: string,
  { host, port }: Address,
  open: () => Promise<Open>,
): Promise<Open> {
  return open().catch((error: unknown) => {
    const code = errorCode(error)
    if (code === undefined) throw error
    const why = code === 'EADDRINUSE' ? 'something else listens there' : code
    throw new Failure(`${what} cannot listen on ${host}:${port}: ${why}`)
  })
}

/** Lets sessions end by themselves for a while, then ends them with a word. */
async function closeDoors(ways: readonly Way[]): Promise<void> {
  const end = setTimeout(() => {
    const why = new Refusal('session_ended', 'the gate is stopping; connect again')
    for (const { keeper } of ways) keeper.end(() => true, why)
  }, graceMs)
  await Promise.all(ways.map(({ door }) => door.close(graceMs + farewellMs)))
  clearTimeout(end)
}

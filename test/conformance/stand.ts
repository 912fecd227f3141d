import { onTestFinished } from 'vitest'
import type { Decision, Input } from '../../pdp/contract.ts'
import { type GateKeeper, gate } from '../../pdp/gate.ts'
import { type HoldDesk, holds } from '../../pdp/hold.ts'
import type {
  AuditEntry,
  Credentials,
  Engine,
  Happening,
  Identity,
  Observe,
} from '../../pdp/parts.ts'
import { memoryQuotas } from '../../pdp/quota.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { secret } from '../../pdp/secret.ts'
import { sqliteHolds } from '../../pdp/state/sqlite-holds.ts'
import { listen } from '../../sidecars/listen.ts'
import type { Door } from '../../sidecars/sidecar.ts'
import { alice, engine as byFunction, canary } from '../pdp/kit.ts'
import type { Client, Datastore, Fixture } from './fixture.ts'
import { byMark } from './policies.ts'
import { type Tap, type TapOptions, tap } from './tap.ts'
import { dialled } from './transport.ts'

/** A sidecar between a real gate and a real datastore, with everything on the way in sight. */
export interface Stand {
  readonly gate: GateKeeper
  readonly desk: HoldDesk
  readonly tap: Tap
  readonly entries: readonly AuditEntry[]
  readonly happenings: readonly Happening[]
  /** What was written down and what went upstream, in the order in which it happened. */
  readonly timeline: readonly Moment[]
  readonly port: number
  /** A client with the token that is taken unless told otherwise, let in or not. */
  connect(token?: string): Promise<Client>
}

export type Moment = { readonly kind: 'entry' | 'bytes'; readonly text: string }

/** What may be wrong with the parts. */
export type Parts = {
  readonly policy?: (input: Input) => Decision
  readonly engine?: Engine
  readonly identity?: Identity
  readonly credentials?: Credentials
  /** Entries that cannot be written. */
  readonly broken?: (entry: AuditEntry) => boolean
  /** Entries that take their time. */
  readonly waits?: (entry: AuditEntry) => Promise<void> | undefined
  readonly observe?: Observe
  readonly tls?: NonNullable<Door['tls']>
  readonly cut?: NonNullable<TapOptions['cut']>
}

export const token = `${canary}.token.token`

/** Opens a stand that is gone when the test is over. */
export async function stand(
  fixture: Fixture,
  datastore: Datastore,
  parts: Parts = {},
): Promise<Stand> {
  const entries: AuditEntry[] = []
  const happenings: Happening[] = []
  const timeline: Moment[] = []
  const upstream = await tap(datastore.port, {
    heard: (piece) => void timeline.push({ kind: 'bytes', text: piece.toString('latin1') }),
    ...(parts.cut && { cut: parts.cut }),
  })
  const observe = (happening: Happening): void => {
    happenings.push(happening)
    parts.observe?.(happening)
  }
  const audit = record(parts, entries, timeline)
  const desk = holds({ store: sqliteHolds(':memory:'), audit, observe })
  const keeper = gate({
    resource: { id: 'shop', protocol: fixture.sidecar.protocol, labels: {} },
    upstream: { host: '127.0.0.1', port: upstream.port },
    engine: parts.engine ?? byFunction(parts.policy ?? byMark(fixture.masks)),
    audit,
    quotas: memoryQuotas(),
    holds: desk,
    observe,
    maskKey: secret(`${canary}-0123456789abcdef0123456789abcdef`),
    identity: parts.identity ?? { identify: async () => ({ subject: alice, expiresMs: 4e12 }) },
    credentials: parts.credentials ?? {
      credential: async () => ({
        username: datastore.username,
        secret: secret(datastore.secret),
      }),
    },
  })
  const door = { host: '127.0.0.1', port: 0, sidecar: fixture.sidecar, gate: keeper }
  const listener = await listen({ ...door, ...(parts.tls && { tls: parts.tls }) })
  const clients: Client[] = []
  onTestFinished(async () => {
    for (const client of clients) client.hangUp()
    await listener.close()
    await upstream.close()
    desk.close()
  })
  return {
    gate: keeper,
    desk,
    tap: upstream,
    entries,
    happenings,
    timeline,
    port: listener.port,
    async connect(as = token) {
      const client = await fixture.connect(dialled(listener.port), as)
      clients.push(client)
      return client
    },
  }
}

function record({ broken, waits }: Parts, entries: AuditEntry[], timeline: Moment[]) {
  const write = (entry: AuditEntry): void => {
    if (broken?.(entry) === true) throw new Refusal('audit_unavailable')
    entries.push(structuredClone(entry))
    timeline.push({ kind: 'entry', text: JSON.stringify(entry) })
  }
  return {
    append(entry: AuditEntry): undefined | Promise<void> {
      const wait = waits?.(entry)
      if (wait === undefined) return void write(entry)
      return wait.then(() => write(entry))
    },
    later: write,
  }
}

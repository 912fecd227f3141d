import type {
  Command,
  Decision,
  HoldRule,
  Input,
  Knock,
  Resource,
  Subject,
} from '../../pdp/contract.ts'
import { type GateKeeper, type GateParts, gate } from '../../pdp/gate.ts'
import { type HoldDesk, type HoldParts, holds } from '../../pdp/hold.ts'
import type { Audit, AuditEntry, Engine, Happening, Hold, Verdict } from '../../pdp/parts.ts'
import { memoryQuotas } from '../../pdp/quota.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { secret } from '../../pdp/secret.ts'
import { sqliteHolds } from '../../pdp/state/sqlite-holds.ts'

/** Planted in every secret of the tests: it may appear nowhere. */
export const canary = 'canary-5f2c9d1e'

export const alice: Subject = {
  id: 'alice',
  type: 'human',
  issuer: 'https://issuer.test',
  groups: ['engineers'],
  claims: { email: 'alice@example.com' },
  actor: null,
}
export const bob: Subject = { ...alice, id: 'bob', groups: ['owners'] }
export const carol: Subject = { ...alice, id: 'carol', groups: ['owners', 'security'] }

export const shop: Resource = { id: 'shop', protocol: 'postgres', labels: { env: 'test' } }

export const select: Command = {
  name: 'select',
  effects: ['read'],
  objects: [{ kind: 'table', name: 'public.orders', access: 'read', columns: ['id', 'total'] }],
  text: 'select id, total from orders',
}
export const remove: Command = {
  name: 'delete',
  effects: ['delete'],
  objects: [{ kind: 'table', name: 'public.orders', access: 'write' }],
  text: 'delete from orders where id = $1',
  sql: { shape: 'delete from orders where id = ?' },
}

export function decision(change: Partial<Decision> = {}): Decision {
  const reasons = [{ rule: 'test', code: 'said', message: 'the test said so' }]
  return {
    effect: 'allow',
    reasons,
    masks: [],
    limits: [],
    quotas: [],
    obligations: [],
    ...change,
  }
}

export const allow = decision()
export const deny = decision({
  effect: 'deny',
  reasons: [{ rule: 'ddl', code: 'no_ddl', message: 'schemas change by migration', remedy: 'ask' }],
})
export const rule: HoldRule = {
  approvers: ['owners'],
  min_approvals: 1,
  bind: 'exact',
  ttl_s: 900,
  wait_s: 60,
}
export const held = (change: Partial<HoldRule> = {}): Decision =>
  decision({ effect: 'hold', hold: { ...rule, ...change } })

export type Policy = (input: Input) => Decision

/** A policy that lets everybody connect. */
export const commands =
  (policy: Policy): Policy =>
  (input) =>
    input.phase === 'connect' ? allow : policy(input)

export function engine(policy: Policy): Engine & { readonly inputs: Input[] } {
  const inputs: Input[] = []
  return {
    inputs,
    evaluate(input): Verdict {
      inputs.push(input)
      const bundle = { name: 'main', revision: 'r1', digest: 'd' }
      return { decision: policy(input), bundle, cached: false, ns: 7 }
    },
  }
}

export type Record = Audit & { readonly entries: AuditEntry[]; of(kind: string): AuditEntry[] }

/** A record in memory; `broken` decides which entries cannot be written, `slow` makes every append a promise. */
export function record(
  options: { broken?: (entry: AuditEntry) => boolean; slow?: boolean } = {},
): Record {
  const entries: AuditEntry[] = []
  const write = (entry: AuditEntry): void => {
    if (options.broken?.(entry) === true) throw new Refusal('audit_unavailable')
    entries.push(structuredClone(entry))
  }
  return {
    entries,
    of: (kind) => entries.filter((entry) => entry.kind === kind),
    append(entry) {
      if (options.slow !== true) return void write(entry)
      return new Promise((resolve) => setImmediate(resolve)).then(() => write(entry))
    },
    later: write,
  }
}

export function clock(startMs = 1_000_000) {
  let nowMs = startMs
  return {
    now: () => nowMs,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

export type Scene = {
  readonly gate: GateKeeper
  readonly desk: HoldDesk
  readonly audit: Record
  readonly happenings: Happening[]
  readonly engine: ReturnType<typeof engine>
  readonly clock: ReturnType<typeof clock>
  readonly told: string[]
  knock(change?: Partial<Knock>): Knock
}

export type SceneOptions = {
  readonly audit?: Record
  readonly subject?: Subject
  readonly expiresInMs?: number
  readonly holds?: Partial<HoldParts>
  readonly gate?: Partial<GateParts>
}

/** A gate with all its parts real but the engine, the record and the issuer. */
export function scene(policy: Policy, options: SceneOptions = {}): Scene {
  const { audit = record(), subject = alice, expiresInMs = 3_600_000 } = options
  const happenings: Happening[] = []
  const time = clock()
  const told: string[] = []
  const judge = engine(policy)
  const observe = (happening: Happening): void => void happenings.push(happening)
  const desk = holds({
    store: sqliteHolds(':memory:'),
    audit,
    observe,
    now: time.now,
    ...options.holds,
  })
  const keeper = gate({
    resource: shop,
    upstream: { host: '127.0.0.1', port: 5432 },
    engine: judge,
    audit,
    quotas: memoryQuotas({ now: time.now }),
    holds: desk,
    observe,
    now: time.now,
    maskKey: secret(`${canary}-0123456789abcdef0123456789abcdef`),
    identity: {
      identify: async () => ({ subject, expiresMs: time.now() + expiresInMs }),
    },
    credentials: { credential: async () => ({ username: 'gate', secret: secret(canary) }) },
    ...options.gate,
  })
  const knock = (change: Partial<Knock> = {}): Knock => ({
    token: `${canary}.token`,
    peer: '127.0.0.1:5000',
    tls: true,
    database: 'shop',
    user: 'anything',
    application: 'psql',
    capabilities: ['hold', 'limit:rows', 'mask:hash', 'mask:partial', 'mask:redact', 'mask:null'],
    signal: new AbortController().signal,
    tell: (text) => void told.push(text),
    ...change,
  })
  return { gate: keeper, desk, audit, happenings, engine: judge, clock: time, told, knock }
}

/** The hold that waits, once there is one. */
export async function pending(desk: HoldDesk): Promise<Hold> {
  for (let turn = 0; turn < 1000; turn += 1) {
    const [hold] = desk.list({ state: 'pending' })
    if (hold !== undefined) return hold
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('nothing is held')
}

/** What a promise or a function refuses with; fails when it does not refuse. */
export async function refusalFrom(work: () => unknown): Promise<Refusal> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was not refused')
}

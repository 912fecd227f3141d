/**
 * The words every part of Postern shares. Types only: nothing here runs.
 * `Input` and `Decision` cross into Rego, so their names are snake_case there and mirrored by rego/contract/*.json.
 */

import type { Obligation } from './decision.ts'
import type { Declarations } from './declarations.ts'
import type { Refusal } from './refusal.ts'
import type { Rewrite } from './rewrite.ts'

export type {
  Decision,
  HoldRule,
  LimitRule,
  MaskMethod,
  MaskRule,
  Obligation,
  QuotaRule,
  Reason,
} from './decision.ts'
export type { Declarations, Declared } from './declarations.ts'
export type { AsciiRewrite, Rewrite } from './rewrite.ts'

/** What a command does, whatever its protocol calls it. Closed: a new word is a change of contract. */
export type Effect =
  | 'read'
  | 'write'
  | 'delete'
  | 'define'
  | 'grant'
  | 'execute'
  | 'session'
  | 'unknown'

/** Who is accountable. `actor` is the party acting for the subject (RFC 8693 `act`); null when the subject acts for itself. */
export type Subject = {
  readonly id: string
  readonly type: 'human' | 'agent' | 'service'
  readonly issuer: string
  readonly groups: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  readonly actor: Actor | null
}

/** The party acting for someone. `attested` says whether the issuer vouched for it. */
export type Actor = {
  readonly id: string
  readonly type: 'human' | 'agent' | 'service'
  readonly run?: string
  readonly attested: boolean
  readonly actor: Actor | null
}

/** The datastore behind one listener. */
export type Resource = {
  readonly id: string
  readonly protocol: string
  readonly labels: Readonly<Record<string, string>>
}

/** One thing a command touches: a table, a key, a path, a pod, a tool. */
export type Touched = {
  readonly kind: string
  readonly name: string
  readonly access: 'read' | 'write'
  readonly columns?: readonly string[]
}

/** Where one output column comes from. `exact` is false when `sources` may be too many. */
export type Output = {
  readonly name: string
  readonly sources: readonly string[]
  readonly exact: boolean
}

/** One unit of work read off the wire: all that policy will ever know of it. */
export type Command = {
  readonly name: string
  readonly effects: readonly Effect[]
  readonly objects: readonly Touched[]
  readonly outputs?: readonly Output[]
  /** Columns that decide which rows come back, as `schema.table.column`. */
  readonly predicates?: readonly string[]
  /** Why the command could not be read to the end. Policy refuses it unless an allow asks for it. */
  readonly incomplete?: string
  readonly text?: string
  /** The protocol's own facts, under the protocol's family name: `sql`, `redis`, `http` and so on. */
  readonly [family: string]: unknown
}

/** The document policy sees as `input`. It holds nothing volatile, so equal questions have equal text. */
export type Input = {
  readonly v: 1
  readonly phase: 'connect' | 'command'
  readonly subject: Subject
  readonly resource: Resource
  readonly action: Command
  readonly context: Context
  readonly counts: Counts
}

/** How many elements each list had when the question was put: an input that lost one on the way is refused. */
export type Counts = {
  readonly groups: number
  readonly claims: number
  readonly labels: number
  readonly effects: number
  readonly objects: number
  /** Over all objects. */
  readonly columns: number
  readonly outputs: number
  readonly predicates: number
  readonly grants: number
  /** 1 when the command says why it is incomplete, else 0. */
  readonly incomplete: number
}

export type Context = {
  readonly peer: string
  readonly tls: boolean
  readonly database: string
  readonly user: string
  readonly application: string
  readonly state: Readonly<Record<string, string>>
  readonly grants: readonly Grant[]
  readonly capabilities: readonly string[]
}

/** A scope a reviewer granted beforehand. */
export type Grant = {
  readonly id: string
  readonly effects: readonly Effect[]
  readonly objects: readonly string[]
  readonly approved_by: readonly string[]
}

/** What a sidecar must do: the decision after quotas, record and people had their say. */
export type Ruling = Allowed | Refused

export type Allowed = {
  readonly allowed: true
  /** The decision id. */
  readonly id: string
  readonly mask: Mask
  readonly limits: Limits
  /** What else policy asks of whoever carries it out; only what was declared in `context.capabilities`. */
  readonly obligations: readonly Obligation[]
  /** Call once, when the answer has gone out or will never come. */
  done(outcome: Outcome): void
}

export type Refused = { readonly allowed: false; readonly id: string; readonly refusal: Refusal }

export type Limit = {
  readonly max: number
  readonly exceed: 'truncate' | 'deny'
  /** The policy whose maximum it is. */
  readonly rule?: string
}
export type Limits = {
  readonly rows?: Limit
  readonly bytes?: Limit
  readonly durationMs?: Limit
}

/** How a command ended. `error` is a code (an SQLSTATE, an HTTP status), never a message. */
export type Outcome = {
  readonly rows: number
  readonly bytes: number
  readonly error?: string
  readonly truncated?: boolean
}

/** Rewrites an answer. Compiled once per decision, pure after that. */
export interface Mask {
  /** Nothing to rewrite: forward the bytes as they came. */
  readonly empty: boolean
  /** Whether any column of this relation (`schema.table`) is masked. */
  touches(relation: string): boolean
  /** The rewriter of one column (`schema.table.column`), or undefined to leave it alone. Ask once per result set. */
  column(name: string): Rewrite | undefined
}

/** How to ask. */
export type Asking = {
  /** Values bound to the command's parameters, as text: an approval covers exactly these. */
  readonly parameters?: readonly (string | null)[]
  /** Only prepared, nothing runs yet: recorded and refused like any other, but neither held nor counted. */
  readonly prepare?: boolean
  /** Aborted when the client takes the command back (Ctrl-C): a hold is abandoned. */
  readonly signal?: AbortSignal
}

/** One authenticated connection, from login to its last byte. */
export interface Session {
  readonly id: string
  readonly subject: Subject
  readonly resource: Resource
  readonly credential: Credential
  /** `sealed` when policy wanted it at login: `credential` is that of a role without rights on protected columns. */
  readonly profile: 'masked' | 'sealed'
  /** Aborted, with a Refusal as its reason, when the session must end: token expired, subject revoked. */
  readonly ended: AbortSignal
  /**
   * Answers once policy decided, the decision is on record and, if held, a person answered.
   * Synchronous when nothing has to be waited for. Never throws: what goes wrong is a Refused.
   */
  ask(command: Command, asking?: Asking): Ruling | Promise<Ruling>
  /** Tells those who watch the gate, and the record, that an answer contradicted its command; in words without data. */
  alarm(text: string, decision: string): void
  /** Puts on record that this connection ended, and why when it was not a goodbye. Idempotent. */
  close(problem?: unknown): void
}

/** The way in: one per listener. */
export interface Gate {
  readonly resource: Resource
  readonly upstream: Upstream
  /** What the bundle in charge says of the datastore's code; the same object until it says something else. */
  declarations?(): Declarations
  /** Verifies the token, asks policy for `connect`, fetches the credential. Throws Refusal. */
  open(knock: Knock): Promise<Session>
  /** Puts on record a client that broke the protocol, or was refused, before it had a session. */
  turnedAway(peer: string, problem: unknown): void
}

export type Upstream = {
  readonly host: string
  readonly port: number
  /** TLS towards the datastore: undefined is plain text, which config allows only where it is told to. */
  readonly tls?: { readonly ca?: string; readonly servername: string }
}

/** Who knocks, and what the sidecar can tell about the connection. */
export type Knock = {
  readonly token: string
  readonly peer: string
  readonly tls: boolean
  readonly database: string
  readonly user: string
  readonly application: string
  /** What this sidecar can enforce, e.g. `mask:redact`, `limit:rows`. */
  readonly capabilities: readonly string[]
  /** Aborted when the client hangs up: whatever waits on its behalf stops waiting. */
  readonly signal: AbortSignal
  /** Says something to the client while a command waits, where the protocol can. */
  readonly tell?: (text: string) => void
}

/** The gate's own login, and which setting named it. */
export type Credential = {
  readonly username: string
  readonly secret: Secret
  readonly setting?: string
}

/** A string that refuses to be printed: toString, toJSON and inspect say `[secret]`. */
export interface Secret {
  reveal(): string
}

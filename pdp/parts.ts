/** The parts of the decision point, and what they tell each other. Types only; no sidecar knows them. */
import type {
  Credential,
  Decision,
  Declarations,
  Effect,
  HoldRule,
  Input,
  Reason,
  Subject,
} from './contract.ts'

/** A verified bundle, ready to be activated: only bundles/verify.ts makes one. */
export type PolicyBundle = {
  readonly name: string
  readonly revision: string
  /** SHA-256 of the archive, hex. */
  readonly digest: string
  readonly sequence?: number
  /** Milliseconds since the epoch after which it must not be used. */
  readonly expiresMs?: number
  readonly entrypoint: string
  readonly wasm: Buffer
  readonly data: unknown
}

/** A decision and where it came from. An engine always has one: whatever goes wrong is a denial with a code. */
export type Verdict = {
  readonly decision: Decision
  /** The bundle that answered; undefined when there was none. */
  readonly bundle?: { readonly name: string; readonly revision: string; readonly digest: string }
  readonly cached: boolean
  /** Evaluation time in nanoseconds. */
  readonly ns: number
}

/** The decision engine. Never throws, never answers anything but a well-formed decision. */
export interface Engine {
  evaluate(input: Input): Verdict
  /** What the bundle in charge says of a resource's code; the same object until it says something else. */
  declarations?(resource: string): Declarations
}

/** Where the gate's own login to a datastore comes from; re-read when it changes. Throws Refusal. */
export interface Credentials {
  credential(): Promise<Credential>
}

/** Who a token speaks for. */
export type Identified = {
  readonly subject: Subject
  /** Milliseconds since the epoch. */
  readonly expiresMs: number
}

/** Verifies tokens. Throws Refusal. */
export interface Identity {
  identify(token: string): Promise<Identified>
}

/** One line of the record before it is chained. snake_case: it leaves the process. */
export type AuditEntry = {
  readonly kind:
    | 'session_open'
    | 'session_close'
    | 'turned_away'
    | 'alarm'
    | 'decision'
    | 'outcome'
    | 'hold'
    | 'bundle'
    | 'admin'
  readonly session?: string
  readonly decision_id?: string
  readonly [field: string]: unknown
}

/** The append-only record. */
export interface Audit {
  /** Returns when the entry is on record (a promise where `durability: disk` waits for the disk). Throws Refusal `audit_unavailable`. */
  append(entry: AuditEntry): undefined | Promise<void>
  /** For entries nothing waits for (outcomes): written with the next append or within 50 ms. */
  later(entry: AuditEntry): void
}

export type HoldState = 'pending' | 'approved' | 'refused' | 'expired' | 'abandoned' | 'used'

/** A command waiting for a person, as stored and shown. */
export type Hold = {
  readonly id: string
  readonly state: HoldState
  readonly session: string
  readonly decision_id: string
  readonly subject: string
  readonly actor?: string
  readonly resource: string
  readonly text: string
  readonly parameters: readonly (string | null)[]
  readonly effects: readonly Effect[]
  readonly objects: readonly string[]
  readonly reasons: readonly Reason[]
  readonly approvers: readonly string[]
  readonly min_approvals: number
  readonly bind: HoldRule['bind']
  readonly created_ms: number
  readonly expires_ms: number
  readonly votes: readonly Vote[]
}

export type Vote = {
  readonly by: string
  readonly verdict: 'approve' | 'refuse'
  readonly at_ms: number
  readonly note?: string
}

/** What reviewers can do. Throws Refusal: hold_unknown, hold_closed, not_an_approver, own_hold. */
export interface Holds {
  list(filter?: { readonly state?: HoldState; readonly resource?: string }): readonly Hold[]
  get(id: string): Hold | undefined
  vote(id: string, reviewer: Subject, verdict: Vote['verdict'], note?: string): Promise<Hold>
}

/** What log and metrics listen to; never statement text or cell values. */
export type Happening =
  | {
      readonly kind: 'decision'
      readonly resource: string
      readonly session: string
      readonly effect: Decision['effect']
      readonly rule: string
      readonly code: string
      readonly cached: boolean
      readonly ns: number
    }
  | {
      readonly kind: 'outcome'
      readonly resource: string
      readonly session: string
      readonly rows: number
      readonly bytes: number
      readonly ms: number
      readonly error?: string
    }
  | {
      readonly kind: 'session'
      readonly change: 'opened' | 'closed' | 'turned_away'
      readonly resource: string
      readonly session?: string
      readonly code?: string
      readonly message?: string
      /** Set when the failure is ours: for the log alone. */
      readonly error?: unknown
    }
  | {
      /** Something of ours failed while a session went on: the client reads the code, the log the error. */
      readonly kind: 'failure'
      readonly resource: string
      readonly session?: string
      readonly code: string
      readonly error: unknown
    }
  | {
      /** An answer contradicted what was read from its command, and was kept back. */
      readonly kind: 'alarm'
      readonly resource: string
      readonly session: string
      readonly decision: string
      readonly message: string
    }
  | {
      readonly kind: 'hold'
      readonly change: HoldState
      readonly resource: string
      readonly id: string
    }
  | {
      readonly kind: 'bundle'
      readonly change: 'activated' | 'refused' | 'unreachable'
      readonly name: string
      readonly revision?: string
      readonly message?: string
    }

export type Observe = (happening: Happening) => void

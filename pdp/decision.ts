/** What policy may answer: mirrored by rego/contract/decision.json. */

/** Why policy answered as it did. `rule` is the policy's package name, or `postern` for the library itself. */
export type Reason = {
  readonly rule: string
  readonly code: string
  readonly message: string
  readonly remedy?: string
}

export type MaskMethod = 'null' | 'redact' | 'partial' | 'hash' | 'tokenize'

/** Exactly one of `column`, `entity` and `path` names the target. */
export type MaskRule = {
  readonly rule: string
  readonly column?: string
  readonly entity?: string
  readonly path?: string
  readonly method: MaskMethod
  readonly args?: Readonly<Record<string, unknown>>
  readonly on_predicate: 'deny' | 'hold' | 'allow'
}

export type LimitRule = {
  /** The policy whose maximum it is; bundles built before it was said do not say it. */
  readonly rule?: string
  readonly metric: 'rows' | 'bytes' | 'duration_ms'
  readonly max: number
  readonly on_exceed: 'truncate' | 'deny'
}

export type QuotaRule = {
  readonly name: string
  readonly per: 'subject' | 'actor' | 'run' | 'session' | 'resource'
  readonly metric: 'commands' | 'rows' | 'bytes'
  readonly max: number
  readonly window_s: number
}

export type HoldRule = {
  readonly approvers: readonly string[]
  readonly min_approvals: number
  readonly bind: 'exact' | 'shape' | 'session'
  readonly ttl_s: number
  readonly wait_s: number
}

/** What policy answered: rego/contract/decision.json. */
export type Decision = {
  readonly effect: 'allow' | 'hold' | 'deny'
  readonly reasons: readonly Reason[]
  readonly masks: readonly MaskRule[]
  readonly limits: readonly LimitRule[]
  readonly quotas: readonly QuotaRule[]
  readonly hold?: HoldRule
  readonly obligations: readonly Obligation[]
}

export type Obligation = {
  readonly name: string
  readonly args?: Readonly<Record<string, unknown>>
}

import type { Actor, Subject } from './contract.ts'
import { Refusal } from './refusal.ts'

/** A claim by its name, or by the path to it: `["realm_access", "roles"]`. */
export type ClaimName = string | readonly string[]

/** Where an issuer puts what is not standard. */
export type ClaimNames = {
  /** An array of strings: `groups` unless given. */
  readonly groups?: ClaimName
  /** `human`, `agent` or `service`; looked for in the token and in each `act`. */
  readonly type?: ClaimName
  /** What names one run of an agent, in `act` or else in the token. */
  readonly run?: ClaimName
  /** Claims that policies see besides the standard ones. */
  readonly pass?: readonly string[]
}

type Claims = Readonly<Record<string, unknown>>
type Kind = Subject['type']

const passed = ['email', 'email_verified', 'azp', 'amr', 'acr']
const kinds: readonly unknown[] = ['human', 'agent', 'service'] satisfies readonly Kind[]
const idCharsMax = 255
const groupsMax = 1000
/** As many as the policy library reads. */
const actorsMax = 3
const passedBytesMax = 8 * 1024

/** Who verified claims speak for. Throws Refusal `identity_incomplete` for what is absent, empty or of the wrong form. */
export function subjectOf(claims: Claims, names: ClaimNames): Subject {
  const id = nameOf(claims['sub'], 'sub')
  return {
    id,
    type: kindOf(claims, names) ?? (isClient(claims, id) ? 'service' : 'human'),
    issuer: nameOf(claims['iss'], 'iss'),
    groups: groupsOf(claims, names.groups ?? 'groups'),
    claims: passedOn(claims, names.pass ?? []),
    actor: actorOf(claims['act'], names, runOf(claims, names), actorsMax),
  }
}

/** RFC 8693 section 4.1: the outermost `act` acts now, those inside did before. */
function actorOf(
  act: unknown,
  names: ClaimNames,
  run: string | undefined,
  deeper: number,
): Actor | null {
  if (act === undefined) return null
  if (deeper === 0) throw incomplete('act', `is nested deeper than ${actorsMax}`)
  if (!isObject(act)) throw incomplete('act', 'is not an object')
  const mine = runOf(act, names) ?? run
  return {
    id: nameOf(act['sub'], 'act.sub'),
    type: kindOf(act, names) ?? 'agent',
    ...(mine === undefined ? {} : { run: mine }),
    attested: true,
    actor: actorOf(act['act'], names, undefined, deeper - 1),
  }
}

function kindOf(claims: Claims, { type }: ClaimNames): Kind | undefined {
  const value = type === undefined ? undefined : claimAt(claims, type)
  if (value === undefined) return undefined
  if (kinds.includes(value)) return value as Kind
  throw incomplete(shown(type), 'is none of human, agent, service')
}

/** RFC 9068 section 2.2: without a person, `sub` is the client itself. */
function isClient(claims: Claims, id: string): boolean {
  return claims['client_id'] === id || claims['azp'] === id
}

function runOf(claims: Claims, { run }: ClaimNames): string | undefined {
  const value = run === undefined ? undefined : claimAt(claims, run)
  return value === undefined ? undefined : nameOf(value, shown(run))
}

function groupsOf(claims: Claims, name: ClaimName): readonly string[] {
  const value = claimAt(claims, name)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw incomplete(shown(name), 'is not an array')
  if (value.length > groupsMax) throw incomplete(shown(name), `has more than ${groupsMax} entries`)
  return value.map((group) => nameOf(group, shown(name)))
}

function passedOn(claims: Claims, pass: readonly string[]): Claims {
  const entries = [...new Set([...passed, ...pass])]
    .filter((name) => Object.hasOwn(claims, name))
    .map((name) => [name, claims[name]] as const)
  const kept = Object.fromEntries(entries)
  if (JSON.stringify(kept).length > passedBytesMax)
    throw incomplete('the claims for policy', `are larger than ${passedBytesMax} bytes`)
  return kept
}

function nameOf(value: unknown, claim: string): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw incomplete(claim, 'is absent, empty or not text')
  if (value.length > idCharsMax) throw incomplete(claim, `is longer than ${idCharsMax} characters`)
  if (/\p{Cc}/u.test(value) || !value.isWellFormed())
    throw incomplete(claim, 'holds control characters or broken text')
  return value
}

function claimAt(claims: Claims, name: ClaimName): unknown {
  let value: unknown = claims
  for (const step of typeof name === 'string' ? [name] : name) {
    if (!isObject(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(name: ClaimName | undefined): string {
  return typeof name === 'string' ? name : (name ?? []).join('.')
}

function incomplete(claim: string, problem: string): Refusal {
  return new Refusal('identity_incomplete', `the token cannot be used: ${claim} ${problem}`)
}

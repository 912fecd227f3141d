import type {
  Actor,
  Command,
  Credential,
  Gate,
  Knock,
  Resource,
  Session,
  Subject,
  Upstream,
} from './contract.ts'
import { nothingDeclared } from './engine/code.ts'
import { newId } from './id.ts'
import { type Lifetime, lifetime } from './lifetime.ts'
import { capabilitiesOf } from './obligations.ts'
import type { AuditEntry, Credentials, Identified, Identity, Observe } from './parts.ts'
import { loginFor, type Profile, profileOf } from './profile.ts'
import { Malformed, Refusal, refusalOf } from './refusal.ts'
import { seats } from './seats.ts'
import { type Court, type Pipeline, pipeline } from './session.ts'

export type GateParts = Court & {
  readonly resource: Resource
  readonly upstream: Upstream
  readonly identity: Identity
  readonly credentials: Credentials
  /** The login of sessions that policy seals; without it they are refused. */
  readonly sealedCredentials?: Credentials
  /** What the gate itself enforces, whatever the protocol: quotas and sessions that outlive their token unless given. */
  readonly capabilities?: readonly string[]
  /** Whether a session ends when its token expires: `end` unless given. */
  readonly tokenExpiry?: 'end' | 'keep'
  readonly sessionsMax?: number
  readonly sessionsPerSubjectMax?: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** A gate that also answers for its sessions. */
export interface GateKeeper extends Gate {
  sessions(): readonly SessionInfo[]
  /** Ends the sessions that `which` picks, with what their clients read; answers how many. */
  end(which: (session: SessionInfo) => boolean, why: Refusal): number
}

/** An open session, as shown to people. */
export type SessionInfo = {
  readonly id: string
  readonly resource: string
  readonly subject: Subject
  readonly peer: string
  readonly database: string
  readonly application: string
  readonly opened_ms: number
}

type Opened = { readonly info: SessionInfo; readonly life: Lifetime }

const sessionsMax = 10_000
const sessionsPerSubjectMax = 1000
/** An obligation on the decision to connect: the session goes on when its token has expired. */
const outliveToken = 'outlive_token'
const gateCapabilities = ['quota', `obligation:${outliveToken}`]
const connect: Command = { name: 'connect', effects: ['session'], objects: [] }

/** The way in to one resource. Throws on parts that do not fit together, e.g. a mask key that is too short. */
export function gate(parts: GateParts): GateKeeper {
  const { resource, upstream, identity, credentials, audit, maskKey } = parts
  const { capabilities = gateCapabilities, tokenExpiry = 'end', now = Date.now } = parts
  const room = seats(
    parts.sessionsMax ?? sessionsMax,
    parts.sessionsPerSubjectMax ?? sessionsPerSubjectMax,
  )
  const observe = harmless(parts.observe)
  const court = { ...parts, observe }
  const open = new Map<string, Opened>()
  // A key that is too short is a mistake in the configuration: found now, not at the first login.
  capabilitiesOf([], capabilities, maskKey)

  async function enter(knock: Knock): Promise<Session> {
    if (knock.token === '') throw new Refusal('token_missing')
    const who = await identity.identify(knock.token)
    if (who.subject.id === '' || who.subject.issuer === '') throw new Refusal('identity_incomplete')
    mustStay(knock)
    const leave = room.take(who.subject)
    const life = lifetime(tokenExpiry === 'end' ? who.expiresMs : undefined, now)
    try {
      return await welcome(knock, who, { life, leave })
    } catch (error) {
      life.stop()
      leave()
      throw error
    }
  }

  async function welcome(knock: Knock, { subject }: Identified, stay: Stay): Promise<Session> {
    const { life } = stay
    const { peer, tls, database, user, application } = knock
    const session = newId()
    const able = capabilitiesOf(knock.capabilities, capabilities, maskKey)
    const line = pipeline(court, {
      session,
      subject,
      resource,
      context: { peer, tls, database, user, application, grants: [], capabilities: able },
      gone: knock.signal,
      ended: life.ended,
      over: life.over,
      ...(knock.tell === undefined ? {} : { tell: knock.tell }),
    })
    const ruling = await line.ask('connect', connect)
    if (!ruling.allowed) throw ruling.refusal
    if (ruling.obligations.some(({ name }) => name === outliveToken)) life.keep()
    const profile = profileOf(ruling.obligations)
    const login = loginFor(profile, credentials, parts.sealedCredentials)
    const credential = await login.credential()
    mustStay(knock)
    await audit.append({ kind: 'session_open', session, ...shown(resource, subject, knock) })
    const opened_ms = now()
    const info = { id: session, resource: resource.id, subject, peer, database, application }
    open.set(session, { info: { ...info, opened_ms }, life })
    observe({ kind: 'session', change: 'opened', resource: resource.id, session })
    return sessionOf({ subject, session, credential, profile, line, stay })
  }

  function sessionOf({ subject, session, credential, profile, line, stay }: Entered): Session {
    return {
      id: session,
      subject,
      resource,
      credential,
      profile,
      ended: stay.life.ended,
      ask: (command, asking) => line.ask('command', command, asking),
      alarm(message, decision) {
        audit.later({ kind: 'alarm', session, decision_id: decision, message })
        observe({ kind: 'alarm', resource: resource.id, session, decision, message })
      },
      close(problem) {
        if (!open.delete(session)) return
        stay.life.stop()
        stay.leave()
        line.close()
        bye({ kind: 'session_close', session, subject: subject.id }, 'closed', problem)
      },
    }
  }

  /** Never throws: what is over is over. */
  function bye(entry: AuditEntry, change: 'closed' | 'turned_away', problem: unknown): void {
    const { session } = entry
    const about = session === undefined ? {} : { session }
    const why = problem === undefined ? {} : { ...codeOf(problem) }
    try {
      audit.later({ ...entry, resource: resource.id, ...why })
      const error = isOurs(problem) ? { error: problem } : {}
      observe({ kind: 'session', change, resource: resource.id, ...about, ...why, ...error })
    } catch (error) {
      const code = 'internal_error'
      observe({ kind: 'failure', resource: resource.id, ...about, code, error })
    }
  }

  return {
    resource,
    upstream,
    declarations: () => parts.engine.declarations?.(resource.id) ?? nothingDeclared,
    async open(knock) {
      try {
        return await enter(knock)
      } catch (error) {
        if (error instanceof Refusal) throw error
        observe({ kind: 'failure', resource: resource.id, code: 'internal_error', error })
        throw new Refusal('internal_error')
      }
    },
    turnedAway: (peer, problem) => bye({ kind: 'turned_away', peer }, 'turned_away', problem),
    sessions: () => Array.from(open.values(), ({ info }) => info),
    end(which, why) {
      const chosen = Array.from(open.values()).filter(({ info }) => which(info))
      for (const { life } of chosen) life.end(why)
      return chosen.length
    },
  }
}

/** What a session gives back when it ends. */
type Stay = { readonly life: Lifetime; readonly leave: () => void }

type Entered = {
  readonly subject: Subject
  readonly session: string
  readonly credential: Credential
  readonly profile: Profile
  readonly line: Pipeline
  readonly stay: Stay
}

/** Log and metrics look on: what goes wrong there decides nothing. */
function harmless(observe: Observe): Observe {
  return (happening) => {
    try {
      observe(happening)
    } catch {
      // There is nobody left to tell.
    }
  }
}

function mustStay(knock: Knock): void {
  if (knock.signal.aborted) throw new Refusal('session_ended', 'the client hung up')
}

function shown(resource: Resource, subject: Subject, knock: Knock): Record<string, unknown> {
  const { peer, tls, database, user, application } = knock
  const who = { subject: subject.id, issuer: subject.issuer, groups: subject.groups }
  const how = { peer, tls, database, user, application }
  return { resource: resource.id, ...who, actors: actorsOf(subject), ...how }
}

function actorsOf(subject: Subject): readonly Omit<Actor, 'actor'>[] {
  const actors: Omit<Actor, 'actor'>[] = []
  for (let actor: Actor | null = subject.actor; actor !== null; actor = actor.actor) {
    const { id, type, run, attested } = actor
    actors.push({ id, type, attested, ...(run === undefined ? {} : { run }) })
  }
  return actors
}

function codeOf(problem: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = refusalOf(problem)
  return { code, message }
}

function isOurs(problem: unknown): boolean {
  if (problem instanceof Refusal) return problem.cause !== undefined
  return problem !== undefined && !(problem instanceof Malformed)
}

import type {
  Allowed,
  Asking,
  Command,
  Gate,
  Knock,
  Limits,
  Mask,
  Outcome,
  Rewrite,
  Ruling,
  Session,
  Subject,
  Upstream,
} from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'

/** What a test's policy says about one command. */
export type Answer =
  | 'allow'
  | 'deny'
  | 'hold'
  | { readonly limits?: Limits; readonly mask?: readonly string[] | Mask }

export type Policy = (command: Command, asking: Asking) => Answer

/** One question as it was put, and how it ended. */
export type Asked = {
  readonly command: Command
  readonly asking: Asking
  readonly outcomes: Outcome[]
}

/** A gate whose policy is a function and which remembers everything. */
export interface TestGate extends Gate {
  readonly asked: Asked[]
  readonly told: string[]
  readonly turned: unknown[]
  readonly closed: unknown[]
  readonly alarms: string[]
  readonly knocks: Knock[]
  /** Approves what is held. */
  approve(): void
  /** Ends every session. */
  end(reason: Refusal): void
  held(): number
}

const subject: Subject = {
  id: 'ada',
  type: 'human',
  issuer: 'https://issuer.example',
  groups: [],
  claims: {},
  actor: null,
}

export type Login = { readonly username: string; readonly password: string }

/** Opens with the token `let-me-in`. */
export function gate(upstream: Upstream, login: Login, policy: Policy): TestGate {
  const asked: Asked[] = []
  const told: string[] = []
  const turned: unknown[] = []
  const closed: unknown[] = []
  const alarms: string[] = []
  const knocks: Knock[] = []
  const waiting = new Set<(approved: boolean) => void>()
  const sessions = new Set<AbortController>()
  const resource = { id: 'shop', protocol: 'postgres', labels: {} }
  let ids = 0

  return {
    resource,
    upstream,
    asked,
    told,
    turned,
    closed,
    alarms,
    knocks,
    turnedAway: (_, problem) => void turned.push(problem),
    held: () => waiting.size,
    approve() {
      for (const go of waiting) go(true)
    },
    end(reason) {
      for (const one of sessions) one.abort(reason)
    },
    async open(knock) {
      knocks.push(knock)
      if (knock.token !== 'let-me-in') throw new Refusal('token_invalid')
      return session(knock)
    },
  }

  function session(knock: Knock): Session {
    const ended = new AbortController()
    sessions.add(ended)
    return {
      id: `s${knocks.length}`,
      subject,
      resource,
      credential: { username: login.username, secret: { reveal: () => login.password } },
      profile: 'masked',
      ended: ended.signal,
      ask: (command, asking = {}) => ask(knock, command, asking),
      alarm: (text) => void alarms.push(text),
      close(problem) {
        sessions.delete(ended)
        closed.push(problem)
      },
    }
  }

  function ask(knock: Knock, command: Command, asking: Asking): Ruling | Promise<Ruling> {
    ids += 1
    const id = `d${ids}`
    const one: Asked = { command, asking, outcomes: [] }
    asked.push(one)
    const answer = policy(command, asking)
    if (answer === 'deny') return denied(id)
    const yes = allowed(id, one, answer)
    if (answer !== 'hold' || asking.prepare === true) return yes
    knock.tell?.('waiting for approval')
    told.push('held')
    return held(knock, asking).then((approved) =>
      approved ? yes : { allowed: false, id, refusal: new Refusal('hold_abandoned') },
    )
  }

  function held(knock: Knock, asking: Asking): Promise<boolean> {
    return new Promise((resolve) => {
      const go = (approved: boolean): void => {
        if (!waiting.delete(go)) return
        told.push(approved ? 'approved' : 'abandoned')
        resolve(approved)
      }
      waiting.add(go)
      knock.signal.addEventListener('abort', () => go(false))
      asking.signal?.addEventListener('abort', () => go(false))
    })
  }
}

function denied(id: string): Ruling {
  const detail = { rule: 'policies.test', remedy: 'ask somebody' }
  return { allowed: false, id, refusal: new Refusal('denied', 'not this', detail) }
}

/** An allowed ruling that notes its outcomes. */
export function allowed(id: string, asked: Pick<Asked, 'outcomes'>, answer: Answer): Allowed {
  const { limits = {}, mask = [] } = typeof answer === 'string' ? {} : answer
  return {
    allowed: true,
    id,
    mask: 'empty' in mask ? mask : masking(mask),
    limits,
    obligations: [],
    done: (outcome) => void asked.outcomes.push(outcome),
  }
}

/** Redacts these columns. */
export function masking(columns: readonly string[]): Mask {
  const rewrite: Rewrite = { method: 'redact', rule: 'policies.test', text: () => '***' }
  return {
    empty: columns.length === 0,
    touches: (relation) => columns.some((column) => column.startsWith(`${relation}.`)),
    column: (name) => (columns.includes(name) ? rewrite : undefined),
  }
}

import type { Input } from '../contract.ts'
import { decisionOf } from './decision.ts'
import type { Policy } from './policy.ts'

/** Enough for V8 to leave its first tier for what every evaluation runs. */
const rounds = 50

/**
 * Evaluates a made-up question until the code is warm. Throws when the policy traps or gives no decision there:
 * such a policy would refuse everything.
 */
export function warm(policy: Policy, nowMs: number): void {
  const moment = { nowNs: BigInt(nowMs) * 1_000_000n }
  for (let round = 0; round < rounds; round++) {
    const { value, problem, broken } = policy.evaluate(question, moment)
    if (broken) throw new Error(`it breaks on a plain question: ${problem}`)
    // A builtin may well fail on a made-up question; a real one is then denied by itself.
    if (problem !== undefined) continue
    if (value === undefined) throw new Error('its entrypoint is undefined for a plain question')
    if (decisionOf(value) === undefined)
      throw new Error(
        'its entrypoint does not answer with a decision (see rego/contract/decision.json)',
      )
  }
}

const question: Input = {
  v: 1,
  phase: 'command',
  subject: { id: 'warm-up', type: 'service', issuer: '', groups: [], claims: {}, actor: null },
  resource: { id: 'warm-up', protocol: 'none', labels: {} },
  action: { name: 'none', effects: ['read'], objects: [], text: '' },
  context: {
    peer: '127.0.0.1',
    tls: true,
    database: '',
    user: '',
    application: '',
    state: {},
    grants: [],
    capabilities: [],
  },
  counts: {
    groups: 0,
    claims: 0,
    labels: 0,
    effects: 1,
    objects: 0,
    columns: 0,
    outputs: 0,
    predicates: 0,
    grants: 0,
    incomplete: 0,
  },
}

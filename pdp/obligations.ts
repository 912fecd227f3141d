import type { Decision, Limits, Mask, Secret } from './contract.ts'
import { limitsOf } from './limits.ts'
import { compileMask, maskCapabilities } from './mask.ts'
import { Refusal } from './refusal.ts'

/** What an allow asks of whoever carries it out. */
export type Duties = { readonly mask: Mask; readonly limits: Limits }

const nothing: Duties = { mask: compileMask([]), limits: limitsOf([]) }

/**
 * Turns the decisions of one session into duties, once per decision object.
 * Throws Refusal for what was not declared in `capabilities` or cannot be carried out.
 */
export function duties(
  capabilities: readonly string[],
  maskKey: Secret | undefined,
): (decision: Decision) => Duties {
  const able = new Set(capabilities)
  // Lives exactly as long as the engine's own bounded cache keeps the decision.
  const kept = new WeakMap<Decision, Duties>()
  return (decision) => {
    const { masks, limits } = decision
    if (isFree(decision)) return nothing
    const known = kept.get(decision)
    if (known !== undefined) return known
    mustBeAble(decision, able)
    const compiled = { mask: compileMask(masks, maskKey), limits: limitsOf(limits) }
    kept.set(decision, compiled)
    return compiled
  }
}

function isFree({ effect, masks, limits, quotas, obligations }: Decision): boolean {
  const duties = masks.length + limits.length + quotas.length + obligations.length
  return effect === 'allow' && duties === 0
}

/** What one connection can enforce: what its protocol declares, less the masks without a key, plus the gate's own. */
export function capabilitiesOf(
  protocol: readonly string[],
  gate: readonly string[],
  maskKey: Secret | undefined,
): readonly string[] {
  const masks = new Set(maskCapabilities(maskKey))
  const able = protocol.filter((name) => !name.startsWith('mask:') || masks.has(name))
  return [...new Set([...able, ...gate])].sort()
}

/** The policy library checks the same; here it is checked without believing the bundle. */
function mustBeAble(decision: Decision, able: ReadonlySet<string>): void {
  for (const { method } of decision.masks) mustInclude(able, `mask:${method}`)
  for (const { metric } of decision.limits) mustInclude(able, `limit:${metric}`)
  if (decision.quotas.length > 0) mustInclude(able, 'quota')
  if (decision.effect === 'hold') mustInclude(able, 'hold')
  for (const { name } of decision.obligations) mustInclude(able, `obligation:${name}`)
}

function mustInclude(able: ReadonlySet<string>, name: string): void {
  if (able.has(name)) return
  throw new Refusal('unsupported_obligation', `policy asks for ${name}, which this gate cannot do`)
}

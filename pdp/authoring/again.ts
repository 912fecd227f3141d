import { Failure } from '../commands/io.ts'
import type { Decision, Input } from '../contract.ts'
import { engine } from '../engine/engine.ts'
import type { Change } from '../impact/change.ts'
import { changesBetween } from '../impact/difference.ts'
import type { PolicyBundle } from '../parts.ts'
import { membersOf, sameMember } from './counted.ts'
import type { Listen, Said } from './members.ts'

/** What a bundle answers to a question on record. snake_case: it is printed as JSON. */
export type Again = {
  readonly revision: string
  /** It says of itself that it is the one that decided then. */
  readonly same_revision: boolean
  readonly decision: Decision
  readonly changes: readonly Change[]
  /** Everything any policy said; `counted` where the decision shows it. */
  readonly matched: readonly (Said & { readonly counted: boolean })[]
  /** Why it cannot be told what every policy said. */
  readonly problem?: string
}

/** A question on record with its answer. */
export type Then = {
  readonly input: Input
  readonly decision: Decision
  readonly revision: string
  readonly atMs: number
}

/** Asks the bundle again what was asked then, with the clock of then. Throws an Error where it does not load. */
export async function askedAgain(then: Then, bundle: PolicyBundle, listen: Listen): Promise<Again> {
  const { input, atMs } = then
  // What ran out since may be asked all the same.
  const { expiresMs: _, ...lasting } = bundle
  const decider = engine({ now: () => atMs })
  await decider.activate(lasting)
  const { decision } = decider.evaluate(input)
  const shown = membersOf(decision)
  const { said, problem } = heard(listen, then)
  return {
    revision: bundle.revision,
    same_revision: bundle.revision === then.revision,
    decision,
    changes: changesBetween(then.decision, decision),
    matched: said.map((one) => ({
      ...one,
      counted: shown.some((member) => sameMember(member, one)),
    })),
    ...(problem === undefined ? {} : { problem }),
  }
}

/** Asked for all of it, a policy may fail over what no decision comes to. */
function heard(
  listen: Listen,
  { input, atMs }: Then,
): { readonly said: readonly Said[]; readonly problem?: string } {
  try {
    return { said: listen(input, atMs) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { said: [], problem: error.message }
  }
}

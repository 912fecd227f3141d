import { expect, test } from 'vitest'
import { builtins } from '../../../pdp/engine/builtins.ts'
import { policy } from '../../../pdp/engine/policy.ts'
import { bundle, opaEvalAll, question, random } from './kit.ts'
import { madeAction, madePolicy } from './policies-made.ts'
import { sdkOf } from './sdk.ts'

const seeds = [1, 2, 3, 4, 5, 6]
const rules = 60
const asked = 60
const moment = { nowNs: 0n }

test.each(seeds)(
  `${rules} random rules find the same in our host, the SDK and opa eval (seed %d)`,
  async (seed) => {
    const dice = random(seed)
    const rego = madePolicy(dice, rules)
    const questions = Array.from({ length: asked }, () => question(madeAction(dice)))
    const built = bundle({ rego })
    const ours = await policy(built, builtins)
    const sdk = sdkOf(built)
    const theirs = opaEvalAll(rego, 'data.postern.decision', questions, {})
    const found = new Set<string>()
    for (const [index, one] of questions.entries()) {
      const answer = ours.evaluate(one, moment)
      expect(answer.problem).toBeUndefined()
      expect(answer.value, JSON.stringify(one.action)).toEqual(theirs[index])
      expect(answer.value, JSON.stringify(one.action)).toEqual(sdk.evaluate(one)[0]?.result)
      for (const name of Object.keys(factsOf(answer.value))) found.add(name)
    }
    expect(found.size).toBeGreaterThan(rules / 3)
  },
)

function factsOf(decision: unknown): object {
  const { obligations } = decision as { readonly obligations: readonly [{ readonly args: object }] }
  return obligations[0].args
}

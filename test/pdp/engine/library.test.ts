import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { buildBundle } from '../../../bundles/build.ts'
import { readContent } from '../../../bundles/manifest.ts'
import { builtins } from '../../../pdp/engine/builtins.ts'
import { policy } from '../../../pdp/engine/policy.ts'
import type { PolicyBundle } from '../../../pdp/parts.ts'
import { deletions, evaluate, noon } from '../../rego/kit.ts'
import { questions } from '../../rego/questions.ts'
import { opa } from './kit.ts'
import { sdkOf } from './sdk.ts'

const nowNs = BigInt(noon) * 1_000_000n

async function library(): Promise<PolicyBundle> {
  const source = fileURLToPath(new URL('../../../rego', import.meta.url))
  const { wasm, data } = readContent(await buildBundle({ source, revision: 'r', opa }))
  const entrypoint = 'postern/decision'
  return { name: 'library', revision: 'r', digest: '', entrypoint, wasm, data }
}

test('the policies of rego/ decide every question as opa eval does', async () => {
  const asked = Object.values(questions)
  const ours = await policy(await library(), builtins)
  const theirs = evaluate(asked)
  for (const [index, question] of asked.entries())
    expect(ours.evaluate(question, { nowNs }).value).toEqual(theirs[index]?.decision)
})

test('and every question without one of its parts as the SDK does, mostly without looking at its text', async () => {
  const bundle = await library()
  const ours = await policy(bundle, builtins)
  const sdk = sdkOf(bundle, nowNs)
  let asked = 0
  let blind = 0
  for (const question of Object.values(questions))
    for (const { path, without } of deletions(question)) {
      const answer = ours.evaluate(without, { nowNs })
      asked++
      if (answer.blind) blind++
      expect(answer.value, path).toEqual(sdk.evaluate(without)[0]?.result)
    }
  expect(asked).toBeGreaterThan(2000)
  expect(blind).toBeGreaterThan(asked * 0.8)
})

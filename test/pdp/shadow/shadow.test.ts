import { expect, onTestFinished, test } from 'vitest'
import { openAudit } from '../../../pdp/audit/log.ts'
import type { Input } from '../../../pdp/contract.ts'
import { engine } from '../../../pdp/engine/engine.ts'
import type { PolicyBundle } from '../../../pdp/parts.ts'
import { decisionEntry } from '../../../pdp/record.ts'
import { type Shadow, shadow } from '../../../pdp/shadow/shadow.ts'
import { scratch } from '../audit/kit.ts'
import { bundle, question } from '../engine/kit.ts'

const preamble = 'package postern\nimport rego.v1\n'
const answer = (effect: string) =>
  `{"effect": "${effect}", "reasons": [{"rule": "r", "code": "c", "message": "m"}], ` +
  '"masks": [], "limits": [], "quotas": [], "obligations": []}'
const allowing = bundle({ rego: `${preamble}decision := ${answer('allow')}` })
const denying = {
  ...bundle({ rego: `${preamble}decision := ${answer('deny')}` }),
  revision: 'next',
}
/** Never finishes a question that names `hang`: every pair of a long list is looked at three times over. */
const hanging = bundle({
  rego: `${preamble}
default decision := ${answer('allow')}
decision := ${answer('deny')} if {
  input.action.name == "hang"
  many := numbers.range(1, 3000)
  count([1 | some a in many; some b in many; some c in many; c == 0.5]) > 0
}`,
})

async function stage(options: { readonly silenceMsMax?: number } = {}) {
  const folder = scratch()
  const audit = openAudit({ folder })
  const active = engine()
  await active.activate(allowing)
  const failures: string[] = []
  const beside = shadow({ folder, failed: ({ message }) => failures.push(message), ...options })
  onTestFinished(async () => {
    await beside.close()
    await audit.close()
  })
  let count = 0
  const ask = (input: Input) => {
    count += 1
    const verdict = active.evaluate(input)
    const decided = { session: 's', id: `d${count}`, input, verdict, refusal: undefined }
    audit.append(decisionEntry({ ...decided, prepare: false, labels: undefined, hold: undefined }))
  }
  return { beside, ask, failures }
}

const replayed = (beside: Shadow) => beside.status().report?.replayed ?? 0
const soon = { timeout: 15_000, interval: 50 }

test('without a candidate there is nothing to say', async () => {
  const { beside } = await stage()
  expect(beside.status()).toEqual({ crashes: 0 })
})

test('a candidate is compared on what is recorded from then on, and replaced by the next', async () => {
  const { beside, ask } = await stage()
  ask(question())
  await beside.activate(denying)
  for (let count = 0; count < 120; count++) ask(question())
  await expect.poll(() => replayed(beside), soon).toBe(120)
  const { candidate, report, through, problem } = beside.status()
  expect(candidate).toMatchObject({ revision: 'next', digest: denying.digest })
  expect(report).toMatchObject({ same: 0, stronger: 120, weaker: 0, failed: 0 })
  expect(report?.groups).toMatchObject([{ change: 'effect allow to deny', count: 120 }])
  expect(Date.parse(through ?? '')).toBeGreaterThan(0)
  expect(problem).toBeUndefined()

  await beside.activate(allowing)
  expect(beside.status().report).toBeUndefined()
  ask(question())
  await expect.poll(() => replayed(beside), soon).toBe(1)
  expect(beside.status().report).toMatchObject({ same: 1 })
})

test('a candidate that cannot be loaded is refused with the reason, and none runs', async () => {
  const { beside, failures } = await stage()
  await beside.activate(denying)
  const broken: PolicyBundle = { ...denying, wasm: Buffer.from('no module') }
  await expect(beside.activate(broken)).rejects.toThrow(/no WebAssembly module/)
  expect(beside.status()).toEqual({ crashes: 0 })
  expect(failures).toEqual([])
})

test('a candidate that hangs is ended, counted, and begins anew behind what it hung on', async () => {
  const { beside, ask, failures } = await stage({ silenceMsMax: 3_000 })
  await beside.activate(hanging)
  ask(question({ name: 'hang' }))
  await expect.poll(() => failures, soon).toEqual(['the candidate took longer than 3000 ms'])
  expect(beside.status()).toMatchObject({ crashes: 1, problem: failures[0] })
  await expect
    .poll(() => {
      ask(question())
      return replayed(beside)
    }, soon)
    .toBeGreaterThan(0)
  expect(beside.status()).toMatchObject({ crashes: 1, report: { failed: 0 } })
})

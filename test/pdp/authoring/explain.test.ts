import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAudit } from '../../../pdp/audit/log.ts'
import { type Again, askedAgain } from '../../../pdp/authoring/again.ts'
import { explanationText } from '../../../pdp/authoring/explanation.ts'
import { listening, sets } from '../../../pdp/authoring/members.ts'
import { folderBundle } from '../../../pdp/authoring/module.ts'
import { Failure } from '../../../pdp/commands/io.ts'
import type { AuditEntry } from '../../../pdp/parts.ts'
import { alice, ask, deleteOrder, robot, selectCustomers } from '../../rego/questions.ts'
import { decision } from '../audit/kit.ts'
import { opa, postern, project, scratch } from './kit.ts'

const slowMs = 60_000
const rego = { folder: join(project, 'rego'), command: opa }

/** The folder of a record with these entries. */
async function recorded(...entries: readonly AuditEntry[]): Promise<string> {
  const folder = join(scratch(), 'audit')
  const audit = openAudit({ folder })
  for (const entry of entries) await audit.append(entry)
  await audit.close()
  return folder
}

const none = { masks: [], limits: [], quotas: [], obligations: [] }
const denied = {
  effect: 'deny',
  reasons: [
    { rule: 'closing', code: 'late', message: 'we are \u001b[31mclosed', remedy: 'come tomorrow' },
    { rule: 'postern', code: 'no_matching_allow', message: 'nobody allows this' },
  ],
  ...none,
}

test(
  'whoever acts for somebody, what is incomplete, and what the gate refused, are all told',
  async () => {
    const actor = { id: 'assistant', type: 'agent', attested: true, actor: null }
    const input = {
      ...ask({ ...alice, actor: { ...actor, run: 'r1' } } as typeof alice, {
        ...deleteOrder,
        incomplete: 'a DO block',
      }),
    }
    const folder = await recorded({
      ...decision({ id: 'd1' }),
      input,
      result: denied,
      cached: true,
      refused: { code: 'quota_exceeded', message: 'too many' },
      hold: { id: 'h1', approved_by: ['bob', 'carol'] },
    })
    const { stdout, stderr } = await postern('explain', 'd1', '--folder', folder)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^who +alice \(human; groups engineers\), through assistant \(agent\)$/m)
    expect(stdout).toMatch(/^unread +a DO block$/m)
    expect(stdout).toMatch(/^denied by +policies\.closing, late: we are \\u\{1b\}\[31mclosed$/m)
    expect(stdout).toMatch(/^denied by +the library, no_matching_allow: nobody allows this$/m)
    expect(stdout).toMatch(/^remedy +come tomorrow$/m)
    expect(stdout).toMatch(/^cached +yes$/m)
    expect(stdout).toMatch(/^approval +hold h1, by bob, carol$/m)
    expect(stdout).toMatch(/^refused +by the gate: too many \(quota_exceeded\)$/m)
  },
  slowMs,
)

test(
  'what cannot be read, or was no answer of a policy, is said to be so',
  async () => {
    const unread = await recorded({ ...decision({ id: 'd1' }), result: { effect: 'maybe' } })
    const done = await postern('explain', 'd1', '--folder', unread)
    expect(done).toMatchObject({ status: 1, stdout: '' })
    expect(done.stderr).toContain('no question or no decision that can be read')
    const { bundles: _, ...byGate } = decision({ id: 'd2' })
    const folder = await recorded({ ...byGate, input: ask(alice, deleteOrder), result: denied })
    const key = ['--key', 'bundles/demo/demo.pub.pem', '--key-id', 'demo', '--demo']
    const bundle = ['--bundle', 'bundles/demo/demo.tar.gz', ...key]
    const asked = await postern('explain', 'd2', '--folder', folder, ...bundle)
    expect(asked.stderr).toContain('there is nothing to ask a bundle again')
    expect((await postern('explain', 'd2', '--folder', folder)).stdout).toMatch(/^bundle +none$/m)
  },
  slowMs,
)

test(
  'every set of every policy is heard, and policies that fail do not hide the answer',
  async () => {
    const listen = await listening(rego)
    const atMs = Date.UTC(2027, 2, 31, 10)
    const said = [ask(robot, selectCustomers), ask(alice, deleteOrder)].flatMap((input) =>
      listen(input, atMs).map(({ set }) => set),
    )
    expect(new Set(said)).toEqual(new Set(sets.filter((set) => set !== 'deny')))
    const bundle = await folderBundle(rego, {
      entrypoints: ['postern/decision'],
      ignore: '*_test.rego',
    })
    const input = ask(alice, deleteOrder)
    const then = { input, decision: denied as Again['decision'], revision: 'r', atMs }
    const again = await askedAgain(then, bundle, () => {
      throw new Failure('the policies failed: broken')
    })
    expect(again).toMatchObject({ matched: [], problem: 'the policies failed: broken' })
    expect(again.changes).toMatchObject([{ direction: 'weaker', what: 'effect deny to hold' }])
    const story = { decision: { decision_id: 'd1', timestamp: 'now' }, after: [] }
    expect(explanationText(story, input, then.decision, again)).toMatch(
      /^failed +the policies failed/m,
    )
  },
  slowMs,
)

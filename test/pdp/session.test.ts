import { describe, expect, test } from 'vitest'
import type { Command, Ruling, Session } from '../../pdp/contract.ts'
import {
  alice,
  allow,
  canary,
  commands,
  decision,
  deny,
  held,
  record,
  type Scene,
  type SceneOptions,
  scene,
  select,
} from './kit.ts'

const few = { name: 'few', per: 'subject', metric: 'commands', max: 2, window_s: 60 } as const

async function opened(
  policy: Parameters<typeof scene>[0],
  options?: SceneOptions,
): Promise<Scene & { readonly session: Session }> {
  const all = scene(commands(policy), options)
  return { ...all, session: await all.gate.open(all.knock()) }
}

function now(ruling: Ruling | Promise<Ruling>): Ruling {
  if (ruling instanceof Promise) throw new Error('the answer came late')
  return ruling
}

describe('an allowed command', () => {
  test('is answered synchronously, with no mask and no limit', async () => {
    const { session } = await opened(() => allow)
    const ruling = now(session.ask(select))
    expect(ruling).toMatchObject({ allowed: true, limits: {}, mask: { empty: true } })
  })

  test('is on record in the form of an OPA decision log', async () => {
    const { session, audit } = await opened(() => allow, { gate: { labels: { id: 'gate-1' } } })
    const ruling = now(session.ask(select))
    expect(audit.of('decision').at(-1)).toMatchObject({
      kind: 'decision',
      session: session.id,
      decision_id: ruling.id,
      path: 'postern/decision',
      input: { phase: 'command', action: { name: 'select' } },
      result: { effect: 'allow' },
      bundles: { main: { revision: 'r1' } },
      metrics: { timer_rego_query_eval_ns: 7 },
      labels: { id: 'gate-1' },
    })
  })

  test('has an id of 22 characters that no other has', async () => {
    const { session } = await opened(() => allow)
    const ids = Array.from({ length: 600 }, () => now(session.ask(select)).id)
    expect(new Set(ids).size).toBe(600)
    expect(ids.filter((id) => !/^\w[\w-]{21}$/.test(id))).toEqual([])
  })

  test('has one outcome, however often it is told', async () => {
    const { session, audit, happenings } = await opened(() => allow)
    const ruling = now(session.ask(select))
    if (ruling.allowed) for (const rows of [3, 4]) ruling.done({ rows, bytes: 10 })
    expect(audit.of('outcome')).toMatchObject([{ decision_id: ruling.id, rows: 3, bytes: 10 }])
    expect(happenings.filter(({ kind }) => kind === 'outcome')).toMatchObject([{ rows: 3 }])
  })

  test('without an outcome is recorded as unknown when the session closes', async () => {
    const { session, audit } = await opened(() => allow)
    const ruling = now(session.ask(select))
    session.close()
    session.close()
    if (ruling.allowed) ruling.done({ rows: 1, bytes: 1 })
    expect(audit.of('outcome')).toMatchObject([{ decision_id: ruling.id, error: 'unknown' }])
    expect(audit.of('session_close')).toHaveLength(1)
  })
})

describe('the question', () => {
  test('has the same subject, resource and context object every time', async () => {
    const { session, engine } = await opened(() => allow)
    now(session.ask(select))
    now(session.ask({ ...select }))
    const [first, second] = engine.inputs.slice(-2)
    for (const part of ['subject', 'resource', 'context'] as const)
      expect(first?.[part]).toBe(second?.[part])
  })

  test('counts what it holds', async () => {
    const { session, engine } = await opened(() => allow)
    const command: Command = {
      ...select,
      outputs: [{ name: 'id', sources: ['public.orders.id'], exact: true }],
      predicates: ['public.orders.id', 'public.orders.total'],
      incomplete: 'a function that nobody knows',
    }
    now(session.ask(command))
    expect(engine.inputs.at(-1)?.counts).toEqual({
      groups: 1,
      claims: 1,
      labels: 1,
      effects: 1,
      objects: 1,
      columns: 2,
      outputs: 1,
      predicates: 2,
      grants: 0,
      incomplete: 1,
    })
  })

  test('has the state that the command brings, and keeps the context while it is the same', async () => {
    const { session, engine } = await opened(() => allow)
    const state = { search_path: 'public' }
    now(session.ask({ ...select, state }))
    now(session.ask({ ...select, state }))
    const [first, second] = engine.inputs.slice(-2)
    expect(first?.context.state).toEqual(state)
    expect(second?.context).toBe(first?.context)
    now(session.ask(select))
    expect(engine.inputs.at(-1)?.context.state).toEqual({})
  })

  test('declares masks only where there is a key for them', async () => {
    const keyed = await opened(() => allow)
    const { gate, knock, engine } = scene(() => allow, { gate: { maskKey: undefined } as never })
    await gate.open(knock())
    expect(keyed.engine.inputs[0]?.context.capabilities).toContain('mask:hash')
    expect(engine.inputs[0]?.context.capabilities).not.toContain('mask:hash')
    expect(engine.inputs[0]?.context.capabilities).toContain('quota')
  })
})

describe('a denied command', () => {
  test('is refused with the reason of policy, and on record', async () => {
    const { session, audit, happenings } = await opened(() => deny)
    const ruling = now(session.ask(select))
    expect(ruling).toMatchObject({
      allowed: false,
      refusal: {
        code: 'denied',
        message: 'schemas change by migration',
        detail: { decision: ruling.id, rule: 'ddl', remedy: 'ask', reasons: deny.reasons },
      },
    })
    expect(audit.of('decision').at(-1)).toMatchObject({ result: { effect: 'deny' } })
    expect(happenings.at(-1)).toMatchObject({ effect: 'deny', rule: 'ddl', code: 'no_ddl' })
  })

  test.each([
    ['postern', 'no_matching_allow', 'no_matching_allow'],
    ['postern', 'incomplete_command', 'incomplete_command'],
    ['postern', 'toString', 'denied'],
    ['mine', 'no_matching_allow', 'denied'],
  ])('of rule %s with code %s is shown as %s', async (name, code, shown) => {
    const reasons = [{ rule: name, code, message: 'no' }]
    const { session } = await opened(() => decision({ effect: 'deny', reasons }))
    expect(now(session.ask(select))).toMatchObject({ refusal: { code: shown } })
  })
})

describe('invariant 1: nothing passes before its decision is on record', () => {
  test.each([false, true])('a record that fails refuses (slow: %s)', async (slow) => {
    const audit = record({
      slow,
      broken: ({ session, kind }) =>
        kind === 'decision' && !!session && audit.of('session_open').length > 0,
    })
    const { session, happenings } = await opened(() => allow, { audit })
    const ruling = await session.ask(select)
    expect(ruling).toMatchObject({ allowed: false, refusal: { code: 'audit_unavailable' } })
    expect(happenings.at(-1)).toMatchObject({ kind: 'failure', code: 'audit_unavailable' })
  })

  test('a slow record is waited for', async () => {
    const audit = record({ slow: true })
    const { session } = await opened(() => allow, { audit })
    const before = audit.entries.length
    const asked = session.ask(select)
    expect(asked).toBeInstanceOf(Promise)
    expect(audit.entries).toHaveLength(before)
    expect(await asked).toMatchObject({ allowed: true })
    expect(audit.entries).toHaveLength(before + 1)
  })

  test('a session that ends while the record is written is refused', async () => {
    const audit = record({ slow: true })
    const { session } = await opened(() => allow, { audit })
    const asked = session.ask(select)
    session.close()
    expect(await asked).toMatchObject({ allowed: false, refusal: { code: 'session_ended' } })
  })
})

describe('invariant 2: whatever goes wrong is refused', () => {
  test.each([
    [
      'an engine that throws',
      () => {
        throw new Error(canary)
      },
      'internal_error',
    ],
    ['an effect that nobody knows', () => decision({ effect: 'maybe' as never }), 'policy_failed'],
    ['a denial without a reason', () => decision({ effect: 'deny', reasons: [] }), 'policy_failed'],
    ['a hold that names nobody', () => decision({ effect: 'hold' }), 'policy_failed'],
    ['no decision at all', () => undefined as never, 'internal_error'],
  ] as const)('%s', async (_, policy, code) => {
    const { session, happenings } = await opened(policy)
    const ruling = await session.ask(select)
    expect(ruling).toMatchObject({ allowed: false, refusal: { code } })
    expect(JSON.stringify(ruling)).not.toContain(canary)
    if (code === 'internal_error')
      expect(happenings.at(-1)).toMatchObject({ kind: 'failure', code })
  })

  test.each([
    [
      'a mask it did not declare',
      { masks: [{ rule: 'r', column: 's.t.c', method: 'tokenize', on_predicate: 'deny' }] },
    ],
    [
      'a mask of something else',
      { masks: [{ rule: 'r', entity: 'email', method: 'redact', on_predicate: 'deny' }] },
    ],
    ['a limit it did not declare', { limits: [{ metric: 'bytes', max: 1, on_exceed: 'deny' }] }],
    ['an obligation it does not know', { obligations: [{ name: 'notify' }] }],
    ['a quota it did not declare', { quotas: [few] }],
    ['a hold it did not declare', held()],
  ] as const)('a gate that cannot enforce %s does not let pass', async (_, change) => {
    const { gate, knock, audit } = scene(
      commands(() => decision(change)),
      {
        gate: { capabilities: [] },
      },
    )
    const capabilities = ['mask:redact', 'limit:rows']
    const session = await gate.open(knock({ capabilities }))
    expect(now(session.ask(select))).toMatchObject({ refusal: { code: 'unsupported_obligation' } })
    expect(audit.of('decision').at(-1)).toMatchObject({
      result: { effect: expect.stringMatching(/^(allow|hold)$/) },
      refused: { code: 'unsupported_obligation' },
    })
  })

  test('a state that is no text is our failure', async () => {
    const { session } = await opened(() => allow)
    const ruling = now(session.ask({ ...select, state: { role: 1 } }))
    expect(ruling).toMatchObject({ allowed: false, refusal: { code: 'internal_error' } })
  })
})

describe('invariant 4: an incomplete command', () => {
  test('reaches policy with its reason, which must allow it by name', async () => {
    const { session, engine } = await opened(({ action }) => (action.incomplete ? deny : allow))
    expect(now(session.ask({ ...select, incomplete: 'a DO block' })).allowed).toBe(false)
    expect(engine.inputs.at(-1)).toMatchObject({ action: { incomplete: 'a DO block' } })
  })
})

describe('obligations', () => {
  test('masks and limits come with the ruling, compiled once per decision', async () => {
    const policy = decision({
      masks: [{ rule: 'pii', column: 'public.c.email', method: 'redact', on_predicate: 'deny' }],
      limits: [{ metric: 'rows', max: 10, on_exceed: 'truncate' }],
    })
    const { session } = await opened(() => policy)
    const [first, second] = [now(session.ask(select)), now(session.ask(select))]
    if (!first.allowed || !second.allowed) throw new Error('refused')
    expect(first.limits).toEqual({ rows: { max: 10, exceed: 'truncate' } })
    expect(first.mask.column('public.c.email')?.text('a@b.c')).toBe('[redacted]')
    expect(second.mask).toBe(first.mask)
  })

  test('a quota that is used up refuses, with the time to come back', async () => {
    const quotas = [
      { name: 'few', per: 'subject', metric: 'commands', max: 2, window_s: 60 },
    ] as const
    const { session, audit, clock } = await opened(() => decision({ quotas }))
    expect([1, 2].map(() => now(session.ask(select)).allowed)).toEqual([true, true])
    const ruling = now(session.ask(select))
    expect(ruling).toMatchObject({ allowed: false, refusal: { code: 'quota_exceeded' } })
    if (ruling.allowed) throw new Error('allowed')
    const retryAfterS = ruling.refusal.detail.retryAfterS ?? 0
    expect(retryAfterS).toBeGreaterThan(0)
    expect(audit.of('decision').at(-1)).toMatchObject({
      result: { effect: 'allow' },
      refused: { code: 'quota_exceeded' },
    })
    clock.pass(retryAfterS * 1000)
    expect(now(session.ask(select)).allowed).toBe(true)
  })

  test('rows of an answer use up a quota of rows', async () => {
    const quotas = [{ name: 'rows', per: 'session', metric: 'rows', max: 5, window_s: 60 }] as const
    const { session } = await opened(() => decision({ quotas }))
    const ruling = now(session.ask(select))
    if (ruling.allowed) ruling.done({ rows: 5, bytes: 1 })
    expect(now(session.ask(select))).toMatchObject({ refusal: { code: 'quota_exceeded' } })
  })
})

test('a client that never ends its commands is stopped', async () => {
  const { session } = await opened(() => allow)
  const first = now(session.ask(select))
  for (let more = 1; more < 10_000; more += 1) now(session.ask(select))
  expect(now(session.ask(select))).toMatchObject({ refusal: { code: 'quota_exceeded' } })
  if (first.allowed) first.done({ rows: 0, bytes: 0 })
  expect(now(session.ask(select)).allowed).toBe(true)
})

describe('a preparation', () => {
  test('is on record as one, and neither counted nor given an outcome', async () => {
    const quotas = [
      { name: 'one', per: 'subject', metric: 'commands', max: 1, window_s: 60 },
    ] as const
    const { session, audit } = await opened(() => decision({ quotas }))
    for (const _ of [1, 2]) {
      const ruling = now(session.ask(select, { prepare: true }))
      if (ruling.allowed) ruling.done({ rows: 0, bytes: 0 })
    }
    expect(now(session.ask(select)).allowed).toBe(true)
    expect(
      audit
        .of('decision')
        .slice(-3)
        .map(({ prepare }) => prepare),
    ).toEqual([true, true, undefined])
    expect(audit.of('outcome')).toEqual([])
  })

  test('is refused where the command is', async () => {
    const { session } = await opened(() => deny)
    expect(now(session.ask(select, { prepare: true })).allowed).toBe(false)
  })
})

describe('the end of a session', () => {
  test('comes with the token, whatever timers do, and stays on record', async () => {
    const { session, clock, audit } = await opened(() => allow, { expiresInMs: 1000 })
    expect(now(session.ask(select)).allowed).toBe(true)
    clock.pass(1000)
    expect(now(session.ask(select))).toMatchObject({ refusal: { code: 'token_expired' } })
    expect(session.ended.aborted).toBe(true)
    expect(session.ended.reason).toMatchObject({ code: 'token_expired' })
    expect(audit.of('decision').at(-1)).toMatchObject({
      result: { effect: 'deny', reasons: [{ code: 'token_expired' }] },
    })
  })

  test('does not come with the token where config says so', async () => {
    const { session, clock } = await opened(() => allow, {
      expiresInMs: 1000,
      gate: { tokenExpiry: 'keep' },
    })
    clock.pass(10_000)
    expect(now(session.ask(select)).allowed).toBe(true)
  })

  test('comes when it is closed', async () => {
    const { session } = await opened(() => allow)
    session.close()
    expect(now(session.ask(select))).toMatchObject({ refusal: { code: 'session_ended' } })
  })
})

test('invariant 9: no secret is in any ruling, record or happening', async () => {
  const { session, gate, audit, happenings, knock } = await opened(() => allow)
  const ruling = now(session.ask(select))
  gate.turnedAway('127.0.0.1', new Error(canary))
  session.close(new Error(canary))
  const failing = scene(() => {
    throw new Error(canary)
  })
  await expect(failing.gate.open(knock())).rejects.toMatchObject({ code: 'internal_error' })
  const shown = happenings.map((happening) => ({ ...happening, error: undefined }))
  const all = JSON.stringify([ruling, audit.entries, failing.audit.entries, shown, session, alice])
  expect(all).not.toContain(canary)
  expect(all).toContain('[secret]')
})

import { describe, expect, test } from 'vitest'
import type { Subject } from '../../pdp/contract.ts'
import type { Happening } from '../../pdp/parts.ts'
import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { secret } from '../../pdp/secret.ts'
import {
  alice,
  allow,
  bob,
  canary,
  commands,
  decision,
  deny,
  engine,
  held,
  pending,
  record,
  refusalFrom,
  scene,
  select,
} from './kit.ts'

describe('a login', () => {
  test('is decided, recorded, and gets the credential', async () => {
    const actor = { id: 'bot', type: 'agent', run: 'r7', attested: true, actor: null } as const
    const subject: Subject = { ...alice, actor }
    const { gate, knock, audit, engine, happenings } = scene(() => allow, { subject })
    const session = await gate.open(knock())
    expect(session.credential.username).toBe('gate')
    expect(session.credential.secret.reveal()).toBe(canary)
    expect(engine.inputs).toMatchObject([
      {
        v: 1,
        phase: 'connect',
        subject: { id: 'alice' },
        action: { name: 'connect', effects: ['session'], objects: [] },
        context: { peer: '127.0.0.1:5000', database: 'shop', application: 'psql', state: {} },
      },
    ])
    expect(audit.entries.map(({ kind }) => kind)).toEqual(['decision', 'session_open'])
    expect(audit.of('session_open')).toMatchObject([
      {
        session: session.id,
        resource: 'shop',
        subject: 'alice',
        issuer: 'https://issuer.test',
        actors: [{ id: 'bot', run: 'r7' }],
        peer: '127.0.0.1:5000',
        database: 'shop',
      },
    ])
    expect(happenings.at(-1)).toMatchObject({ kind: 'session', change: 'opened' })
  })

  test('that policy denies is refused and on record, without a credential', async () => {
    let asked = 0
    const { gate, knock, audit } = scene(() => deny, {
      gate: {
        credentials: {
          credential: async () => {
            asked += 1
            return { username: 'gate', secret: secret(canary) }
          },
        },
      },
    })
    const refusal = await refusalFrom(() => gate.open(knock()))
    expect(refusal).toMatchObject({ code: 'denied', detail: { rule: 'ddl' } })
    expect(audit.entries).toMatchObject([
      { kind: 'decision', decision_id: refusal.detail.decision },
    ])
    expect(asked).toBe(0)
  })

  test('can be held', async () => {
    const { gate, knock, desk } = scene(({ phase }) => (phase === 'connect' ? held() : allow))
    const entering = gate.open(knock())
    await desk.vote((await pending(desk)).id, bob, 'approve')
    expect((await entering).subject.id).toBe('alice')
    desk.close()
  })

  const refuse = (code: 'token_expired' | 'credential_unavailable') => async () => {
    throw new Refusal(code)
  }
  test.each([
    ['no token', {}, { token: '' }, 'token_missing'],
    [
      'a token that is refused',
      { identity: { identify: refuse('token_expired') } },
      {},
      'token_expired',
    ],
    [
      'an identity that breaks',
      { identity: { identify: async () => Promise.reject(new Error(canary)) } },
      {},
      'internal_error',
    ],
    [
      'no credential',
      { credentials: { credential: refuse('credential_unavailable') } },
      {},
      'credential_unavailable',
    ],
    ['a record that is broken', { audit: record({ broken: () => true }) }, {}, 'audit_unavailable'],
    [
      'a record that breaks after the decision',
      { audit: record({ broken: ({ kind }) => kind === 'session_open' }) },
      {},
      'audit_unavailable',
    ],
    ['a client that is gone', {}, { signal: AbortSignal.abort() }, 'session_ended'],
    [
      'an expired token',
      { identity: { identify: async () => ({ subject: alice, expiresMs: 1 }) } },
      {},
      'token_expired',
    ],
  ])(
    'with %s is refused, leaves no session, and nothing of it shows',
    async (_, parts, change, code) => {
      const { gate, knock, happenings } = scene(() => allow, { gate: { ...parts, sessionsMax: 1 } })
      for (const _again of [1, 2]) {
        const refusal = await refusalFrom(() => gate.open(knock(change)))
        expect(refusal.code).toBe(code)
        expect(JSON.stringify(refusal) + refusal.message).not.toContain(canary)
      }
      expect(gate.sessions()).toEqual([])
      expect(happenings.filter((it) => it.kind === 'session' && it.change === 'opened')).toEqual([])
    },
  )

  test('of a client that hangs up goes no further', async () => {
    const gone = new AbortController()
    const { gate, knock, engine } = scene(() => allow, {
      gate: {
        credentials: {
          credential: async () => {
            gone.abort()
            return { username: 'gate', secret: secret(canary) }
          },
        },
      },
    })
    for (const questions of [1, 1]) {
      const refusal = await refusalFrom(() => gate.open(knock({ signal: gone.signal })))
      expect(refusal.code).toBe('session_ended')
      expect(engine.inputs).toHaveLength(questions)
    }
    expect(gate.sessions()).toEqual([])
  })

  test.each([
    ['an empty subject', { ...alice, id: '' }],
    ['an empty issuer', { ...alice, issuer: '' }],
  ])('invariant 11: %s is refused before policy is asked', async (_, subject) => {
    const { gate, knock, engine } = scene(() => allow, { subject })
    expect(await refusalFrom(() => gate.open(knock()))).toMatchObject({
      code: 'identity_incomplete',
    })
    expect(engine.inputs).toEqual([])
  })

  test('invariant 2: a gate without a bundle lets nobody in', async () => {
    const reasons = [
      { rule: 'postern', code: 'no_bundle', message: 'the gate has no policy bundle' },
    ]
    const { gate, knock } = scene(() => ({ ...deny, reasons }))
    expect(await refusalFrom(() => gate.open(knock()))).toMatchObject({ code: 'no_bundle' })
  })
})

describe('a gate', () => {
  test.each([
    ['in all', { sessionsMax: 2 }],
    ['per subject', { sessionsPerSubjectMax: 2 }],
  ])('has room for so many sessions %s', async (_, gateParts) => {
    const { gate, knock } = scene(() => allow, { gate: gateParts })
    const first = await gate.open(knock())
    await gate.open(knock())
    expect(await refusalFrom(() => gate.open(knock()))).toMatchObject({ code: 'quota_exceeded' })
    first.close()
    first.close()
    await gate.open(knock())
    expect(await refusalFrom(() => gate.open(knock()))).toMatchObject({ code: 'quota_exceeded' })
  })

  test('counts logins that are under way', async () => {
    const { gate, knock } = scene(() => allow, { gate: { sessionsMax: 1 } })
    const both = await Promise.allSettled([gate.open(knock()), gate.open(knock())])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('shows its sessions and ends those it is told to', async () => {
    const { gate, knock, clock } = scene(() => allow)
    const [one, two] = [await gate.open(knock()), await gate.open(knock({ peer: '127.0.0.1:9' }))]
    expect(gate.sessions()).toMatchObject([
      { id: one?.id, subject: { id: 'alice' }, opened_ms: clock.now() },
      { peer: '127.0.0.1:9' },
    ])
    const why = new Refusal('session_ended', 'the subject was revoked')
    expect(gate.end(({ id }) => id === one?.id, why)).toBe(1)
    expect(one?.ended.reason).toBe(why)
    expect(await one?.ask(select)).toMatchObject({
      refusal: { message: 'the subject was revoked' },
    })
    expect(await two?.ask(select)).toMatchObject({ allowed: true })
  })

  test('ends a session when its token expires, by itself', async () => {
    const now = Date.now
    const { gate, knock } = scene(() => allow, {
      gate: {
        now,
        identity: { identify: async () => ({ subject: alice, expiresMs: now() + 20 }) },
      },
    })
    const session = await gate.open(knock())
    await new Promise((resolve) => session.ended.addEventListener('abort', resolve))
    expect(session.ended.reason).toMatchObject({ code: 'token_expired' })
  })

  test('lets a session outlive its token where policy says so when it connects', async () => {
    const clock = { ms: 1_000_000 }
    const keep = decision({ obligations: [{ name: 'outlive_token' }] })
    const { gate, knock } = scene((input) => (input.phase === 'connect' ? keep : allow), {
      gate: {
        now: () => clock.ms,
        identity: { identify: async () => ({ subject: alice, expiresMs: clock.ms + 1000 }) },
      },
    })
    const session = await gate.open(knock())
    clock.ms += 5000
    expect(await session.ask(select)).toMatchObject({ allowed: true })
    expect(session.ended.aborted).toBe(false)
  })

  test.each<[string, unknown, object, boolean]>([
    ['a goodbye', undefined, {}, false],
    [
      'a refusal',
      new Refusal('limit_exceeded', 'too much'),
      { code: 'limit_exceeded', message: 'too much' },
      false,
    ],
    [
      'broken protocol',
      new Malformed('client message Z'),
      { code: 'unsupported_message', message: 'client message Z' },
      false,
    ],
    ['our failure', new Error(canary), { code: 'internal_error' }, true],
  ])('records %s at the end of a session and at the door', async (_, problem, shown, ours) => {
    const { gate, knock, audit, happenings } = scene(() => allow)
    const session = await gate.open(knock())
    session.close(problem)
    gate.turnedAway('127.0.0.1:7', problem)
    expect(audit.of('session_close')).toMatchObject([
      { session: session.id, subject: 'alice', ...shown },
    ])
    expect(audit.of('turned_away')).toMatchObject([
      { peer: '127.0.0.1:7', resource: 'shop', ...shown },
    ])
    const told = happenings.filter(
      (it): it is Extract<Happening, { kind: 'session' }> => it.kind === 'session',
    )
    expect(told.slice(-2)).toMatchObject([
      { change: 'closed', ...shown },
      { change: 'turned_away', ...shown },
    ])
    expect(told.slice(-2).map((it) => 'error' in it)).toEqual([ours, ours])
    expect(JSON.stringify(audit.entries)).not.toContain(canary)
  })

  test('does not fail where the record does when somebody leaves', async () => {
    const audit = record({ broken: ({ kind }) => kind === 'session_close' || kind === 'outcome' })
    const { gate, knock, happenings } = scene(() => allow, { audit })
    const session = await gate.open(knock())
    const ruling = await session.ask(select)
    if (ruling.allowed) ruling.done({ rows: 1, bytes: 1 })
    session.close()
    expect(happenings.filter(({ kind }) => kind === 'failure')).toHaveLength(2)
    expect(gate.sessions()).toEqual([])
  })

  test('decides the same when nobody can look on', async () => {
    const observe = (): void => {
      throw new Error(canary)
    }
    const { gate, knock, audit } = scene(() => allow, { gate: { observe } })
    const session = await gate.open(knock())
    const ruling = await session.ask(select)
    if (ruling.allowed) ruling.done({ rows: 1, bytes: 1 })
    session.close()
    expect(audit.entries.map(({ kind }) => kind)).toEqual([
      'decision',
      'session_open',
      'decision',
      'outcome',
      'session_close',
    ])
  })

  test('with a mask key that can be guessed is not made', () => {
    expect(() =>
      scene(
        commands(() => allow),
        { gate: { maskKey: secret('short') } },
      ),
    ).toThrow('32 bytes')
  })
})

test('one session never sees the engine with the other’s identity', async () => {
  const judge = engine(() => allow)
  let who = alice
  const { gate, knock } = scene(() => allow, {
    gate: {
      engine: judge,
      identity: { identify: async () => ({ subject: who, expiresMs: Number.MAX_SAFE_INTEGER }) },
    },
  })
  const one = await gate.open(knock())
  who = bob
  const two = await gate.open(knock())
  await one.ask(select)
  await two.ask(select)
  expect(judge.inputs.map(({ subject }) => subject.id)).toEqual(['alice', 'bob', 'alice', 'bob'])
})

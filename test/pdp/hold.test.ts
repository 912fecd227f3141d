import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Command, Decision, HoldRule, Session, Subject } from '../../pdp/contract.ts'
import type { AuditEntry } from '../../pdp/parts.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { sqliteHolds } from '../../pdp/state/sqlite-holds.ts'
import {
  alice,
  allow,
  bob,
  carol,
  commands,
  deny,
  held,
  pending,
  record,
  refusalFrom,
  remove,
  type Scene,
  type SceneOptions,
  scene,
  select,
} from './kit.ts'

const desks: Scene['desk'][] = []
afterEach(() => {
  for (const desk of desks.splice(0)) desk.close()
})

type Held = Scene & { readonly session: Session }

async function opened(policy: () => Decision, options?: SceneOptions): Promise<Held> {
  const all = scene(commands(policy), options)
  desks.push(all.desk)
  return { ...all, session: await all.gate.open(all.knock()) }
}

/** Holds a command and gives the client its ticket, as if `wait_s` were over. */
async function ticket(all: Held, command: Command = remove, parameters = ['1']): Promise<string> {
  const stop = new AbortController()
  const ruling = await all.session.ask(command, { parameters, signal: stop.signal })
  if (ruling.allowed) throw new Error('it passed')
  return ruling.refusal.detail.ticket ?? ''
}

describe('a held command', () => {
  test('waits, says so at once, and passes after approval', async () => {
    const { session, desk, told, audit } = await opened(() => held())
    const asked = session.ask(remove, { parameters: ['1'] })
    const hold = await pending(desk)
    expect(told).toEqual([`held: waiting for approval by owners (hold ${hold.id}), up to 60 s`])
    expect(hold).toMatchObject({ subject: 'alice', resource: 'shop', parameters: ['1'], votes: [] })
    expect((await desk.vote(hold.id, bob, 'approve', 'looked at it')).state).toBe('approved')
    const ruling = await asked
    expect(ruling.allowed).toBe(true)
    expect(told.at(-1)).toBe('approved by bob')
    expect(desk.get(hold.id)?.state).toBe('used')
    expect(audit.of('hold').map(({ state }) => state)).toEqual(['pending', 'approved', 'used'])
    expect(audit.of('hold')[1]).toMatchObject({ reviewer: 'bob', note: 'looked at it' })
    const decisions = audit.of('decision').filter(({ decision_id }) => decision_id === ruling.id)
    expect(decisions).toMatchObject([
      { result: { effect: 'hold' } },
      { result: { effect: 'hold' }, hold: { id: hold.id, approved_by: ['bob'] } },
    ])
  })

  test('is refused with the note when a reviewer refuses', async () => {
    const { session, desk } = await opened(() => held())
    const asked = session.ask(remove)
    await desk.vote((await pending(desk)).id, bob, 'refuse', 'not on a Friday')
    expect(await asked).toMatchObject({
      allowed: false,
      refusal: { code: 'hold_refused', message: 'refused by bob: not on a Friday' },
    })
  })

  test('needs as many different people as policy says', async () => {
    const { session, desk } = await opened(() => held({ min_approvals: 2 }))
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    await desk.vote(id, bob, 'approve')
    expect((await desk.vote(id, bob, 'approve')).votes).toHaveLength(1)
    expect(desk.get(id)?.state).toBe('pending')
    await desk.vote(id, carol, 'approve')
    expect((await asked).allowed).toBe(true)
  })

  test('counts two votes of one person at the same time once', async () => {
    const audit = record({ slow: true })
    const { session, desk } = await opened(() => held({ min_approvals: 2 }), { audit })
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    await Promise.all([desk.vote(id, bob, 'approve'), desk.vote(id, bob, 'approve')])
    expect(desk.get(id)).toMatchObject({ state: 'pending', votes: [{ by: 'bob' }] })
    await desk.vote(id, carol, 'refuse')
    expect((await asked).allowed).toBe(false)
  })

  test('is decided by the first of two reviewers', async () => {
    const audit = record({ slow: true })
    const { session, desk } = await opened(() => held(), { audit })
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    const votes = [desk.vote(id, bob, 'refuse'), desk.vote(id, carol, 'approve')]
    const [first, second] = await Promise.allSettled(votes)
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'hold_closed' } })
    expect(await asked).toMatchObject({ refusal: { code: 'hold_refused' } })
  })

  test('that is only prepared is not held', async () => {
    const { session, desk } = await opened(() => held())
    expect(await session.ask(remove, { prepare: true })).toMatchObject({ allowed: true })
    expect(desk.list()).toEqual([])
  })

  test('that no reviewer could read is refused', async () => {
    const { session } = await opened(() => held())
    const ruling = await session.ask(remove, { parameters: ['x'.repeat(300_000)] })
    expect(ruling).toMatchObject({ refusal: { code: 'input_too_large' } })
  })

  test('does not wait where too many do', async () => {
    const { session, desk } = await opened(() => held(), { holds: { pendingPerSubjectMax: 1 } })
    const asked = session.ask(remove, { parameters: ['1'] })
    const { id } = await pending(desk)
    const other = await session.ask(remove, { parameters: ['2'] })
    expect(other).toMatchObject({ refusal: { code: 'quota_exceeded' } })
    await desk.vote(id, bob, 'refuse')
    await asked
  })
})

describe('is decided again at release', () => {
  test.each([
    ['denies', deny, 'denied'],
    ['asks for more votes', held({ min_approvals: 2 }), 'hold_expired'],
    ['asks other people', held({ approvers: ['security'] }), 'hold_expired'],
    ['binds more tightly', held({ bind: 'shape' }), 'hold_expired'],
  ] as const)('and refused when policy now %s', async (_, next, code) => {
    let policy: Decision = held()
    const { session, desk, audit } = await opened(() => policy)
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    policy = next
    await desk.vote(id, bob, 'approve')
    expect(await asked).toMatchObject({ allowed: false, refusal: { code } })
    expect(audit.of('decision').at(-1)).toMatchObject({ hold: { id } })
    expect(desk.get(id)?.state).toBe('approved')
  })

  test('and passes when policy now simply allows', async () => {
    let policy: Decision = held()
    const { session, desk } = await opened(() => policy)
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    policy = allow
    await desk.vote(id, bob, 'approve')
    expect((await asked).allowed).toBe(true)
  })

  test('and refused when the token expired meanwhile', async () => {
    const { session, desk, clock } = await opened(() => held(), { expiresInMs: 30_000 })
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    clock.pass(30_000)
    await desk.vote(id, bob, 'approve')
    expect(await asked).toMatchObject({ refusal: { code: 'token_expired' } })
  })

  test('and counts against quotas only then', async () => {
    const quotas = [
      { name: 'one', per: 'subject', metric: 'commands', max: 1, window_s: 60 },
    ] as const
    const { session, desk } = await opened(() => ({ ...held(), quotas }))
    const first = session.ask(remove, { parameters: ['1'] })
    await desk.vote((await pending(desk)).id, bob, 'refuse')
    await first
    const second = session.ask(remove, { parameters: ['1'] })
    await desk.vote((await pending(desk)).id, bob, 'approve')
    expect((await second).allowed).toBe(true)
    expect(await session.ask(remove)).toMatchObject({ refusal: { code: 'quota_exceeded' } })
  })
})

describe('invariant 7: a client that is gone', () => {
  type Leave = (all: Held, gone: AbortController, stop: AbortController) => void
  test.each<[string, Leave, string]>([
    ['hangs up', (_, gone) => gone.abort(), 'hold_abandoned'],
    ['takes the command back', (_all, _gone, stop) => stop.abort(), 'hold_abandoned'],
    ['closes the session', ({ session }) => session.close(), 'hold_abandoned'],
    [
      'is thrown out',
      ({ gate }) => void gate.end(() => true, new Refusal('session_ended')),
      'session_ended',
    ],
  ])('abandons its hold when it %s', async (_, leave, code) => {
    const all = await opened(() => held())
    const gone = new AbortController()
    const stop = new AbortController()
    const session = await all.gate.open(all.knock({ signal: gone.signal }))
    const asked = session.ask(remove, { signal: stop.signal })
    const { id } = await pending(all.desk)
    leave({ ...all, session }, gone, stop)
    expect(await asked).toMatchObject({ allowed: false, refusal: { code } })
    expect(all.desk.get(id)?.state).toBe('abandoned')
    expect(all.audit.of('hold').at(-1)).toMatchObject({ hold: id, state: 'abandoned' })
    expect(await refusalFrom(() => all.desk.vote(id, bob, 'approve'))).toMatchObject({
      code: 'hold_closed',
    })
  })

  test('before it asks leaves no hold behind', async () => {
    const { session, desk } = await opened(() => held())
    const ruling = await session.ask(remove, { signal: AbortSignal.abort() })
    expect(ruling).toMatchObject({ refusal: { code: 'hold_abandoned' } })
    expect(desk.list()).toEqual([])
  })
})

test('a hang-up while the hold is being recorded is noticed', async () => {
  const stop = new AbortController()
  const broken = ({ kind }: AuditEntry): boolean => {
    if (kind === 'hold') stop.abort()
    return false
  }
  const { session, desk } = await opened(() => held(), { audit: record({ broken }) })
  const ruling = await session.ask(remove, { signal: stop.signal })
  expect(ruling).toMatchObject({ refusal: { code: 'hold_abandoned' } })
  expect(desk.list().map(({ state }) => state)).toEqual(['abandoned'])
})

describe('nobody else approves', () => {
  const agent: Subject = {
    ...alice,
    actor: { id: 'bot', type: 'agent', attested: true, actor: null },
  }
  test.each<[string, Subject, Subject, string]>([
    ['their own', alice, { ...alice, groups: ['owners'] }, 'own_hold'],
    ['what an agent does for them', agent, { ...alice, groups: ['owners'] }, 'own_hold'],
    ['what they do for somebody', agent, { ...bob, id: 'bot' }, 'own_hold'],
    ['what their agent sent', agent, { ...bob, actor: agent.actor }, 'own_hold'],
    ['outside the groups', alice, { ...bob, groups: ['engineers'] }, 'not_an_approver'],
    ['through an agent', alice, { ...bob, actor: agent.actor }, 'not_an_approver'],
    ['as an agent', alice, { ...bob, type: 'agent' }, 'not_an_approver'],
  ])('%s', async (_, holder, reviewer, code) => {
    const { session, desk } = await opened(() => held(), { subject: holder })
    const asked = session.ask(remove)
    const { id } = await pending(desk)
    expect(await refusalFrom(() => desk.vote(id, reviewer, 'approve'))).toMatchObject({ code })
    expect(desk.get(id)).toMatchObject({ state: 'pending', votes: [] })
    await desk.vote(id, carol, 'refuse')
    await asked
  })

  test('the same name of another issuer is another person', async () => {
    const { session, desk } = await opened(() => held())
    const asked = session.ask(remove)
    const namesake = { ...alice, issuer: 'https://other.test', groups: ['owners'] }
    await desk.vote((await pending(desk)).id, namesake, 'approve')
    expect((await asked).allowed).toBe(true)
  })

  test('a hold that does not exist', async () => {
    const { desk } = await opened(() => held())
    expect(await refusalFrom(() => desk.vote('nothing', bob, 'approve'))).toMatchObject({
      code: 'hold_unknown',
    })
  })
})

describe('a ticket', () => {
  const short: Partial<HoldRule> = { wait_s: 0.001 }

  test('is given when the wait is over, and lets the same command pass once', async () => {
    const all = await opened(() => held(short))
    const id = await ticket(all)
    expect(all.desk.get(id)?.state).toBe('pending')
    await all.desk.vote(id, bob, 'approve')
    const again = await all.gate.open(all.knock())
    expect((await again.ask(remove, { parameters: ['1'] })).allowed).toBe(true)
    expect(all.desk.get(id)?.state).toBe('used')
    expect(await ticket(all)).not.toBe(id)
  })

  test('is found again while it is pending', async () => {
    const all = await opened(() => held(short))
    const id = await ticket(all)
    expect(await ticket(all)).toBe(id)
    expect(all.desk.list()).toHaveLength(1)
  })

  test.each<[string, Command, string[]]>([
    ['another parameter', remove, ['2']],
    ['another text', { ...remove, text: 'delete from orders' }, ['1']],
    ['another table behind the same text', { ...remove, objects: [] }, ['1']],
    ['another state', { ...remove, state: { role: 'admin' } }, ['1']],
  ])('does not cover %s', async (_, command, parameters) => {
    const all = await opened(() => held(short))
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    expect(await ticket(all, command, parameters)).not.toBe(id)
    expect(all.desk.get(id)?.state).toBe('approved')
  })

  test('does not cover what policy asks for now', async () => {
    let policy: Decision = held(short)
    const all = await opened(() => policy)
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    policy = held({ ...short, min_approvals: 2 })
    const next = await ticket(all)
    expect(all.desk.get(next)).toMatchObject({ state: 'pending', min_approvals: 2 })
    expect(all.desk.get(id)?.state).toBe('approved')
  })

  test('is not shared by two that wait at the same time', async () => {
    const all = await opened(() => held())
    const stop = new AbortController()
    const asked = [1, 2].map(() => all.session.ask(remove, { signal: stop.signal }))
    await pending(all.desk)
    while (all.desk.list().length < 2) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    expect((await Promise.all(asked)).map(({ allowed }) => allowed)).toEqual([false, false])
  })

  test('does not cover another database', async () => {
    const all = await opened(() => held(short))
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    const session = await all.gate.open(all.knock({ database: 'other' }))
    expect(await ticket({ ...all, session })).not.toBe(id)
  })

  test('lets one of two pass that ask at the same time', async () => {
    const all = await opened(() => held(short), { audit: record({ slow: true }) })
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    const asked = [1, 2].map(() => all.session.ask(remove, { parameters: ['1'] }))
    const rulings = await Promise.all(asked)
    expect(rulings.filter(({ allowed }) => allowed)).toHaveLength(1)
    expect(rulings.find(({ allowed }) => !allowed)).toMatchObject({
      refusal: { code: expect.stringMatching(/^hold_(closed|pending)$/) },
    })
  })

  test('is worth nothing after its time', async () => {
    const all = await opened(() => held(short))
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    all.clock.pass(900_000)
    expect(await ticket(all)).not.toBe(id)
    expect(all.desk.get(id)?.state).toBe('expired')
    expect(all.desk.list({ state: 'expired' }).map((hold) => hold.id)).toEqual([id])
  })

  test('cannot be approved after its time', async () => {
    const all = await opened(() => held(short))
    const id = await ticket(all)
    all.clock.pass(900_000)
    const late = await refusalFrom(() => all.desk.vote(id, bob, 'approve'))
    expect(late).toMatchObject({ code: 'hold_closed' })
  })
})

describe('a restart of the gate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-holds-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const opens = (name: string) =>
    opened(() => held({ wait_s: 0.001 }), { holds: { store: sqliteHolds(join(folder, name)) } })

  test('keeps tickets, which then pass once', async () => {
    const before = await opens('tickets.db')
    const id = await ticket(before)
    desks.splice(0)[0]?.close()
    const after = await opens('tickets.db')
    await after.desk.vote(id, bob, 'approve')
    expect((await after.session.ask(remove, { parameters: ['1'] })).allowed).toBe(true)
    expect(await ticket(after)).not.toBe(id)
  })

  test('or another gate on the same state: only one of two votes counts', async () => {
    const one = await opened(() => held({ wait_s: 0.001 }), {
      audit: record({ slow: true }),
      holds: { store: sqliteHolds(join(folder, 'two.db')) },
    })
    const other = await opens('two.db')
    const id = await ticket(one)
    const late = one.desk.vote(id, bob, 'approve')
    await Promise.resolve()
    await other.desk.vote(id, carol, 'refuse')
    expect(await refusalFrom(() => late)).toMatchObject({ code: 'hold_closed' })
    expect(one.desk.get(id)).toMatchObject({ state: 'refused', votes: [{ by: 'carol' }] })
  })

  test('does not bring back what is out of time', async () => {
    const before = await opens('late.db')
    const id = await ticket(before)
    desks.splice(0)[0]?.close()
    const after = await opens('late.db')
    after.clock.pass(900_000)
    expect(after.desk.list({ state: 'pending' })).toEqual([])
    expect(await refusalFrom(() => after.desk.vote(id, bob, 'approve'))).toMatchObject({
      code: 'hold_closed',
    })
  })
})

describe('what an approval covers', () => {
  const short = { wait_s: 0.001 }
  const other = { ...remove, text: 'delete from orders where id = 7' }

  test('bound to the shape: the same shape on the same tables, once', async () => {
    const all = await opened(() => held({ ...short, bind: 'shape' }))
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    expect(await ticket(all, { ...other, objects: [] })).not.toBe(id)
    expect((await all.session.ask(other, { parameters: ['7'] })).allowed).toBe(true)
    expect(all.desk.get(id)?.state).toBe('used')
  })

  test('bound to the session: what policy holds in this session, until its time is over', async () => {
    const all = await opened(() => held({ ...short, bind: 'session' }))
    const id = await ticket(all)
    await all.desk.vote(id, bob, 'approve')
    for (const command of [other, select]) {
      expect((await all.session.ask(command)).allowed).toBe(true)
    }
    const session = await all.gate.open(all.knock())
    expect(await ticket({ ...all, session })).not.toBe(id)
    all.clock.pass(900_000)
    expect(await ticket(all)).not.toBe(id)
  })
})

describe('the record comes first', () => {
  test.each(['pending', 'approved', 'used'])(
    'a change to %s that cannot be recorded does not happen',
    async (state) => {
      const audit = record({ broken: (entry) => entry.kind === 'hold' && entry['state'] === state })
      const { session, desk } = await opened(() => held(), { audit })
      const asked = session.ask(remove)
      if (state !== 'pending') {
        const { id } = await pending(desk)
        const vote = desk.vote(id, bob, 'approve')
        if (state === 'approved') {
          expect(await refusalFrom(() => vote)).toMatchObject({ code: 'audit_unavailable' })
          expect(desk.get(id)).toMatchObject({ state: 'pending', votes: [] })
          await desk.vote(id, carol, 'refuse')
        } else await vote
      }
      expect((await asked).allowed).toBe(false)
    },
  )
})

test('what is out of time is swept, recorded and its client told', async () => {
  const all = await opened(() => held({ ttl_s: 60 }), { holds: { sweepMs: 1 } })
  const asked = all.session.ask(remove)
  const { id } = await pending(all.desk)
  all.clock.pass(60_000)
  expect(await asked).toMatchObject({ refusal: { code: 'hold_expired' } })
  expect(all.audit.of('hold').at(-1)).toMatchObject({ hold: id, state: 'expired' })
})

import { expect, test } from 'vitest'
import { Refusal } from '../../../pdp/refusal.ts'
import { hold, running } from './kit.ts'

const three = [
  hold('mine', { subject: 'rita', approvers: ['others'] }),
  hold('answerable'),
  hold('foreign', { subject: 'zoe', approvers: ['dbas'] }),
  hold('old', { state: 'refused' }),
]

test.each([
  ['token-rita', '', ['mine', 'answerable']],
  ['token-ada', '', ['answerable']],
  ['token-otto', '', ['mine']],
  ['token-root', '', []],
  ['token-rita', '?state=refused', ['old']],
  ['token-rita', '?state=all', ['mine', 'answerable', 'old']],
  ['token-rita', '?resource=other', []],
])('%s sees of the holds%s only %j', async (token, query, ids) => {
  const gate = await running({ all: three })
  const { json } = await gate.ask(`/v1/holds${query}`, { token })
  expect((json['holds'] as { id: string }[]).map(({ id }) => id)).toEqual(ids)
})

test.each(['?state=maybe', '?state=pending&state=used', '?stat=used', '?resource='])(
  '/v1/holds%s is refused by name',
  async (query) => {
    const gate = await running()
    const answer = await gate.ask(`/v1/holds${query}`, { token: 'token-rita' })
    expect(answer.status).toBe(400)
    expect(answer.json['detail']).toMatch(/stat|resource/)
  },
)

test.each(['foreign', 'nothing', '__proto__'])(
  'a hold that is not theirs looks like none: %s',
  async (id) => {
    const gate = await running({ all: three })
    const answer = await gate.ask(`/v1/holds/${id}`, { token: 'token-rita' })
    expect(answer.status).toBe(404)
    expect(answer.json['code']).toBe('hold_unknown')
  },
)

test.each([
  ['approve', 'approved'],
  ['refuse', 'refused'],
])('%s answers with the hold and is on record before it happens', async (verb, state) => {
  const gate = await running()
  const answer = await gate.ask(`/v1/holds/h1/${verb}`, {
    method: 'POST',
    token: 'token-rita',
    body: '{"note":"seen"}',
  })
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ state, votes: [{ by: 'rita', verdict: verb, note: 'seen' }] })
  expect(gate.entries).toEqual([
    {
      kind: 'admin',
      action: `hold_${verb}`,
      hold: 'h1',
      subject: 'rita',
      issuer: 'https://issuer.test',
      groups: ['reviewers'],
      peer: '127.0.0.1',
    },
  ])
})

test('a vote needs no body', async () => {
  const gate = await running()
  const answer = await gate.ask('/v1/holds/h1/approve', { method: 'POST', token: 'token-rita' })
  expect(answer.json['state']).toBe('approved')
})

test.each([
  ['token-ada', 'h1', 403, 'own_hold'],
  ['token-otto', 'h1', 403, 'not_an_approver'],
  ['token-root', 'h1', 403, 'not_an_approver'],
  ['token-rita', 'none', 404, 'hold_unknown'],
])('%s may not approve %s, and the attempt is on record', async (token, id, status, code) => {
  const gate = await running()
  const answer = await gate.ask(`/v1/holds/${id}/approve`, { method: 'POST', token })
  expect(answer.status).toBe(status)
  expect(answer.json['code']).toBe(code)
  expect(gate.entries).toMatchObject([{ action: 'hold_approve' }, { refused: code }])
})

test('a vote that cannot be recorded does not happen', async () => {
  const gate = await running({
    audit: {
      append() {
        throw new Refusal('audit_unavailable')
      },
      later: () => undefined,
    },
  })
  const vote = await gate.ask('/v1/holds/h1/approve', { method: 'POST', token: 'token-rita' })
  expect(vote.status).toBe(503)
  const after = await gate.ask('/v1/holds/h1', { token: 'token-rita' })
  expect(after.json['state']).toBe('pending')
})

test('a search passes its conditions on and is itself on record', async () => {
  const gate = await running({ page: { entries: [{ seq: 1 }], cursor: 'next' } })
  const conditions =
    'subject=ada&resource=shop&effect=deny&rule=policies.ddl&object=public.orders&text=drop' +
    '&session=s1&decision=d1&kind=decision&limit=5&cursor=c&from=2025-06-01&to=2025-06-01T12:00:00%2B02:00'
  const answer = await gate.ask(`/v1/audit?${conditions}`, { token: 'token-root' })
  expect(answer.json).toEqual({ entries: [{ seq: 1 }], cursor: 'next' })
  const query = {
    subject: 'ada',
    resource: 'shop',
    effect: 'deny',
    rule: 'policies.ddl',
    object: 'public.orders',
    text: 'drop',
    session: 's1',
    decision: 'd1',
    kind: 'decision',
    limit: 5,
    cursor: 'c',
    fromMs: Date.UTC(2025, 5, 1),
    toMs: Date.UTC(2025, 5, 1, 10),
  }
  expect(gate.queries).toEqual([query])
  expect(gate.entries).toMatchObject([{ action: 'audit_search', subject: 'root', query }])
})

test.each([
  'limit=0',
  'limit=1001',
  'limit=ten',
  'from=yesterday',
  'effect=',
  'subject=',
  'user=ada',
  'text=a&text=b',
])('a search with %s is refused and says which field', async (query) => {
  const gate = await running()
  const answer = await gate.ask(`/v1/audit?${query}`, { token: 'token-root' })
  expect(answer.status).toBe(400)
  expect(answer.json['detail']).toContain(query.split('=')[0])
  expect(gate.queries).toEqual([])
})

test('status is what the gate says of itself', async () => {
  const gate = await running()
  const answer = await gate.ask('/v1/status', { token: 'token-root' })
  expect(answer.json).toEqual({ version: '1.2.3' })
})

test('health needs nothing, ready needs everything', async () => {
  const gate = await running({ unready: () => ['no bundle is active'] })
  expect((await gate.ask('/health')).status).toBe(200)
  const answer = await gate.ask('/ready')
  expect(answer.status).toBe(503)
  expect(answer.json).toEqual({ ready: false, reasons: ['no bundle is active'] })
  const fine = await running()
  expect((await fine.ask('/ready')).json).toEqual({ ready: true, reasons: [] })
})

test.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])(
  'through a proxy (%s) the inside is hidden and numbers need an administrator',
  async (name) => {
    const gate = await running({ unready: () => ['no bundle is active'] })
    const headers = { [name]: '127.0.0.1' }
    expect((await gate.ask('/ready', { headers })).json).toEqual({ ready: false })
    expect((await gate.ask('/metrics', { headers })).status).toBe(401)
    expect((await gate.ask('/metrics', { headers, token: 'token-ada' })).status).toBe(403)
    expect((await gate.ask('/metrics', { headers, token: 'token-root' })).status).toBe(200)
  },
)

test('on this machine metrics are open', async () => {
  const gate = await running()
  const answer = await gate.ask('/metrics')
  expect(answer.headers['content-type']).toBe('text/plain')
  expect(answer.text).toBe('postern_info 1\n')
})

test('what a candidate would have answered is for administrators, and looking is on record', async () => {
  const status = { crashes: 1, problem: 'it hung' }
  const gate = await running({ shadow: { status: () => status } })
  expect((await gate.ask('/v1/shadow', { token: 'token-ada' })).status).toBe(403)
  expect((await gate.ask('/v1/shadow', { token: 'token-root' })).json).toEqual(status)
  expect(gate.entries).toMatchObject([{ kind: 'admin', action: 'shadow_report', subject: 'root' }])
})

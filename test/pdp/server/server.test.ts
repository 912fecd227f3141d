import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { codes, Refusal } from '../../../pdp/refusal.ts'
import { statuses } from '../../../pdp/server/problem.ts'
import { hold, running } from './kit.ts'

const routes = [
  ['GET', '/v1/status'],
  ['GET', '/v1/holds'],
  ['GET', '/v1/holds/h1'],
  ['POST', '/v1/holds/h1/approve'],
  ['POST', '/v1/holds/h1/refuse'],
  ['GET', '/v1/audit'],
  ['GET', '/v1/anything'],
] as const

const credentials = [
  ['no token', {}],
  ['an unknown token', { token: 'token-nobody' }],
  ['another scheme', { headers: { authorization: 'Basic dG9rZW4tcml0YTo=' } }],
  ['an empty token', { headers: { authorization: 'Bearer ' } }],
  ['a token that is too long', { token: 'a'.repeat(17_000) }],
] as const

for (const [name, sent] of credentials) {
  test.each(routes)(`%s %s with ${name} is refused before anything else`, async (method, path) => {
    const gate = await running()
    const answer = await gate.ask(path, { method, ...sent })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.json['code']).toMatch(/^token_(missing|invalid)$/)
    expect(gate.entries).toEqual([])
  })
}

test.each(['/V1/holds', '/v1/HOLDS', '/v1/holds/', '//v1/holds', '/v1//holds', '/%76%31/holds'])(
  '%s is no way around the token',
  async (path) => {
    const gate = await running()
    const anonymous = await gate.ask(path)
    expect([401, 404]).toContain(anonymous.status)
    expect(anonymous.text).not.toContain('orders')
  },
)

test.each([
  ['/v1/status', 'token-ada'],
  ['/v1/audit', 'token-rita'],
  ['/v1/status', 'token-otto'],
])('%s is closed to %s, who is no administrator', async (path, token) => {
  const gate = await running()
  const answer = await gate.ask(path, { token })
  expect(answer.status).toBe(403)
  expect(answer.json).toMatchObject({ code: 'not_permitted', remedy: expect.any(String) })
})

test('without configured administrators nobody is one', async () => {
  const gate = await running({ adminGroups: [] })
  expect((await gate.ask('/v1/status', { token: 'token-root' })).status).toBe(403)
})

test('an unknown route is a problem like every other', async () => {
  const gate = await running()
  const answer = await gate.ask('/nothing/here')
  expect(answer.status).toBe(404)
  expect(answer.json).toEqual({
    type: 'urn:postern:error:not_found',
    title: codes.not_found,
    status: 404,
    detail: codes.not_found,
    code: 'not_found',
  })
})

test.each([
  ['evil.test', 421],
  ['evil.test:80', 421],
  ['gate.test.evil.test', 421],
  ['gate.test', 200],
  ['GATE.test:8443', 200],
  ['localhost:1', 200],
  ['[::1]:8080', 200],
])('a request for host %s gets %d', async (host, status) => {
  const gate = await running()
  expect((await gate.ask('/health', { headers: { host } })).status).toBe(status)
})

test.each([
  ['https://evil.test', 421],
  ['null', 421],
  ['https://gate.test', 200],
])('a page of %s gets %d', async (origin, status) => {
  const gate = await running()
  const answer = await gate.ask('/health', { headers: { origin } })
  expect(answer.status).toBe(status)
  expect(answer.headers['access-control-allow-origin']).toBeUndefined()
})

test('answers say little and may not be kept, framed or guessed at', async () => {
  const gate = await running()
  const { headers } = await gate.ask('/v1/holds', { token: 'token-rita' })
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  })
  expect(headers['x-powered-by']).toBeUndefined()
  expect(headers['strict-transport-security']).toBeUndefined()
})

test('a failure of ours says nothing of itself, and names the log line that does', async () => {
  const gate = await running({
    status() {
      throw new Error('secret-canary in a message')
    },
  })
  const answer = await gate.ask('/v1/status', { token: 'token-root' })
  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('canary')
  expect(answer.json).toMatchObject({ code: 'internal_error', instance: /^urn:uuid:/ })
  expect(gate.failures).toHaveLength(1)
})

test('a refusal tells when to come back', async () => {
  const gate = await running({
    status() {
      throw new Refusal('quota_exceeded', 'too many', { retryAfterS: 2.5 })
    },
  })
  const answer = await gate.ask('/v1/status', { token: 'token-root' })
  expect(answer.status).toBe(429)
  expect(answer.headers['retry-after']).toBe('3')
})

test.each([
  ['not JSON', '{', {}, 400, 'bad_request'],
  ['another type', 'note=x', { 'content-type': 'text/plain' }, 400, 'bad_request'],
  ['a body that is too large', `"${'x'.repeat(70_000)}"`, {}, 413, 'message_too_large'],
  ['a compressed body', 'x', { 'content-encoding': 'gzip' }, 400, 'bad_request'],
  ['an unknown field', '{"force":true}', {}, 400, 'bad_request'],
  ['a note that is no text', '{"note":1}', {}, 400, 'bad_request'],
  ['a note that is too long', `{"note":"${'x'.repeat(2_001)}"}`, {}, 400, 'bad_request'],
  ['a list', '[]', {}, 400, 'bad_request'],
])('%s in a vote changes nothing', async (_name, body, headers, status, code) => {
  const gate = await running()
  const answer = await gate.ask('/v1/holds/h1/approve', {
    method: 'POST',
    token: 'token-rita',
    body,
    headers,
  })
  expect(answer.status).toBe(status)
  expect(answer.json['code']).toBe(code)
  expect(answer.text).not.toContain('xxxx')
  const after = await gate.ask('/v1/holds/h1', { token: 'token-rita' })
  expect(after.json['state']).toBe('pending')
})

test('a path that is no UTF-8 is the client’s mistake', async () => {
  const gate = await running()
  const answer = await gate.ask('/v1/holds/%ff', { token: 'token-rita' })
  expect(answer.status).toBe(400)
  expect(gate.failures).toEqual([])
})

test.each([
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET /health HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n',
  `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
  '\x16\x03\x01\x02\x00\x01\x00',
])('bytes that are no proper HTTP close that connection only: %#', async (bytes) => {
  const gate = await running()
  const said = await new Promise<string>((resolve) => {
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
  expect(said).toMatch(/^HTTP\/1\.1 4\d\d/)
  expect((await gate.ask('/health')).status).toBe(200)
})

test('every code has a status that is an error', () => {
  expect(Object.keys(statuses).sort()).toEqual(Object.keys(codes).sort())
  for (const status of Object.values(statuses)) expect(status).toBeGreaterThanOrEqual(400)
})

test('many holds are no trouble', async () => {
  const gate = await running({ all: Array.from({ length: 500 }, (_, n) => hold(`h${n}`)) })
  const answer = await gate.ask('/v1/holds', { token: 'token-rita' })
  expect(answer.json['holds']).toHaveLength(500)
})

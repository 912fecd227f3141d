import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Refusal } from '../../../pdp/refusal.ts'
import { int32, message } from '../../../sidecars/postgres/frames.ts'
import { login } from '../../../sidecars/postgres/upstream.ts'
import * as m from './messages.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A datastore that answers the n-th thing it hears with the n-th of these, then closes. */
async function impostor(...answers: readonly (Buffer | 'close')[]): Promise<number> {
  const server = createServer((socket: Socket) => {
    let heard = 0
    socket.on('error', () => undefined)
    socket.on('data', () => {
      const answer = answers[heard]
      heard += 1
      if (answer === undefined || answer === 'close') socket.destroy()
      else socket.write(answer)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const canary = 'canary-secret'
const credential = { username: 'gate-login', secret: { reveal: () => canary } }
const ask = (kind: number, ...rest: readonly (Buffer | string)[]): Buffer =>
  message('R', int32(kind), ...rest)
const scram = ask(10, 'SCRAM-SHA-256', Buffer.from([0]))
const leak = m.error('28P01', 'password authentication failed for user "gate-login"')

test.each([
  ['refuses the login', [leak], 'upstream_refused'],
  ['has no such database', [m.error('3D000', 'gate-login')], 'upstream_refused'],
  ['is full', [m.error('53300', 'gate-login')], 'upstream_unavailable'],
  ['asks for the password in clear', [ask(3)], 'upstream_refused'],
  ['asks for MD5', [ask(5, Buffer.alloc(4))], 'upstream_refused'],
  ['asks for a mechanism of its own', [ask(10, 'PLAIN', Buffer.from([0]))], 'upstream_refused'],
  ['says yes in the middle of SCRAM', [scram, ask(0)], 'upstream_unavailable'],
  ['skips its own proof', [scram, ask(12, Buffer.from('v=AAAA'))], 'upstream_unavailable'],
  [
    'challenges somebody else',
    [scram, ask(11, Buffer.from('r=x,s=eA==,i=4096'))],
    'upstream_unavailable',
  ],
  ['sends rows instead', [m.row('1')], 'upstream_unavailable'],
  ['sends nonsense', [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')], 'upstream_unavailable'],
  ['hangs up', ['close' as const], 'upstream_unavailable'],
])('a datastore that %s is refused without its own words', async (_, answers, code) => {
  const port = await impostor(...answers)
  const problem: unknown = await login({ host: '127.0.0.1', port }, credential, {}).catch((e) => e)
  if (!(problem instanceof Refusal)) throw problem
  expect(problem.code).toBe(code)
  expect(`${problem.message} ${JSON.stringify(problem.detail)}`).not.toMatch(/gate-login|canary/)
})

const tls = { servername: 'localhost' }

test.each([
  ['has no TLS', Buffer.from('N')],
  ['answers in clear text', m.error('28P01', 'send me your password')],
  ['sends more than one byte before the handshake', Buffer.concat([Buffer.from('S'), m.ready()])],
])('a datastore that %s never hears of the login', async (_, answer) => {
  const port = await impostor(answer)
  const opened = login({ host: '127.0.0.1', port, tls }, credential, {})
  await expect(opened).rejects.toMatchObject({ code: 'upstream_unavailable' })
})

test('nobody there is upstream_unavailable', async () => {
  const port = await impostor()
  servers.splice(0)[0]?.close()
  await expect(login({ host: '127.0.0.1', port }, credential, {})).rejects.toMatchObject({
    code: 'upstream_unavailable',
  })
})

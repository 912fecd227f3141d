import { connect } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import type { Gate, Session } from '../../pdp/contract.ts'
import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { channel } from '../../sidecars/channel.ts'
import { listen } from '../../sidecars/listen.ts'
import type { Channel, Relay, Sidecar } from '../../sidecars/sidecar.ts'
import { wire } from '../../sidecars/wire.ts'

/** A protocol of lines: one byte of length, then that many bytes. */
const length = (bytes: Buffer, at: number): number => {
  const size = bytes[at] ?? 0
  if (size === 255) throw new Malformed('255 is no length')
  return size + 1
}
const line = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text)])

type Rig = {
  readonly client: Duplex
  readonly server: Duplex
  readonly closed: unknown[]
  readonly turned: unknown[]
  readonly ended: AbortController
  readonly over: Promise<void>
  readonly closes: () => number
  /** What the client, or the server, has got so far. */
  got(side: Duplex): string
  hungUp(): boolean
}

const same: Relay = { request: (frame) => frame, response: (frame) => frame }

function rig(relay: Relay, options: { readonly refuse?: unknown } = {}): Rig {
  const [client, clientEnd] = duplexPair()
  const [server, serverEnd] = duplexPair()
  const seen = new Map<Duplex, string>([
    [client, ''],
    [server, ''],
  ])
  for (const side of [client, server]) {
    side.on('data', (chunk) => seen.set(side, seen.get(side) + chunk.toString('latin1')))
    side.on('error', () => undefined)
  }
  const closed: unknown[] = []
  const turned: unknown[] = []
  const ended = new AbortController()
  let closes = 0
  let made: Channel | undefined
  const session = {
    id: 's1',
    ended: ended.signal,
    close: (problem?: unknown) => void closed.push(problem),
  } as unknown as Session
  const gate = {
    open: async () => session,
    turnedAway: (_: string, problem: unknown) => void turned.push(problem),
  } as unknown as Gate
  const sidecar: Sidecar = wire({
    protocol: 'lines',
    port: 0,
    capabilities: [],
    length,
    fatal: (refusal) => line(`!${refusal.message}`),
    notice: (text) => line(`#${text}`),
    async login(channelOfClient, entrance) {
      made = channelOfClient
      if (options.refuse !== undefined) throw options.refuse
      await entrance.open({} as never)
      const upstream = channel(serverEnd, length)
      const closed = (): void => {
        closes += 1
      }
      return { session, server: upstream, relay, closed }
    },
  })
  const over = sidecar.serve(clientEnd, gate, { peer: 'test' })
  return {
    client,
    server,
    closed,
    turned,
    ended,
    over,
    closes: () => closes,
    got: (side) => seen.get(side) ?? '',
    hungUp: () => made?.gone.aborted === true,
  }
}

const poll = { interval: 1, timeout: 5_000 }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('messages go both ways, whatever they were cut into', async () => {
  const { client, server, got } = rig(same)
  const bytes = Buffer.concat(['one', '', 'three'].map(line))
  for (const byte of bytes) {
    client.write(Buffer.from([byte]))
    server.write(Buffer.from([byte]))
    await turn()
  }
  await expect
    .poll(() => [got(server), got(client)], poll)
    .toEqual([bytes, bytes].map((all) => all.toString('latin1')))
})

test('requests keep their order while one of them is thought about', async () => {
  let answer: (frame: Buffer) => void = () => undefined
  const relay: Relay = {
    request: (frame) =>
      frame.includes('slow') ? new Promise((resolve) => (answer = resolve)) : frame,
    response: (frame) => frame,
  }
  const { client, server, got } = rig(relay)
  client.write(Buffer.concat(['a', 'slow', 'b', 'c'].map(line)))
  await expect.poll(() => got(server), poll).toBe('\x01a')
  server.write(line('meanwhile'))
  await expect.poll(() => got(client), poll).toBe('\x09meanwhile')
  answer(line('S'))
  await expect.poll(() => got(server), poll).toBe('\x01a\x01S\x01b\x01c')
})

test('a server that takes nothing does not make the gate skip a thought', async () => {
  let answer: (frame: Buffer) => void = () => undefined
  const relay: Relay = {
    request: (frame) =>
      frame.includes('slow') ? new Promise((resolve) => (answer = resolve)) : frame,
    response: (frame) => frame,
  }
  const { client, server, got } = rig(relay)
  server.pause()
  const many = Array.from({ length: 3_000 }, () => line('x'.repeat(200)))
  client.write(Buffer.concat([...many, line('slow'), line('last')]))
  await turn()
  server.resume()
  await expect.poll(() => got(server).length, poll).toBe(3_000 * 201)
  answer(line('S'))
  await expect.poll(() => got(server).slice(-7), poll).toBe('\x01S\x04last')
})

test('a hang-up is noticed while a command waits and more of them are unread', async () => {
  const never: Relay = { request: () => new Promise(() => undefined), response: (frame) => frame }
  const { client, over, closed, closes, hungUp } = rig(never)
  client.write(Buffer.concat(['held', 'next', 'bye'].map(line)))
  await turn()
  expect(hungUp()).toBe(false)
  client.end()
  await over
  expect(hungUp()).toBe(true)
  expect(closed).toEqual([undefined])
  expect(closes()).toBe(1)
})

test.each([
  ['a refusal', new Refusal('denied', 'not you'), '!not you'],
  ['a broken message', new Malformed('nonsense'), '!nonsense'],
  ['a failure of ours', new Error('secret'), '!something went wrong inside the gate (session s1)'],
])('%s while relaying is said, recorded, and ends both sides', async (_, problem, said) => {
  const relay: Relay = {
    request() {
      throw problem
    },
    response: (frame) => frame,
  }
  const { client, server, over, closed, got } = rig(relay)
  client.write(line('x'))
  await over
  await expect.poll(() => got(client), poll).toBe(line(said).toString('latin1'))
  await expect.poll(() => server.readableEnded, poll).toBe(true)
  expect(closed).toEqual([problem])
})

test('a promise that fails ends the connection too', async () => {
  const relay: Relay = {
    request: () => Promise.reject(new Refusal('denied', 'late')),
    response: (frame) => frame,
  }
  const { client, over, got } = rig(relay)
  client.write(line('x'))
  await over
  await expect.poll(() => got(client), poll).toContain('late')
})

test('answers that came before a broken one still go out', async () => {
  const { server, over, got, client } = rig(same)
  server.write(Buffer.concat([line('good'), Buffer.from([255])]))
  await over
  await expect
    .poll(() => got(client), poll)
    .toBe(Buffer.concat(['good', '!255 is no length'].map(line)).toString('latin1'))
})

test('a login that fails is recorded as turned away', async () => {
  const refuse = new Refusal('token_invalid')
  const { client, over, turned, closed, got } = rig(same, { refuse })
  await over
  await expect.poll(() => got(client), poll).toContain('the token was not accepted')
  expect(turned).toEqual([refuse])
  expect(closed).toEqual([])
})

test('a session that is ended says why', async () => {
  const { client, over, ended, closed, got } = rig(same)
  await turn()
  const reason = new Refusal('token_expired')
  ended.abort(reason)
  await over
  await expect.poll(() => got(client), poll).toContain('the token has expired')
  expect(closed).toEqual([reason])
})

test('the last words of the server reach a client that reads slowly', async () => {
  const { client, server, over, got, closed } = rig(same)
  client.pause()
  const many = Buffer.concat(Array.from({ length: 5_000 }, () => line('x'.repeat(200))))
  server.write(many)
  server.end(line('bye'))
  await turn()
  client.resume()
  await over
  await expect.poll(() => got(client).slice(many.length), poll).toMatch(/bye.!the datastore closed/)
  expect(closed).toMatchObject([{ code: 'upstream_unavailable' }])
})

test('a client that has said goodbye hears nothing more', async () => {
  const { server, over, got, client, closed } = rig({ ...same, left: () => true })
  server.end(line('bye'))
  await over
  await expect.poll(() => got(client), poll).toMatch(/bye$/)
  expect(closed).toEqual([undefined])
})

test('a listener closes what is over its maximum, and survives broken connections', async () => {
  let served = 0
  const sidecar = {
    protocol: 'test',
    port: 0,
    capabilities: [],
    async serve(socket: Duplex) {
      served += 1
      channel(socket, length)
    },
  }
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    sidecar,
    gate: {} as Gate,
    connectionsMax: 1,
  })
  const first = connect(listener.port, '127.0.0.1').on('error', () => undefined)
  await expect.poll(() => served, poll).toBe(1)
  const second = connect(listener.port, '127.0.0.1').on('error', () => undefined)
  await expect.poll(() => second.closed, poll).toBe(true)
  first.resetAndDestroy()
  await expect.poll(() => listener.connections(), poll).toBe(0)
  const third = connect(listener.port, '127.0.0.1').on('error', () => undefined)
  await expect.poll(() => served, poll).toBe(2)
  await listener.close()
  await expect.poll(() => third.destroyed, poll).toBe(true)
})

test('an address that is taken is an error for the caller', async () => {
  const sidecar = { protocol: 't', port: 0, capabilities: [], serve: async () => undefined }
  const listening = { host: '127.0.0.1', sidecar, gate: {} as Gate }
  const first = await listen({ ...listening, port: 0 })
  await expect(listen({ ...listening, port: first.port })).rejects.toThrow('EADDRINUSE')
  await first.close()
})

test('a client of IPv4 has an address of IPv4, also where the socket takes both', async () => {
  const peers: string[] = []
  const sidecar: Sidecar = {
    protocol: 't',
    port: 0,
    capabilities: [],
    serve: async (socket, _, { peer }) => {
      peers.push(peer)
      socket.destroy()
    },
  }
  const listening = { sidecar, gate: {} as Gate, port: 0 }
  for (const [index, host] of ['127.0.0.1', '::ffff:127.0.0.1', '::1'].entries()) {
    const listener = await listen({ ...listening, host })
    connect(listener.port, host).on('error', () => undefined)
    await expect.poll(() => peers.length, poll).toBe(index + 1)
    await listener.close()
  }
  expect(peers).toEqual(['127.0.0.1', '127.0.0.1', '::1'])
})

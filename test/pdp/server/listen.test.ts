import { once } from 'node:events'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { connect } from 'node:tls'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Certificates, certificates } from '../../../deploy/demo/certificates.ts'
import { type Listening, listening } from '../../../pdp/server/listen.ts'

let made: Certificates

beforeAll(async () => {
  made = await certificates()
})

async function secure(): Promise<Listening> {
  const server = await listening((_request, response) => response.end('hello'), {
    host: '127.0.0.1',
    port: 0,
    tls: made.server,
  })
  onTestFinished(() => server.close(0))
  return server
}

test('with a certificate it speaks TLS', async () => {
  const { port } = await secure()
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, ca: made.ca }, (response) =>
      response.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    )
    asked.on('error', reject)
    asked.end()
  })
  expect(text).toBe('hello')
})

test.each(['TLSv1', 'TLSv1.1'] as const)('%s is too old', async (version) => {
  const { port } = await secure()
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: made.ca,
    minVersion: version,
    maxVersion: version,
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const [error] = await once(socket, 'error')
  expect(String(error)).toMatch(/protocol|version|ssl/i)
})

test('plain HTTP to a TLS port gets nothing', async () => {
  const { port } = await secure()
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed')
})

test('an address that is taken is an error with its code', async () => {
  const taken = createServer()
  onTestFinished(() => void taken.close())
  await once(taken.listen(0, '127.0.0.1'), 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(listening(() => undefined, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('closing cuts requests that do not end', async () => {
  const server = await listening(() => undefined, { host: '127.0.0.1', port: 0 })
  const hanging = fetch(`http://127.0.0.1:${server.port}/`)
  hanging.catch(() => undefined)
  await server.close(50)
  await expect(hanging).rejects.toThrow()
})

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { archiveBytesMax } from '../../bundles/archive.ts'
import { bearer } from '../../bundles/authorization.ts'
import { httpSource } from '../../bundles/http.ts'
import { secret } from '../../pdp/secret.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const forever = new AbortController().signal
const longPollType = 'application/vnd.openpolicyagent.bundles'

/** A server on loopback that answers as told and remembers what it was asked. */
async function serving(answer: Answer) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, url: `http://127.0.0.1:${port}/bundles/main.tar.gz?key=secret` }
}

test('the body and its ETag come back, and the ETag goes out with the next question', async () => {
  const { asked, url } = await serving((request, response) => {
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
    else response.writeHead(200, { etag: '"1"' }).end('bytes')
  })
  const source = httpSource({ url, longPollS: 7 })
  const bytes = Buffer.from('bytes')
  expect(await source.fetch(undefined, forever)).toEqual({ kind: 'bundle', bytes, tag: '"1"' })
  expect(await source.fetch('"1"', forever)).toEqual({ kind: 'unchanged' })
  expect(asked.map(({ headers }) => [headers['if-none-match'], headers['prefer']])).toEqual([
    [undefined, 'modes=snapshot;wait=7'],
    ['"1"', 'modes=snapshot;wait=7'],
  ])
})

test.each<[string, Answer, string]>([
  ['404', (_, r) => r.writeHead(404).end('no'), 'answered 404'],
  ['500', (_, r) => r.writeHead(500).end(), 'answered 500'],
  ['204', (_, r) => r.writeHead(204).end(), 'answered 204'],
  ['206', (_, r) => r.writeHead(206).end('x'), 'answered 206'],
  ['an empty body', (_, r) => r.writeHead(200).end(), 'empty body'],
  ['a huge body', endless, `more than ${archiveBytesMax} bytes`],
  ['a body that breaks off', broken, 'cannot be reached'],
  ['no HTTP', (q) => q.socket.end('hello\r\n\r\n'), 'cannot be reached'],
  ['a hang-up', (q) => q.socket.destroy(), 'cannot be reached'],
  ['silence', () => undefined, 'UND_ERR_HEADERS_TIMEOUT'],
  ['silence in the body', (_, r) => r.writeHead(200).write('x'), 'UND_ERR_BODY_TIMEOUT'],
])('%s is an error with the place and no query', async (_what, answer, why) => {
  const { url } = await serving(answer)
  const source = httpSource({ url, timeoutMs: 400 })
  const failure = await source.fetch(undefined, forever).catch(String)
  expect(failure).toContain(why)
  expect(failure).toContain('/bundles/main.tar.gz')
  expect(failure).not.toContain('secret')
})

test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
  const { asked, url } = await serving((request, response) => {
    if (request.url === '/elsewhere') response.end('bytes')
    else response.writeHead(status, { location: '/elsewhere' }).end()
  })
  await expect(httpSource({ url }).fetch(undefined, forever)).rejects.toThrow('not followed')
  expect(asked).toHaveLength(1)
})

test('a server that is not there is an error', async () => {
  const source = httpSource({ url: 'http://127.0.0.1:1/x' })
  await expect(source.fetch(undefined, forever)).rejects.toThrow('ECONNREFUSED')
})

test('the authorization goes to the server and into no error', async () => {
  const { asked, url } = await serving((_, response) => response.writeHead(401).end())
  const authorize = bearer(async () => secret('canary-4711'))
  const source = httpSource({ url, authorize })
  const failure = await source.fetch(undefined, forever).catch((error: unknown) => error)
  expect(asked[0]?.headers.authorization).toBe('Bearer canary-4711')
  expect(inspect([failure, source.place], { depth: 9 })).not.toContain('canary')
})

test.each([
  ['http://bundles.example/x', 'not encrypted'],
  ['http://127.0.0.1.example/x', 'not encrypted'],
  ['http://127.evil.example/x', 'not encrypted'],
  ['https://user:pw@bundles.example/x', 'password'],
  ['ftp://bundles.example/x', 'not an http'],
  ['bundles', 'not an http'],
  ['', 'not an http'],
])('the address %s is refused', (url, why) => {
  expect(() => httpSource({ url })).toThrow(why)
})

test.each([
  { url: 'https://bundles.example/x' },
  { url: 'http://127.0.0.9/x' },
  { url: 'http://[::1]:8080/x' },
  { url: 'http://localhost/x' },
  { url: 'http://bundles.example/x', plain: true },
])('the address of $url is accepted', (options) => {
  expect(httpSource(options).place).toContain('/x')
})

test('a long poll outlasts the ordinary timeout and ends with the news', async () => {
  let tell = (): void => undefined
  const { asked, url } = await serving((request, response) => {
    response.setHeader('content-type', longPollType)
    if (request.headers['if-none-match'] === undefined) {
      response.writeHead(200, { etag: '"1"' }).end('one')
      return
    }
    tell = () => response.writeHead(200, { etag: '"2"' }).end('two')
  })
  const source = httpSource({ url, timeoutMs: 300, longPollS: 30, delayMsMin: 1e6 })
  await source.fetch(undefined, forever)
  // Resolves at once although the ordinary delay is long: the server waits for us.
  await source.changed(forever)
  const second = source.fetch('"1"', forever)
  await expect.poll(() => asked.length, { interval: 5 }).toBe(2)
  // Longer than the ordinary timeout: what is tested is that nothing happens meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  tell()
  expect(await second).toEqual({ kind: 'bundle', bytes: Buffer.from('two'), tag: '"2"' })
})

test.each<[string, Answer]>([
  ['answers "unchanged" at once', (_, r) => r.writeHead(304).end()],
  ['sends the same again', (_, r) => r.writeHead(200, { etag: '"1"' }).end('one')],
  ['sends no ETag', (_, r) => r.writeHead(200).end('one')],
])('a server that promises to wait but %s is asked slowly', async (_what, later) => {
  let first = true
  const { url } = await serving((request, response) => {
    response.setHeader('content-type', longPollType)
    if (!first) return later(request, response)
    first = false
    return response.writeHead(200, { etag: '"1"' }).end('one')
  })
  const source = httpSource({ url, delayMsMin: 1e6, delayMsMax: 1e6 })
  await source.fetch(undefined, forever)
  const again = await source.fetch('"1"', forever)
  const tag = again.kind === 'bundle' ? again.tag : '"1"'
  if (tag === undefined) await source.fetch(undefined, forever)
  const stop = new AbortController()
  const pause = source.changed(stop.signal).then(
    () => 'asked again',
    () => 'stopped',
  )
  setTimeout(() => stop.abort(), 600)
  expect(await pause).toBe('stopped')
})

test('an abort ends a question that hangs', async () => {
  const { asked, url } = await serving(() => undefined)
  const stop = new AbortController()
  const question = httpSource({ url }).fetch(undefined, stop.signal)
  await expect.poll(() => asked.length, { interval: 5 }).toBe(1)
  stop.abort()
  await expect(question).rejects.toThrow()
})

function endless(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200)
  const chunk = Buffer.alloc(1024 * 1024)
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

function broken(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 100 })
  response.write('x', () => request.socket.destroy())
}

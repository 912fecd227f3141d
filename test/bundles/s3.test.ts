/** A store that checks AWS signatures by itself, from the bytes it received; stock OPA shows that it checks them well. */
import { spawn } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { aws, basic } from '../../bundles/authorization.ts'
import { httpSource } from '../../bundles/http.ts'
import { packSigned } from '../../bundles/sign.ts'
import { freePort } from '../../deploy/demo/ports.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { secret } from '../../pdp/secret.ts'
import { bundle, file, ours, scratch } from './kit.ts'

const opa = new URL('../../.tools/opa', import.meta.url).pathname
const forever = new AbortController().signal
const keyId = 'AKIDTEST'
const secretKey = 'canary/secret+key'
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const mac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

/** Why a request is not signed as it has to be; undefined when it is. Of plain S3 paths and no query. */
function problemOf({ method, url = '', headers }: IncomingMessage): string | undefined {
  const form =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/s3\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=(\w{64})$/
  const found = form.exec(headers.authorization ?? '')
  if (found === null) return 'no signature'
  const [, id, day, region, names = '', signature] = found
  if (id !== keyId) return 'unknown key'
  const signed = names.split(';')
  for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date'])
    if (!signed.includes(name)) return `${name} is not signed`
  const date = String(headers['x-amz-date'])
  if (!date.startsWith(String(day))) return 'another day'
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim()}\n`).join('')
  const canonical = `${method}\n${url}\n\n${lines}\n${names}\n${headers['x-amz-content-sha256']}`
  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash(canonical)}`
  const key = mac(
    mac(mac(mac(`AWS4${secretKey}`, String(day)), String(region)), 's3'),
    'aws4_request',
  )
  return mac(key, text).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch'
}

/** The store; everything in it is `content`. */
async function store(content: Buffer) {
  const problems: (string | undefined)[] = []
  const seen: IncomingMessage[] = []
  const web = createServer((request, response) => {
    const problem = problemOf(request)
    problems.push(problem)
    seen.push(request)
    const etag = '"d41d8"'
    if (problem !== undefined) response.writeHead(403).end(problem)
    else if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
    else response.writeHead(200, { etag }).end(content)
  })
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    web.closeAllConnections()
    web.close()
  })
  return { url: `http://127.0.0.1:${(web.address() as AddressInfo).port}`, problems, seen }
}

const login = (key: string, more: object = {}) =>
  aws({
    region: 'eu-central-1',
    service: 's3',
    accessKey: async () => secret(keyId),
    secretKey: async () => secret(key),
    ...more,
  })

test.each(['/bucket/policy.tar.gz', '/bucket/with%20space/%C3%BCber.tar.gz', "/b/(x)*'!.tar.gz"])(
  'a bundle comes from a store that checks signatures: %s',
  async (path) => {
    const bytes = await bundle()
    const { url, problems } = await store(bytes)
    const encoded = path.replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    const source = httpSource({ url: `${url}${encoded}`, authorize: login(secretKey) })
    const first = await source.fetch(undefined, forever)
    expect(problems).toEqual([undefined])
    expect(first).toEqual({ kind: 'bundle', bytes, tag: '"d41d8"' })
    expect(await source.fetch('"d41d8"', forever)).toEqual({ kind: 'unchanged' })
  },
)

test('temporary keys send their token, and it is signed', async () => {
  const { url, problems, seen } = await store(await bundle())
  const authorize = login(secretKey, { sessionToken: async () => secret('session-1') })
  await httpSource({ url: `${url}/b/p`, authorize }).fetch(undefined, forever)
  expect(problems).toEqual([undefined])
  expect(seen[0]?.headers['x-amz-security-token']).toBe('session-1')
  expect(seen[0]?.headers.authorization).toContain('x-amz-security-token')
})

test('a wrong key gets nothing, and no key is in the error', async () => {
  const { url, problems } = await store(await bundle())
  const source = httpSource({ url: `${url}/b/p`, authorize: login('canary-wrong') })
  const failure = await source.fetch(undefined, forever).catch((error: unknown) => error)
  expect(String(failure)).toContain('answered 403')
  expect(problems).toEqual(['SignatureDoesNotMatch'])
  expect(inspect(failure, { depth: 9 })).not.toContain('canary')
})

test('a secret that cannot be read is named by its place', async () => {
  const { url, seen } = await store(await bundle())
  const gone = async () => {
    throw new Refusal('credential_unavailable', 'the gate has no credential: file x cannot be read')
  }
  const authorize = login(secretKey, { secretKey: gone })
  const failure = httpSource({ url: `${url}/b/p`, authorize }).fetch(undefined, forever)
  await expect(failure).rejects.toThrow('file x cannot be read')
  expect(seen).toEqual([])
})

test('a name and a password go out as RFC 7617 has it', async () => {
  const { url, seen } = await store(await bundle())
  const authorize = basic('gate', async () => secret('pa:ss'))
  await expect(httpSource({ url, authorize }).fetch(undefined, forever)).rejects.toThrow('403')
  expect(seen[0]?.headers.authorization).toBe(`Basic ${btoa('gate:pa:ss')}`)
})

test('what stock OPA signs, the store takes: so it checks what AWS would', async () => {
  const rego = file('postern/p.rego', 'package postern\n\nanswer := 42\n')
  const manifest = file('.manifest', JSON.stringify({ revision: 'r', roots: ['postern'] }))
  const content = await packSigned([manifest, rego], { pem: ours.private, id: 'main' })
  const { url, problems } = await store(content)
  const port = await freePort()
  const signing = { environment_credentials: {} }
  const config = {
    services: { s3: { url, credentials: { s3_signing: signing } } },
    bundles: { main: { service: 's3', resource: 'bucket/policy.tar.gz' } },
    keys: { main: { algorithm: 'ES256', key: ours.public } },
  }
  const path = join(scratch(), 'opa.json')
  writeFileSync(path, JSON.stringify(config))
  const env = {
    AWS_ACCESS_KEY_ID: keyId,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_REGION: 'eu-central-1',
  }
  const args = ['run', '--server', '--addr', `127.0.0.1:${port}`, '-c', path]
  const child = spawn(opa, args, { env, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await expect.poll(() => problems.length, { timeout: 15_000, interval: 50 }).toBeGreaterThan(0)
  expect(problems[0]).toBeUndefined()
})

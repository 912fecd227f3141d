import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { archiveBytesMax, readArchive, writeArchive } from '../../bundles/archive.ts'
import { sha256 } from '../../bundles/digest.ts'
import { packSigned } from '../../bundles/sign.ts'
import { trustSet } from '../../bundles/trust.ts'
import { bundle, ecPair, edit, end, entry, files, ours, packed, scratch, trust } from './kit.ts'
import { served } from './serving.ts'

const at = (sequence: number) => bundle(`r${sequence}`, { sequence })

test('a push answers what is published, is on record first, and does nothing twice', async () => {
  const server = await served()
  const bytes = await at(1)
  const first = await server.push(bytes)
  const stable = { digest: sha256(bytes), revision: 'r1', sequence: 1, bytes: bytes.length }
  expect(first).toMatchObject({ status: 201, body: { name: 'main', stable } })
  expect(await server.push(bytes)).toMatchObject({ status: 200, body: { stable } })
  expect(server.entries).toMatchObject([
    { kind: 'admin', action: 'bundle_push', bundle: 'main', digest: sha256(bytes), subject: 'ci' },
    { action: 'bundle_push' },
  ])
})

const delta = async () =>
  packSigned(edit(await readArchive(await at(9)), 'patch.json', '{"data":[]}'), {
    pem: ours.private,
    sequence: 9,
  })

test.each<[string, () => Promise<Buffer> | Buffer, string]>([
  ['no archive', () => Buffer.from('hello'), 'not a gzip'],
  ['an unsigned one', () => writeArchive(files()), 'not signed'],
  ['a delta', delta, 'delta bundle'],
  ['a stranger', () => bundle('r', { pem: ecPair().private, sequence: 9 }), 'trusted key'],
  ['an expired one', () => bundle('r', { sequence: 9, expiresMs: 1 }), 'expired at'],
  ['too many files', () => packed(...many(5000), end), 'more than 4096 entries'],
  ['what no gate can load', () => bundle('bad', { sequence: 9 }), 'it does not load'],
])('%s is not published', async (_what, make, why) => {
  const loads = (revision: string): void => {
    if (revision === 'bad') throw new Error('it does not load')
  }
  const server = await served({ loads })
  const { status, body } = await server.push(await make())
  expect({ status, code: body['code'] }).toEqual({ status: 422, code: 'bundle_refused' })
  expect(body['detail']).toContain(why)
  expect(server.publisher.publication('main').stable).toBeUndefined()
  expect(server.entries.at(-1)).toMatchObject({ refused: 'bundle_refused' })
})

const many = (count: number) => Array.from({ length: count }, (_, n) => entry(`f${n}`))

test('a sequence, the scope and the number of signers are asked for where they are wanted', async () => {
  const keys = [{ id: 'default', pem: ours.public }]
  const scoped = await served({ trust: trustSet({ keys, scope: 'prod' }) })
  expect((await scoped.push(await at(1))).body['detail']).toContain('scope')
  const both = [...keys, { id: 'b', pem: ecPair().public }]
  const strict = await served({ trust: trustSet({ keys: both, signaturesMin: 2 }) })
  expect((await strict.push(await at(1))).body['detail']).toContain('2 of default, b must sign')
  const plain = await served()
  const { signFiles } = await import('../../bundles/signature.ts')
  const { privateKey } = await import('../../bundles/keys.ts')
  const signing = { key: privateKey(ours.private), id: 'default', algorithm: 'ES256' } as const
  const without = await writeArchive(await signFiles(files(), { ...signing, claims: { iat: 1 } }))
  expect((await plain.push(without)).body['detail']).toContain('no postern_sequence')
})

test.each([
  ['nobody', 'none', 401],
  ['somebody else', 'otto', 403],
  ['a gate', 'gate', 403],
  ['an administrator', 'root', 403],
])('%s may not push, promote or abort', async (_who, token, status) => {
  const server = await served()
  const headers = { authorization: `Bearer ${token}` }
  const promote = await server.ask('/v1/bundles/main/promote', { method: 'POST', headers })
  expect(promote.status).toBe(status)
  expect((await server.push(await at(1), '', token)).status).toBe(status)
  expect((await server.push(await at(1), '?abort=true', token)).status).toBe(status)
  expect(server.publisher.publication('main').releases).toEqual([])
})

test('a body beyond the limit is not read to its end, and an empty one is named', async () => {
  const server = await served()
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
  })
  const headers = { authorization: 'Bearer ci' }
  const sent = await server
    .ask('/v1/bundles/main', {
      method: 'PUT',
      headers,
      body: endless,
      duplex: 'half',
    } as RequestInit)
    .then(({ status }) => status)
    .catch(() => 413)
  expect(sent).toBe(413)
  const declared = await server
    .push(Buffer.alloc(archiveBytesMax + 1))
    .catch(() => ({ status: 413 }))
  expect(declared.status).toBe(413)
  const empty = await server.ask('/v1/bundles/main', { method: 'PUT', headers })
  expect(await empty.json()).toMatchObject({ code: 'bad_request' })
})

test.each([
  ['?canary=share%3D0', 'share=1 to share=99'],
  ['?canary=share%3D100', 'share=1 to share=99'],
  ['?canary=share%3D5%2Cenv%3Dx', 'share is alone'],
  ['?canary=everybody', 'selects nothing'],
  ['?canary=env%3Da%2Cenv%3Db', 'twice'],
  ['?abort=yes', 'abort=true'],
  ['?canry=share%3D10', 'canry'],
])('a push with %s is not understood', async (query, why) => {
  const server = await served()
  const { status, body } = await server.push(await at(1), query)
  expect(status).toBe(400)
  expect(body['detail']).toContain(why)
})

test('a canary is alone, grows, and ends by promotion or by something newer', async () => {
  const server = await served()
  const share = (percent: number): string => `?canary=share%3D${percent}`
  const refused = async (bytes: Buffer, query: string) => {
    const { status, body } = await server.push(bytes, query)
    expect(status).toBe(409)
    return String(body['detail'])
  }
  const [one, two, three, four] = await Promise.all([1, 2, 3, 4].map(at))
  if (!one || !two || !three || !four) throw new Error('four bundles were made')
  expect(await refused(one, share(10))).toContain('outside the canary')
  expect(await refused(one, '?abort=true')).toContain('no canary')
  await server.push(one)
  expect(await server.push(two, share(10))).toMatchObject({
    status: 201,
    body: { stable: { revision: 'r1' }, canary: { revision: 'r2', selection: 'share=10' } },
  })
  expect(await refused(three, '')).toContain('a canary is running')
  expect(await refused(three, share(10))).toContain('a canary is running')
  expect(await refused(two, '')).toContain('is the canary')
  expect(await refused(two, share(5))).toContain('would lose it')
  expect(await refused(two, '?canary=env%3Dx')).toContain('would lose it')
  expect((await server.push(two, share(10))).status).toBe(200)
  expect(await server.push(two, share(50))).toMatchObject({
    status: 201,
    body: { canary: { selection: 'share=50' } },
  })
  expect(await server.push(three, '?abort=true')).toMatchObject({
    status: 201,
    body: { stable: { revision: 'r3' } },
  })
  expect(server.publisher.publication('main').canary).toBeUndefined()
  await server.push(four, share(99))
  const headers = { authorization: 'Bearer ci' }
  const other = `/v1/bundles/main/promote?digest=${sha256(three)}`
  expect((await server.ask(other, { method: 'POST', headers })).status).toBe(409)
  const vague = await server.ask('/v1/bundles/main/promote?digest=x', { method: 'POST', headers })
  expect(vague.status).toBe(400)
  const exactly = `/v1/bundles/main/promote?digest=${sha256(four)}`
  const promoted = await server.ask(exactly, { method: 'POST', headers })
  expect(await promoted.json()).toMatchObject({ stable: { revision: 'r4' } })
  expect(await refused(await at(4), '')).toContain('not above 4')
})

test('old releases go, the memory of the highest sequence stays, and so it is after a restart', async () => {
  const folder = scratch()
  const server = await served({ folder, keep: 2 })
  for (const sequence of [1, 2, 3, 4]) await server.push(await at(sequence))
  const { releases } = server.publisher.publication('main')
  expect(releases.map(({ revision }) => revision)).toEqual(['r4', 'r3'])
  expect(readdirSync(join(folder, 'main')).length).toBe(3)
  const again = await served({ folder, keep: 2 })
  expect(again.publisher.publication('main')).toEqual(server.publisher.publication('main'))
  expect((await again.push(await at(2))).body['code']).toBe('bundle_conflict')
  writeFileSync(join(folder, 'main/index.json'), '{')
  await expect(served({ folder })).rejects.toThrow('cannot be read')
  expect(existsSync(join(folder, 'other'))).toBe(false)
})

test('pushes at the same time are published one after the other', async () => {
  const server = await served({ trust })
  const bundles = await Promise.all([1, 2, 3, 4].map(at))
  const statuses = await Promise.all(bundles.map((bytes) => server.push(bytes)))
  expect(statuses.map(({ status }) => status)).toContain(201)
  const { sequence, stable } = server.publisher.publication('main')
  expect(stable?.sequence).toBe(sequence)
})

test('what is published is shown to pipelines and administrators', async () => {
  const server = await served()
  await server.push(await at(1))
  const shown = async (token: string) =>
    server.ask('/v1/bundles', { headers: { authorization: `Bearer ${token}` } })
  expect((await shown('gate')).status).toBe(403)
  expect(await (await shown('root')).json()).toMatchObject({
    bundles: [{ name: 'main', sequence: 1, releases: [{ pushed_by: 'ci' }] }, { name: 'other' }],
  })
})

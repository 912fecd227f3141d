import { expect, test } from 'vitest'
import { gateToken, type Member, signed, startMember, startServer } from './fleet.stage.ts'

const soon = { timeout: 20_000, interval: 100 }
const revision = async (member: Member): Promise<unknown> =>
  (await member.bundle())['active_revision']

test('a bundle is pushed, pulled by every gate, tried as a canary, promoted and aborted', {
  timeout: 180_000,
}, async () => {
  const server = await startServer()
  expect((await fetch(`${server.url}/ready`)).status).toBe(200)
  const [staging, production] = await Promise.all([
    startMember(server.url, 'gate-a', '{ env: staging }'),
    startMember(server.url, 'gate-b', '{ env: production }'),
  ])
  const fleet = () => server.run(['fleet'])
  await expect.poll(async () => (await fleet()).out, soon).toMatch(/gate-a[\s\S]*gate-b/)
  const before = await fleet()
  expect(before.status).toBe(1)
  expect(before.out).toMatch(/^gate-a .* no_bundle,error$/m)
  expect(before.out).toMatch(/^gate-a: .*answered 404$/m)
  const first = await server.push(await signed('r1', 1))
  expect(first).toMatchObject({ err: '', status: 0 })
  expect(first.out).toMatch(
    /^postern\n {2}all gates: revision r1, sequence 1, sha256 [0-9a-f]{64}\n$/,
  )
  for (const member of [staging, production])
    await expect.poll(() => revision(member), soon).toBe('r1')

  const canary = await server.push(await signed('r2', 2), '--canary', 'env=staging')
  expect(canary.out).toContain('canary env=staging: revision r2, sequence 2')
  await expect.poll(() => revision(staging), soon).toBe('r2')
  expect(await revision(production)).toBe('r1')
  await expect.poll(async () => (await fleet()).status, soon).toBe(0)
  const { out } = await fleet()
  expect(out).toMatch(/^gate-a +env=staging +\d\S+ +postern +r2 \(canary\) +2 .* none$/m)
  expect(out).toMatch(/^gate-b +env=production +\d\S+ +postern +r1 +1 .* none$/m)

  const { gates } = JSON.parse((await server.run(['fleet', '--json'])).out)
  expect(gates).toMatchObject([
    { gate: 'gate-a', drift: [], target: { revision: 'r2', canary: true } },
    { gate: 'gate-b', drift: [], target: { revision: 'r1', canary: false } },
  ])
  const digest = gates[0].target.digest
  const wrong = await server.run(['promote', '--digest', gates[1].target.digest])
  expect(wrong.err).toContain(`is ${digest} by now`)
  const promoted = await server.run(['promote', '--digest', digest])
  expect(promoted.out).toMatch(/all gates: revision r2/)
  await expect.poll(() => revision(production), soon).toBe('r2')
  expect((await server.run(['promote'])).err).toContain('no canary of postern to promote')

  const third = await server.push(await signed('r3', 3), '--canary', 'env=staging')
  expect(third.status).toBe(0)
  await expect.poll(() => revision(staging), soon).toBe('r3')
  const low = await server.push(await signed('r2', 2), 'abort')
  expect(low.err).toContain('sequence 2 is not above 3')
  const aborted = await server.push(await signed('r2', 4), 'abort')
  expect(aborted.out).not.toContain('canary')
  for (const member of [staging, production])
    await expect.poll(async () => (await member.bundle())['active_sequence'], soon).toBe(4)
  expect(await revision(staging)).toBe('r2')
})

test('what may not be pushed, or fetched, is refused with what to do', {
  timeout: 120_000,
}, async () => {
  const server = await startServer()
  const checked = await server.run(['check'])
  expect(checked.out).toMatch(/^ok +bundle +nothing is published as postern yet/m)
  const one = await signed('r1', 5)
  expect((await server.push(one)).status).toBe(0)
  expect((await server.push(one)).status).toBe(0)
  const file = `${server.home.folder}/pushed-1.tar.gz`
  const other = await server.run(['push', '--bundle', file], ['others'])
  expect(other).toMatchObject({ status: 1 })
  expect(other.err).toContain('bundle_server.push')
  const elsewhere = await server.run(['push', '--bundle', file, '--name', 'else'])
  expect(elsewhere.err).toContain('published here: postern')
  const older = await server.push(await signed('r0', 4))
  expect(older.err).toContain('sequence 4 is not above 5')
  const get = (headers: Record<string, string>) =>
    fetch(`${server.url}/bundles/postern.tar.gz`, { headers }).then(({ status }) => status)
  expect(await get({})).toBe(401)
  expect(await get({ authorization: 'Bearer guess' })).toBe(401)
  expect(await get({ authorization: `Bearer ${gateToken}` })).toBe(200)
  const audit = await server.run(['audit', 'search', '--kind', 'admin', '--json'])
  expect(audit.out).toContain('"action": "bundle_push"')
  expect(audit.out + server.running.log()).not.toContain(gateToken)
})

/** Keys that change, signers that are several, and the way back: one gate as a process, its bundle in a file. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ecPair } from '../bundles/kit.ts'
import { type Home, home, postern, serving } from '../gate.ts'
import { pair, signed, signedToo } from './fleet.stage.ts'

const next = ecPair()
const soon = { timeout: 20_000, interval: 50 }

/** A gate whose bundle is ./policy.tar.gz; `more` are settings of the bundle. */
async function gateWith(keys: readonly ('main' | 'next')[], more = '') {
  const listed = keys.map((id) => `{ id: ${id}, algorithm: ES256, file: ./${id}.pub.pem }`)
  const at: Home = await home((text) =>
    text
      .replace(/source: .*/, `source: ./policy.tar.gz\n  ${more}`)
      .replace(/ {2}demo: true\n/, '')
      .replace(/keys: .*/, `keys: [${listed.join(', ')}]`),
  )
  writeFileSync(join(at.folder, 'main.pub.pem'), pair.public)
  writeFileSync(join(at.folder, 'next.pub.pem'), next.public)
  const publish = (bundle: Buffer): void => {
    writeFileSync(join(at.folder, 'policy.next'), bundle)
    renameSync(join(at.folder, 'policy.next'), join(at.folder, 'policy.tar.gz'))
  }
  return { at, publish, folder: at.folder }
}

async function started({ at }: { readonly at: Home }) {
  const { url } = await serving(at)
  const status = async () => {
    const authorization = `Bearer ${await at.token('root', ['admins'])}`
    const answer = await fetch(`${url}/v1/status`, { headers: { authorization } })
    return ((await answer.json()) as { readonly bundle: Record<string, unknown> }).bundle
  }
  return {
    ready: async () => (await fetch(`${url}/ready`)).status,
    sequence: async () => (await status())['active_sequence'],
    message: async () => String((await status())['message'] ?? ''),
  }
}

const byNext = (revision: string, sequence: number) =>
  signed(revision, sequence, { pem: next.private, id: 'next' })

test('a key is replaced while the gate runs, and the old one opens nothing afterwards', {
  timeout: 120_000,
}, async () => {
  const both = await gateWith(['main', 'next'])
  both.publish(await signed('r1', 1))
  const gate = await started(both)
  await expect.poll(gate.sequence, soon).toBe(1)
  both.publish(await byNext('r2', 2))
  await expect.poll(gate.sequence, soon).toBe(2)
  expect(await gate.ready()).toBe(200)
  const later = await gateWith(['next'])
  later.publish(await signed('r3', 3))
  const strict = await started(later)
  await expect.poll(strict.message, soon).toContain('"main", which is not trusted')
  later.publish(await byNext('r3', 3))
  await expect.poll(strict.sequence, soon).toBe(3)
})

test('where two must sign, one signature is not enough; the second is added by a command', {
  timeout: 120_000,
}, async () => {
  const two = await gateWith(['main', 'next'], 'signatures_min: 2')
  const one = await signed('r1', 1)
  two.publish(one)
  const gate = await started(two)
  await expect.poll(gate.message, soon).toContain('2 of main, next must sign it')
  expect(await gate.ready()).toBe(503)
  const at = (name: string): string => join(two.folder, name)
  writeFileSync(at('one.tar.gz'), one)
  writeFileSync(at('next.key.pem'), next.private)
  const added = await postern(two.at, [
    ...['bundle', 'sign', '--add', '--bundle', at('one.tar.gz'), '--output', at('two.tar.gz')],
    ...['--key', at('next.key.pem'), '--key-id', 'next'],
  ])
  expect(added).toMatchObject({ status: 0, err: '' })
  expect(added.out).toContain('key id main, ES256, key id next')
  renameSync(at('two.tar.gz'), at('policy.tar.gz'))
  await expect.poll(gate.sequence, soon).toBe(1)
  two.publish(await signedToo(await signed('r2', 2), 'next', next))
  await expect.poll(gate.sequence, soon).toBe(2)
})

test('an older bundle comes back by a permission alone, which is on the record', {
  timeout: 120_000,
}, async () => {
  const back = await gateWith(['main'])
  back.publish(await signed('r5', 5))
  const gate = await started(back)
  await expect.poll(gate.sequence, soon).toBe(5)
  back.publish(await signed('r4', 4))
  await expect.poll(gate.message, soon).toContain('older than 5')
  const vague = await postern(back.at, ['rollback', '--to-sequence', '4'])
  expect(vague).toMatchObject({ status: 2, err: expect.stringContaining('--because') })
  const why = 'r5 locks out support'
  const allowed = await postern(back.at, ['rollback', '--to-sequence', '4', '--because', why])
  expect(allowed).toMatchObject({ status: 0, err: '' })
  expect(allowed.out).toContain('sequence 4 may come back once, until ')
  await expect.poll(gate.sequence, soon).toBe(4)
  await expect
    .poll(
      async () => (await postern(back.at, ['audit', 'search', '--kind', 'bundle', '--json'])).out,
      soon,
    )
    .toContain(`back from sequence 5 to 4, allowed by`)
  const { out } = await postern(back.at, ['audit', 'search', '--kind', 'bundle', '--json'])
  expect(out).toContain(why)
})

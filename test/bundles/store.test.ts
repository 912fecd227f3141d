import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { archiveBytesMax } from '../../bundles/archive.ts'
import { folderStore, type Memory, refuseRollback } from '../../bundles/store.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import { bundle, scratch, trust } from './kit.ts'

test('an empty folder, or none, is a first start', async () => {
  const store = folderStore(join(scratch(), 'not', 'yet'), 'main')
  expect([await store.last(), await store.memory()]).toEqual([undefined, {}])
})

test('what is kept and remembered is there for the next process, readable to its owner only', async () => {
  const folder = join(scratch(), 'state')
  const memory = { sequence: 7, digest: 'ab', refreshedMs: 12 }
  const before = folderStore(folder, 'main')
  await before.keep(Buffer.from('old'))
  await before.keep(Buffer.from('bytes'))
  await before.remember(memory)
  const after = folderStore(folder, 'main')
  expect(await after.last()).toEqual(Buffer.from('bytes'))
  expect(await after.memory()).toEqual(memory)
  expect(readdirSync(folder).sort()).toEqual(['main.json', 'main.tar.gz'])
  expect(statSync(join(folder, 'main.tar.gz')).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(folder, 'main.json'), 'utf8'))).toEqual({
    sequence: 7,
    digest: 'ab',
    refreshed_ms: 12,
  })
})

test.each(['', '{', '[]', '{"sequence":"7"}', '{"sequence":-1}', '{"sequence":1.5}', 'null'])(
  'a state file that says %j is an error, never a first start',
  async (text) => {
    const folder = scratch()
    writeFileSync(join(folder, 'main.json'), text)
    await expect(folderStore(folder, 'main').memory()).rejects.toThrow('main.json cannot be read')
  },
)

test('a state file that cannot be opened is an error, never a first start', async () => {
  const folder = scratch()
  mkdirSync(join(folder, 'main.json'))
  await expect(folderStore(folder, 'main').memory()).rejects.toThrow('EISDIR')
})

test('a kept file that grew beyond any bundle is not read', async () => {
  const folder = scratch()
  writeFileSync(join(folder, 'main.tar.gz'), '')
  truncateSync(join(folder, 'main.tar.gz'), archiveBytesMax + 1)
  await expect(folderStore(folder, 'main').last()).rejects.toThrow('larger')
})

test.each(['', '../x', 'a/b', '.hidden', 'a b', 'x'.repeat(101)])(
  'the name %j is refused',
  (name) => {
    expect(() => folderStore('/nowhere', name)).toThrow('is not letters')
  },
)

test.each<[string, number | undefined, Memory, string | undefined]>([
  ['anything after nothing', undefined, {}, undefined],
  ['a first number', 5, {}, undefined],
  ['a first number after unnumbered ones', 5, { digest: 'ab' }, undefined],
  ['a higher number', 6, { sequence: 5, digest: 'ab' }, undefined],
  ['zero after zero', 0, { sequence: 0, digest: 'ab' }, 'already used'],
  ['the same number for another bundle', 5, { sequence: 5, digest: 'ab' }, 'already used'],
  ['a lower number', 4, { sequence: 5, digest: 'ab' }, 'is older than 5'],
])('%s', async (_what, sequence, memory, why) => {
  const signed = await bundle('r', sequence === undefined ? {} : { sequence })
  const verified = await verifyBundle(signed, trust, { name: 'main' })
  const { sequence: _any, ...unnumbered } = verified
  const candidate = sequence === undefined ? unnumbered : verified
  const check = () => refuseRollback(candidate, memory)
  if (why === undefined) expect(check).not.toThrow()
  else expect(check).toThrow(why)
})

test('once bundles are numbered, one without a number is refused', async () => {
  const verified = await verifyBundle(await bundle(), trust, { name: 'main' })
  const { sequence: _any, ...unnumbered } = verified
  expect(() => refuseRollback(unnumbered, { sequence: 1 })).toThrow('no postern_sequence')
})

test('the bundle that ran last may run again', async () => {
  const verified = await verifyBundle(await bundle('r', { sequence: 3 }), trust, { name: 'main' })
  expect(() => refuseRollback(verified, { sequence: 3, digest: verified.digest })).not.toThrow()
})

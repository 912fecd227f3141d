/** Bundles cross between stock `opa` and us in both directions. `make setup` installs opa; without it these fail. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readArchive, writeArchive } from '../../bundles/archive.ts'
import { buildBundle } from '../../bundles/build.ts'
import { inspectBundle } from '../../bundles/inspect.ts'
import { packSigned, signBundle } from '../../bundles/sign.ts'
import { trustSet } from '../../bundles/trust.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import { ecPair, edit, files, type Pair, rsaPair, scratch } from './kit.ts'

const opa = new URL('../../.tools/opa', import.meta.url).pathname
const pairs: Readonly<Record<string, Pair>> = {
  RS256: rsaPair(),
  ES256: ecPair(),
  PS384: rsaPair(),
  ES512: ecPair('P-521'),
}
const policy = `package postern

decision := {"effect": "allow"} if input.rows < data.limits.rows
`
const awkward = `{"rows": 1e2, "list": [1.0, -0, 1E+2, 123456789012345678901234567890],
 "\\ud83d\\ude00": 1, "\\uffee": "<a>&\\u2028\\b\\u0001\\u007f/", "10": {}, "9": []}`

beforeAll(() => {
  expect(execFileSync(opa, ['version'], { encoding: 'utf8' })).toContain('Version')
})

/** A folder with one policy, awkward data, a test, and the keys of an algorithm. */
function project(algorithm: string, rego = policy) {
  const folder = scratch()
  mkdirSync(join(folder, 'src', 'postern'), { recursive: true })
  mkdirSync(join(folder, 'src', 'limits'))
  writeFileSync(join(folder, 'src', 'postern', 'decision.rego'), rego)
  writeFileSync(join(folder, 'src', 'postern', 'decision_test.rego'), 'package postern_test\n')
  writeFileSync(join(folder, 'src', 'limits', 'data.json'), awkward)
  const pair = pairs[algorithm] ?? ecPair()
  writeFileSync(join(folder, 'key.pem'), pair.private)
  writeFileSync(join(folder, 'pub.pem'), pair.public)
  return { folder, pair, source: join(folder, 'src') }
}

const build = ['build', '-t', 'wasm', '-e', 'postern/decision', '-o', 'b.tar.gz', '-b']

/** Whether stock opa accepts the signature of a bundle. */
function accepted(folder: string, bundle: Buffer, algorithm: string): boolean {
  writeFileSync(join(folder, 'ours.tar.gz'), bundle)
  const verifying = ['--verification-key', 'pub.pem', '--signing-alg', algorithm]
  const args = ['build', '-b', 'ours.tar.gz', ...verifying, '-o', 'checked.tar.gz']
  return spawnSync(opa, args, { cwd: folder }).status === 0
}

test.each(Object.keys(pairs))('what opa build signs with %s, we verify', async (algorithm) => {
  const { folder, pair } = project(algorithm)
  const signing = ['--signing-key', 'key.pem', '--signing-alg', algorithm, '-r', 'r7']
  execFileSync(opa, [...build, 'src', ...signing], { cwd: folder })
  const trust = trustSet({ keys: [{ id: 'default', algorithm, pem: pair.public }] })
  const bytes = readFileSync(join(folder, 'b.tar.gz'))
  const verified = await verifyBundle(bytes, trust, { name: 'main' })
  expect(verified.revision).toBe('r7')
  const list = [1, -0, 100, 123456789012345678901234567890n]
  expect(verified.data).toEqual({ limits: { ...JSON.parse(awkward), list } })
  const changed = await writeArchive(edit(await readArchive(bytes), 'data.json', '{}'))
  await expect(verifyBundle(changed, trust, { name: 'main' })).rejects.toThrow('data.json')
})

test('claims that opa build was given are honoured', async () => {
  const { folder, pair } = project('ES256')
  writeFileSync(join(folder, 'c.json'), '{"scope":"prod","postern_sequence":5,"exp":4000000000}')
  const signing = ['--signing-key', 'key.pem', '--signing-alg', 'ES256', '--claims-file', 'c.json']
  execFileSync(opa, [...build, 'src', ...signing], { cwd: folder })
  const trust = trustSet({ keys: [{ id: 'default', pem: pair.public }], scope: 'prod' })
  const bytes = readFileSync(join(folder, 'b.tar.gz'))
  const verified = await verifyBundle(bytes, trust, { name: 'main' })
  expect(verified).toMatchObject({ sequence: 5, expiresMs: 4e12 })
  const other = trustSet({ keys: [{ id: 'default', pem: pair.public }], scope: 'test' })
  await expect(verifyBundle(bytes, other, { name: 'main' })).rejects.toThrow('scope "prod"')
})

test.each(['RS256', 'ES256'])(
  'what opa sign signs with %s and tar packs, we verify',
  async (algorithm) => {
    const { folder, pair } = project(algorithm)
    execFileSync(opa, [...build, 'src'], { cwd: folder })
    mkdirSync(join(folder, 'out'))
    execFileSync('tar', ['xzf', '../b.tar.gz'], { cwd: join(folder, 'out'), stdio: 'ignore' })
    const signing = ['sign', '--signing-key', '../key.pem', '--signing-alg', algorithm, '-b', '.']
    execFileSync(opa, signing, { cwd: join(folder, 'out') })
    execFileSync('tar', ['czf', 'packed.tar.gz', '-C', 'out', '.'], { cwd: folder })
    const trust = trustSet({ keys: [{ id: 'any', algorithm, pem: pair.public }] })
    const bytes = readFileSync(join(folder, 'packed.tar.gz'))
    expect((await verifyBundle(bytes, trust, { name: 'main' })).data).toMatchObject({ limits: {} })
  },
)

test.each(Object.keys(pairs))('what we sign with %s, stock opa verifies', async (algorithm) => {
  const { folder, pair, source } = project(algorithm)
  const built = await buildBundle({ source, revision: 'r', opa })
  const signed = await packSigned(built, { pem: pair.private, algorithm })
  expect(accepted(folder, signed, algorithm)).toBe(true)
  const other = await signBundle(signed, {
    pem: (algorithm.startsWith('ES') ? ecPair('P-521') : rsaPair()).private,
  })
  expect(accepted(folder, other, algorithm)).toBe(false)
  const changed = await writeArchive(edit(await readArchive(signed), 'data.json', '{}'))
  expect(accepted(folder, changed, algorithm)).toBe(false)
})

test('a build leaves tests out, names files as in the source, and needs what it says', async () => {
  const { source } = project('ES256')
  const built = await buildBundle({ source, revision: 'abc', opa })
  expect(built.map(({ name }) => name).sort()).toEqual([
    '.manifest',
    'data.json',
    'policy.wasm',
    'postern/decision.rego',
  ])
  expect(await inspectBundle(await writeArchive(built))).toMatchObject({
    revision: 'abc',
    entrypoints: ['postern/decision'],
    builtins: [],
    signature: 'none',
  })
})

test('inspect names the builtins that the host must provide', async () => {
  const rego = 'package postern\n\ndecision := sprintf("%v", [time.now_ns()])\n'
  const { source } = project('ES256', rego)
  const built = await writeArchive(await buildBundle({ source, revision: 'r', opa }))
  expect((await inspectBundle(built)).builtins).toEqual(['sprintf', 'time.now_ns'])
})

test('two builds of the same source are the same bytes', async () => {
  const { source } = project('ES256')
  const once = await writeArchive(await buildBundle({ source, revision: 'r', opa }))
  expect(await writeArchive(await buildBundle({ source, revision: 'r', opa }))).toEqual(once)
})

test.each([
  'http.send({"method": "get", "url": "http://127.0.0.1"})',
  'opa.runtime()',
  'rand.intn("x", 3)',
])('a policy that calls %s is refused at build, by name', async (call) => {
  const { source } = project('ES256', `package postern\n\ndecision := ${call}\n`)
  const name = call.slice(0, call.indexOf('('))
  await expect(buildBundle({ source, revision: 'r', opa })).rejects.toThrow(
    `Gates do not provide ${name}`,
  )
})

test.each([
  ['no policy', 'package other\n', 'postern/decision'],
  ['a typing error', 'package postern\n\ndecision := x\n', 'unsafe'],
])('%s: what opa said is in the error', async (_what, rego, why) => {
  const { source } = project('ES256', rego)
  await expect(buildBundle({ source, revision: 'r', opa })).rejects.toThrow(why)
})

test('without opa the error says how to get it', async () => {
  const { source } = project('ES256')
  const missing = buildBundle({ source, revision: 'r', opa: '/nowhere/opa' })
  await expect(missing).rejects.toThrow('make setup')
  await expect(buildBundle({ source: '/nowhere', revision: 'r' })).rejects.toThrow('no folder')
})

test('files that no opa made are inspected as far as they go', async () => {
  const signed = await packSigned(edit(files(), 'policy.wasm'), {
    pem: ecPair().private,
    sequence: 3,
  })
  expect(await inspectBundle(signed)).toMatchObject({
    revision: 'r1',
    signature: 'ES256, key id default, sequence 3',
  })
  await expect(inspectBundle(await writeArchive(files()))).rejects.toThrow('ABI')
})

import { createHmac, createPublicKey, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { readArchive, writeArchive } from '../../bundles/archive.ts'
import { sha256 } from '../../bundles/digest.ts'
import { signatureFile } from '../../bundles/envelope.ts'
import { algorithms } from '../../bundles/keys.ts'
import { packSigned, signBundle } from '../../bundles/sign.ts'
import type { BundleFile } from '../../bundles/tar.ts'
import { type TrustOptions, trustSet } from '../../bundles/trust.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import {
  bundle,
  ecPair,
  edit,
  envelope,
  file,
  files,
  jwsOf,
  manifest,
  ours,
  rsaPair,
  trust,
} from './kit.ts'

const other = ecPair()
const rsa = rsaPair()
const verify = (bytes: Buffer, set = trust, nowMs?: number) =>
  verifyBundle(bytes, set, { name: 'main', ...(nowMs === undefined ? {} : { nowMs }) })
const trusting = (more: Partial<TrustOptions>) =>
  trustSet({ keys: [{ id: 'default', pem: ours.public }], ...more })

/** Signs any claims over any files with any header. */
async function forged(
  list: readonly BundleFile[],
  claims: (honest: Record<string, unknown>) => object,
  header: Record<string, unknown> = {},
): Promise<Buffer> {
  const signed = await readArchive(await packSigned(list, { pem: ours.private }))
  const honest = JSON.parse(Buffer.from(jwsOf(signed).split('.')[1] ?? '', 'base64url').toString())
  const head = encoded({ alg: 'ES256', kid: 'default', ...header })
  const body = `${head}.${encoded(claims(honest))}`
  const key = { key: ours.private, dsaEncoding: 'ieee-p1363' } as const
  const jws = `${body}.${sign('sha256', Buffer.from(body), key).toString('base64url')}`
  return writeArchive(edit(list, signatureFile, envelope(jws)))
}

async function tampered(change: (list: BundleFile[]) => BundleFile[]): Promise<Buffer> {
  return writeArchive(change(await readArchive(await bundle())))
}

test('a bundle of ours is verified, with all the gate needs', async () => {
  const bytes = await bundle('r9', { sequence: 7, expiresMs: 4e12 })
  expect(await verify(bytes)).toEqual({
    name: 'main',
    revision: 'r9',
    digest: sha256(bytes),
    sequence: 7,
    expiresMs: 4e12,
    entrypoint: 'postern/decision',
    wasm: Buffer.from('0061736d01000000', 'hex'),
    data: { limits: { rows: 1 } },
  })
})

test.each(algorithms)('%s signs and verifies', async (algorithm) => {
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm as string]
  const pair = curve === undefined ? rsa : ecPair(curve)
  const bytes = await bundle('r', { pem: pair.private, algorithm })
  const set = trustSet({ keys: [{ id: 'default', algorithm, pem: pair.public }] })
  expect((await verify(bytes, set)).revision).toBe('r')
})

test('reformatted JSON is the same bundle, a reformatted number is not', async () => {
  const spaced = await tampered((list) => edit(list, 'data.json', '{"limits":\n{"rows":1.0}}'))
  expect((await verify(spaced)).data).toEqual({ limits: { rows: 1 } })
  const number = await tampered((list) => edit(list, 'data.json', '{"limits":{"rows":1}}'))
  await expect(verify(number)).rejects.toThrow('data.json is not the one that was signed')
})

const delta = file('patch.json', '{"data":[]}')

test.each<[string, () => Promise<Buffer>, string]>([
  ['unsigned', () => writeArchive(files()), 'not signed'],
  ['an edited file', () => tampered((l) => edit(l, 'data.json', '{}')), 'data.json is not the one'],
  ['an edited module', () => tampered((l) => edit(l, 'policy.wasm', 'x')), 'policy.wasm is not'],
  ['an added file', () => tampered((l) => edit(l, 'x.rego', '')), 'x.rego is not in the signature'],
  ['a removed file', () => tampered((l) => edit(l, 'data.json')), 'missing from the bundle: data'],
  [
    'a renamed file',
    () =>
      tampered((l) =>
        edit(edit(l, 'postern/decision.rego'), 'postern/b.rego', 'package postern\n'),
      ),
    'postern/b.rego is not in the signature',
  ],
  [
    'the case of a name',
    () => tampered((l) => edit(edit(l, 'data.json'), 'Data.json', '{"limits": {"rows": 1.0}}')),
    'Data.json is not in the signature',
  ],
  ['an added patch', () => tampered((l) => [...l, delta]), 'patch.json is not in the signature'],
  ['a signed delta', () => packSigned([...files(), delta], { pem: ours.private }), 'delta'],
  ['an unsigned delta', () => writeArchive([delta]), 'not signed'],
  ['another key', () => bundle('r', { pem: other.private }), 'not made by a trusted key'],
  ['an unknown key id', () => bundle('r', { id: 'k9' }), '"k9", which is not trusted'],
  ['an expired one', () => bundle('r', { expiresMs: Date.now() - 1000 }), 'expired at'],
  ['one from the future', () => bundle('r', { nowMs: Date.now() + 3.6e6 }), 'in the future'],
  ['one not valid yet', () => forged(files(), (c) => ({ ...c, nbf: 4e9 })), 'not valid before'],
  ['an expiry as text', () => forged(files(), (c) => ({ ...c, exp: '4e9' })), 'exp: Invalid'],
  ['a sequence below zero', () => forged(files(), (c) => ({ ...c, postern_sequence: -1 })), 'seq'],
  ['a broken sequence', () => forged(files(), (c) => ({ ...c, postern_sequence: 1.5 })), 'seq'],
  ['no file list', () => forged(files(), () => ({})), 'files: Invalid'],
  ['another algorithm in the header', () => tampered(relabelled), 'not made by a trusted key'],
  ['no algorithm', () => tampered(bare), 'not made by a trusted key'],
  ['HMAC with the public key', () => tampered(hmac), 'not made by a trusted key'],
  ['a critical header', () => forged(files(), (c) => c, { crit: ['x'], x: 1 }), 'trusted key'],
  ['no JWS', () => tampered((l) => edit(l, signatureFile, envelope('abc'))), 'not a JWS'],
  [
    'no signature in the file',
    () => tampered((l) => edit(l, signatureFile, envelope([]))),
    '0 signatures',
  ],
  [
    'two signatures by one key',
    () => tampered((l) => edit(l, signatureFile, envelope([jwsOf(l), jwsOf(l)]))),
    '2 sig',
  ],
  [
    'another verifier',
    () => tampered((l) => edit(l, signatureFile, envelope(jwsOf(l), { plugin: 'mine' }))),
    'verifier "mine"',
  ],
  [
    'a signature file that is none',
    () => tampered((l) => edit(l, signatureFile, '[]')),
    'the form',
  ],
  [
    'a second signature file',
    () => tampered((l) => edit(l, 'a/.signatures.json', envelope(jwsOf(l)))),
    'a/.signatures.json',
  ],
  [
    'a file that ends like one',
    () => tampered((l) => edit(l, 'xsignatures.json', '{}')),
    'xsignatures.json',
  ],
])('%s is refused', async (_what, make, why) => {
  await expect(verify(await make())).rejects.toThrow(why)
})

test.each(['MD5', 'SHA-1', 'SHA-224', 'SHA-512-256', 'sha-256', '', '__proto__'])(
  'the file hash %s is refused',
  async (algorithm) => {
    const weak = forged(files(), ({ files: listed }) => ({
      files: (listed as object[]).map((one) => ({ ...one, algorithm })),
    }))
    await expect(verify(await weak)).rejects.toThrow('accepted: SHA-256, SHA-384, SHA-512')
  },
)

test('a file listed twice is refused', async () => {
  const twice = await forged(files(), ({ files: listed }) => ({
    files: [...(listed as object[]), ...(listed as object[])],
  }))
  await expect(verify(twice)).rejects.toThrow('lists a file twice')
})

test.each<[string, BundleFile[], string]>([
  ['no module', edit(files(), 'policy.wasm'), 'no policy.wasm'],
  ['no manifest', edit(files(), '.manifest'), 'the entrypoint postern/decision, and has none'],
  ['a second module', edit(files(), 'a/policy.wasm', 'x'), 'a/policy.wasm is a second module'],
  ['data in a folder', edit(files(), 'a/data.json', '{}'), 'only /data.json is read'],
  ['data in YAML', edit(files(), 'data.yaml', 'a: 1'), 'only /data.json is read'],
  ['data that is a list', edit(files(), 'data.json', '[]'), 'must hold an object'],
  ['a number beyond all', edit(files(), 'data.json', '{"a":1e999}'), '1e999 is too large'],
  ['a second manifest', edit(files(), '.manifest.pb', 'x'), 'second manifest'],
  ['another entrypoint', withEntry({ entrypoint: 'a/b', module: '/policy.wasm' }), 'and has a/b'],
  [
    'another module',
    withEntry({ entrypoint: 'postern/decision', module: '/x.wasm' }),
    'entrypoint',
  ],
  [
    'an entrypoint of another module',
    withManifest({
      wasm: [
        { entrypoint: 'postern/decision', module: '/policy.wasm' },
        { entrypoint: 'a', module: '/x.wasm' },
      ],
    }),
    'the entrypoint a is in /x.wasm',
  ],
  ['roots elsewhere', withManifest({ roots: ['limits'] }), 'no root covers postern/decision'],
  ['data outside the roots', withManifest({ roots: ['postern'] }), '"limits", which no root'],
  ['roots that overlap', withManifest({ roots: ['postern', 'postern/a', 'limits'] }), 'overlap'],
  ['the same root twice', withManifest({ roots: ['', ''] }), 'overlap'],
  ['roots that are no texts', withManifest({ roots: [1] }), '.manifest: roots.0'],
])('signed, but with %s: refused', async (_what, list, why) => {
  await expect(verify(await packSigned(list, { pem: ours.private }))).rejects.toThrow(why)
})

test('further entrypoints of the same module are for those who ask without a command', async () => {
  const list = withManifest({
    wasm: ['postern/decision', 'a'].map((entrypoint) => ({ entrypoint, module: '/policy.wasm' })),
  })
  const bundle = await verify(await packSigned(list, { pem: ours.private }))
  expect(bundle.entrypoint).toBe('postern/decision')
})

test('a root is compared by segments', async () => {
  const list = withManifest({ roots: ['postern', 'limit', 'limits'] })
  expect((await verify(await packSigned(list, { pem: ours.private }))).revision).toBe('r1')
})

test('scope and required claims are enforced when configured', async () => {
  const plain = await bundle()
  await expect(verify(plain, trusting({ scope: 'prod' }))).rejects.toThrow('scope "", this gate')
  await expect(verify(plain, trusting({ required: ['expiry'] }))).rejects.toThrow('no exp')
  const unnumbered = await forged(files(), ({ files: listed }) => ({ files: listed }))
  await expect(verify(unnumbered, trusting({ required: ['sequence'] }))).rejects.toThrow('sequence')
  const full = await bundle('r', { scope: 'prod', expiresMs: Date.now() + 1e6 })
  const strict = trusting({ scope: 'prod', required: ['sequence', 'expiry'] })
  expect((await verify(full, strict)).revision).toBe('r')
  await expect(verify(full, strict, Date.now() + 2e6)).rejects.toThrow('expired')
})

test('with several keys, a named one is used, and without a name each is tried', async () => {
  const keys = [
    { id: 'new', pem: other.public },
    { id: 'old', pem: ours.public },
  ]
  const both = trustSet({ keys })
  expect((await verify(await bundle('r', { id: 'old' }), both)).revision).toBe('r')
  await expect(verify(await bundle('r', { id: 'new' }), both)).rejects.toThrow('tried: new (ES256)')
  const unnamed = await forged(files(), (claims) => claims, { kid: undefined })
  expect((await verify(unnamed, both)).revision).toBe('r1')
})

test('signing again replaces the signature', async () => {
  const again = await signBundle(await bundle(), { pem: other.private, id: 'k' })
  const set = trustSet({ keys: [{ id: 'k', pem: other.public }] })
  expect((await verify(again, set)).revision).toBe('r1')
})

function withManifest(fields: object): BundleFile[] {
  return [...edit(files(), '.manifest'), manifest(fields)]
}

function withEntry(wasm: object): BundleFile[] {
  return withManifest({ wasm: [wasm] })
}

function relabelled(list: BundleFile[]): BundleFile[] {
  return rewrapped(list, { alg: 'RS256', kid: 'default' })
}

function bare(list: BundleFile[]): BundleFile[] {
  const [, payload] = jwsOf(list).split('.')
  return edit(list, signatureFile, envelope(`${encoded({ alg: 'none' })}.${payload}.`))
}

/** The classic confusion: the public key's text taken for an HMAC secret. */
function hmac(list: BundleFile[]): BundleFile[] {
  const [, payload] = jwsOf(list).split('.')
  const signed = `${encoded({ alg: 'HS256', kid: 'default' })}.${payload}`
  const secret = createPublicKey(ours.public).export({ type: 'spki', format: 'pem' })
  const mac = createHmac('sha256', secret).update(signed).digest('base64url')
  return edit(list, signatureFile, envelope(`${signed}.${mac}`))
}

function rewrapped(list: BundleFile[], header: object): BundleFile[] {
  const [, payload, signature] = jwsOf(list).split('.')
  return edit(list, signatureFile, envelope(`${encoded(header)}.${payload}.${signature}`))
}

function encoded(header: object): string {
  return Buffer.from(JSON.stringify(header)).toString('base64url')
}

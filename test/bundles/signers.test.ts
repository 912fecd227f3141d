import { expect, test } from 'vitest'
import { readArchive, writeArchive } from '../../bundles/archive.ts'
import { signatureFile, signaturesMax } from '../../bundles/envelope.ts'
import { describeBundle } from '../../bundles/inspect.ts'
import { privateKey } from '../../bundles/keys.ts'
import { addSignature, packSigned, type SignOptions } from '../../bundles/sign.ts'
import { signFiles } from '../../bundles/signature.ts'
import { trustSet } from '../../bundles/trust.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import { ecPair, edit, envelope, files, jwsOf, type Pair } from './kit.ts'

const pairs: Readonly<Record<string, Pair>> = { a: ecPair(), b: ecPair('P-384'), c: ecPair() }
const pemOf = (id: string): string => pairs[id]?.private ?? ''

/** A bundle signed by these keys in this order. */
async function signedBy(ids: string, more: Partial<SignOptions> = {}): Promise<Buffer> {
  const [first = '', ...others] = ids
  let bundle = await packSigned(files(), { pem: pemOf(first), id: first, sequence: 7, ...more })
  for (const id of others) bundle = await addSignature(bundle, { pem: pemOf(id), id })
  return bundle
}

const trusting = (ids: string, signaturesMin = 1) =>
  trustSet({ keys: [...ids].map((id) => ({ id, pem: pairs[id]?.public ?? '' })), signaturesMin })

const name = { name: 'main' }

test.each([
  ['a', 'a', 1],
  ['ab', 'a', 1],
  ['ab', 'b', 1],
  ['ab', 'ab', 2],
  ['ba', 'ab', 2],
  ['abc', 'ab', 2],
  ['abc', 'abc', 3],
  ['ac', 'abc', 2],
])('signed by %s, trusted %s, %i must sign: accepted', async (by, trusted, least) => {
  const bundle = await signedBy(by, { expiresMs: 4e12, scope: 's' })
  const verified = await verifyBundle(bundle, trusting(trusted, least), name)
  expect(verified).toMatchObject({ sequence: 7, expiresMs: 4e12, revision: 'r1' })
})

test.each([
  ['a', 'ab', 2, 'signed by a, and 2 of a, b must sign it'],
  ['ac', 'ab', 2, 'signed by a, and 2 of a, b must sign it'],
  ['ab', 'c', 1, 'the key id "a" and "b", which is not trusted'],
  ['abc', 'abc', 4, '4 keys must sign, and only 3 are trusted'],
  ['a', 'a', 0, 'a whole number from 1'],
])('signed by %s, trusted %s, %i must sign: refused', async (by, trusted, least, why) => {
  const bundle = await signedBy(by)
  const tried = async () => verifyBundle(bundle, trusting(trusted, least), name)
  await expect(tried()).rejects.toThrow(why)
})

test('a key is replaced without a moment in which no bundle is accepted', async () => {
  const [old, both, next] = await Promise.all([signedBy('a'), signedBy('ab'), signedBy('b')])
  const accepts = (bundle: Buffer, trusted: string): Promise<boolean> =>
    verifyBundle(bundle, trusting(trusted), name).then(
      () => true,
      () => false,
    )
  // Either the gates learn the new key first, or the bundles carry both signatures first.
  expect(await accepts(old, 'ab')).toBe(true)
  expect(await accepts(next, 'ab')).toBe(true)
  expect(await accepts(both, 'a')).toBe(true)
  expect(await accepts(both, 'b')).toBe(true)
  expect(await accepts(old, 'b')).toBe(false)
})

/** The files with a second signature that says something else. */
async function stretched(claims: object): Promise<Buffer> {
  const first = await readArchive(await signedBy('a', { expiresMs: 4e12, scope: 's' }))
  const said = { iat: 1, postern_sequence: 7, exp: 4e9, scope: 's', ...claims }
  const signing = {
    key: privateKey(pemOf('b')),
    id: 'b',
    algorithm: 'ES384',
    claims: said,
  } as const
  return writeArchive(await signFiles(first, { ...signing, beside: [jwsOf(first)] }))
}

test.each([
  [{ postern_sequence: 8 }, 'postern_sequence'],
  [{ exp: 4e9 + 1 }, 'exp'],
  [{ scope: 'other' }, 'scope'],
  [{ nbf: 1 }, 'nbf'],
])('signers who disagree (%j) have not signed together', async (claims, what) => {
  const bundle = await stretched(claims)
  await expect(verifyBundle(bundle, trusting('ab', 2), name)).rejects.toThrow(`disagree on ${what}`)
  // Who is not trusted cannot stretch anything either.
  expect(await verifyBundle(bundle, trusting('a'), name)).toMatchObject({ sequence: 7 })
})

test('a second signature over other files does not count', async () => {
  const two = await readArchive(await signedBy('ab'))
  const changed = await writeArchive(edit(two, 'data.json', '{}'))
  await expect(verifyBundle(changed, trusting('ab', 2), name)).rejects.toThrow('data.json')
})

test('more signatures than the limit are refused before any is checked', async () => {
  const one = await readArchive(await signedBy('a'))
  const many = envelope(Array.from({ length: signaturesMax + 1 }, () => jwsOf(one)))
  const bundle = await writeArchive(edit(one, signatureFile, many))
  await expect(verifyBundle(bundle, trusting('a'), name)).rejects.toThrow(`1 to ${signaturesMax}`)
})

test('a key signs once, and inspect names all signers', async () => {
  const two = await signedBy('ab')
  await expect(addSignature(two, { pem: pemOf('c'), id: 'b' })).rejects.toThrow('already')
  expect(await describeBundle(two)).toBe(
    'revision r1, ES256, key id a, ES384, key id b, sequence 7',
  )
})

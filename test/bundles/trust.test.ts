import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { trustSet } from '../../bundles/trust.ts'
import { ecPair, ours, rsaPair } from './kit.ts'

const demo = readFileSync(new URL('../../bundles/demo/demo.pub.pem', import.meta.url), 'utf8')
const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

test('the demo key is refused, however it is named, unless the trust says demo', () => {
  const keys = [{ id: 'mine', pem: `a comment\n${demo}` }]
  expect(() => trustSet({ keys })).toThrow('demo key, whose private half is published')
  expect(trustSet({ keys, demo: true }).keys).toHaveLength(1)
})

test.each([
  ['no keys', [], 'no key is trusted'],
  ['a private key', [{ id: 'k', pem: ours.private }], 'private key: give the public one'],
  ['a certificate', [{ id: 'k', pem: certificate }], 'certificate'],
  ['a shared secret', [{ id: 'k', pem: 'secret' }], 'not a public key'],
  ['HMAC', [{ id: 'k', algorithm: 'HS256', pem: ours.public }], 'HS256 is not accepted'],
  ['no algorithm at all', [{ id: 'k', algorithm: 'none', pem: ours.public }], 'not accepted'],
  ['a wrong algorithm', [{ id: 'k', algorithm: 'RS256', pem: ours.public }], 'does not fit'],
  ['a wrong curve', [{ id: 'k', algorithm: 'ES384', pem: ours.public }], 'does not fit'],
  ['a short RSA key', [{ id: 'k', pem: rsaPair(1024).public }], '1024 bits'],
  ['a key OPA cannot use', [{ id: 'k', pem: String(ed25519) }], 'must be RSA or'],
  ['an unusual curve', [{ id: 'k', pem: ecPair('secp256k1').public }], 'must be RSA or'],
  [
    'one id for two keys',
    [
      { id: 'k', pem: ours.public },
      { id: 'k', pem: ecPair().public },
    ],
    'two keys have the id k',
  ],
  [
    'one key twice',
    [
      { id: 'a', pem: ours.public },
      { id: 'b', pem: ours.public },
    ],
    'listed twice',
  ],
])('%s: refused', (_what, keys, why) => {
  expect(() => trustSet({ keys })).toThrow(why)
})

test('every problem is in one error, and no key text is', () => {
  const keys = [
    { id: 'a', pem: ours.private },
    { id: 'b', algorithm: 'HS512', pem: ours.public },
  ]
  const problem = (() => {
    try {
      return String(trustSet({ keys }))
    } catch (error) {
      return String(error)
    }
  })()
  expect(problem).toMatch(/key a: .*key b: /)
  expect(problem).not.toContain(ours.private.split('\n')[1])
})

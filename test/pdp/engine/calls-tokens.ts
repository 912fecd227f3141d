/** Calls of `io.jwt.*` with keys made for this run. */
import {
  constants,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { generate } from 'selfsigned'
import type { Call } from './calls.ts'

type Claims = Readonly<Record<string, unknown>>

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const edwards = generateKeyPairSync('ed25519')
const made = await generate([{ name: 'commonName', value: 'test' }], { keySize: 2048 })

const claims = { sub: 'ann', iss: 'https://id', aud: ['a', 'b'], exp: 2_000_000_000, nbf: 1000 }
const secret = 'correct horse battery staple correct horse battery staple correct horse'
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const jwk = (key: KeyObject, more: Claims = {}): Claims => ({
  ...key.export({ format: 'jwk' }),
  ...more,
})
const text = (value: unknown): string => JSON.stringify(value)
const set = (...keys: readonly Claims[]): string => JSON.stringify({ keys })

const signers: readonly (readonly [
  alg: string,
  pair: { publicKey: KeyObject; privateKey: KeyObject },
])[] = [
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', p256],
  ['ES384', p384],
  ['ES512', p521],
  ['EdDSA', edwards],
]

const rs256 = token({ alg: 'RS256', kid: 'k1' }, claims, rsa.privateKey)
const hs256 = token({ alg: 'HS256' }, claims)
const within = token({ alg: 'HS256', cty: 'JWT' }, hs256)
const certified = token({ alg: 'RS256' }, claims, createPrivateKey(made.private))

/** What each verifier says of good and bad signatures, keys of all forms, and what is no token. */
export const tokenCalls: readonly Call[] = [
  ...signers.flatMap(([alg, { publicKey, privateKey }]) =>
    calls(`io.jwt.verify_${alg.toLowerCase()}`, [
      [token({ alg }, claims, privateKey), pem(publicKey)],
      [token({ alg }, claims, privateKey), text(jwk(publicKey))],
      [token({ alg }, claims, privateKey), set(jwk(publicKey, { alg }))],
      [token({ alg }, claims, privateKey), set(jwk(publicKey, { alg: 'HS256' }))],
      [token({ alg }, claims, privateKey), set(jwk(publicKey, { alg: 'XX1' }))],
      [token({ alg, kid: 'b' }, claims, privateKey), set(jwk(publicKey, { kid: 'a' }))],
      [altered(token({ alg }, claims, privateKey)), pem(publicKey)],
      [token({ alg }, claims, privateKey), pem(other.publicKey)],
      [token({ alg }, claims, privateKey), pem(edwards.publicKey)],
      [token({ alg: 'none' }, claims, privateKey), pem(publicKey)],
    ]),
  ),
  ...calls('io.jwt.verify_rs256', [
    [rs256, set(jwk(other.publicKey, { kid: 'k1' }), jwk(rsa.publicKey, { kid: 'k2' }))],
    [rs256, set(jwk(other.publicKey, { kid: 'k2' }), jwk(rsa.publicKey, { kid: 'k1' }))],
    [rs256, set(jwk(other.publicKey, { kid: 'k2' }), jwk(rsa.publicKey, { kid: 'k3' }))],
    [rs256, set(jwk(rsa.publicKey, { alg: 'RSA-OAEP' }), jwk(rsa.publicKey))],
    [rs256, set(jwk(rsa.publicKey, { alg: 'RSA-OAEP' }))],
    [rs256, set()],
    [rs256, set(jwk(rsa.privateKey))],
    [rs256, '{"kty":"oct","k":"c2VjcmV0"}'],
    [rs256, '{}'],
    [rs256, 'nonsense'],
    [rs256, ''],
    [rs256, `${pem(rsa.publicKey)}more`],
    [rs256, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    [certified, made.cert.trim()],
    [certified, `${made.cert.trim()}\n`],
    [rs256, made.cert.trim()],
    ['a.b.c', pem(rsa.publicKey)],
    ['', pem(rsa.publicKey)],
    [token({ alg: 'RS256', enc: 'A128GCM' }, claims, rsa.privateKey), pem(rsa.publicKey)],
    [token({ alg: 5 }, claims, rsa.privateKey), pem(rsa.publicKey)],
  ]),
  ...['256', '384', '512'].flatMap((bits) =>
    calls(`io.jwt.verify_hs${bits}`, [
      [token({ alg: `HS${bits}` }, claims), secret],
      [altered(token({ alg: `HS${bits}` }, claims)), secret],
      [token({ alg: `HS${bits}` }, claims), 'other'],
      [rs256, secret],
      ['a.b', secret],
      ['a.b.$', secret],
    ]),
  ),
  ...verify(hs256, [
    { secret },
    { secret, aud: 'a' },
    { secret, aud: 'b', time: 1_500_000_000_000_000_000 },
    { secret, aud: 'c', time: 1_500_000_000_000_000_000 },
    { secret, aud: 'a', iss: 'https://id', time: 1_500_000_000_000_000_000 },
    { secret, aud: 'a', iss: 'https://other', time: 1_500_000_000_000_000_000 },
    { secret, aud: 'a', time: 2_000_000_000_000_000_000 },
    { secret, aud: 'a', time: 1_999_999_999_999_000_000 },
    { secret, aud: 'a', time: 999_000_000_000 },
    { secret, aud: 'a', time: 1_000_000_000_000 },
    { secret, aud: 'a', time: -1 },
    { secret, aud: 'a', time: 'now' },
    { secret, aud: 'a', alg: 'HS256' },
    { secret, aud: 'a', alg: 'HS512' },
    { secret: 'other', aud: 'a' },
    { secret, cert: pem(rsa.publicKey), aud: 'a' },
    { aud: 'a' },
    { secret, aud: 'a', other: 1 },
    { cert: pem(rsa.publicKey), aud: 'a' },
    { cert: set(), aud: 'a' },
  ]),
  ...verify(rs256, [
    { cert: pem(rsa.publicKey), aud: 'a', alg: 'RS256' },
    { cert: pem(rsa.publicKey), aud: 'a', alg: 'RS512' },
    { cert: set(jwk(rsa.publicKey, { kid: 'k1' })), aud: 'a' },
    { cert: pem(other.publicKey), aud: 'a' },
    { secret: pem(rsa.publicKey), aud: 'a' },
  ]),
  ...verify(within, [{ secret, aud: 'a' }]),
  ...verify(token({ alg: 'HS256' }, { exp: 'soon' }), [{ secret }]),
  ...verify(token({ alg: 'HS256' }, { nbf: 'soon' }), [{ secret }]),
  ...verify(token({ alg: 'HS256' }, {}), [{ secret }, { secret, aud: 'a' }, { secret, iss: 'x' }]),
  ...verify(token({ alg: 'HS256', crit: ['b64'], b64: false }, {}), [{ secret }]),
  ...verify(token({ alg: 'HS256', crit: ['b64'] }, {}), [{ secret }]),
  ...verify(token({ alg: 'HS256', crit: [] }, {}), [{ secret }]),
  ...verify(token({ alg: 'HS256', crit: 'b64' }, {}), [{ secret }]),
  ...verify(token({}, {}), [{ secret }]),
  ...verify(token({ alg: 'none' }, {}), [{ secret }]),
  ...verify('a.b.c', [{ secret }]),
]

function calls(name: string, args: readonly (readonly [string, string])[]): readonly Call[] {
  return args.map((operands) => [name, operands.map((one) => JSON.stringify(one)).join(', ')])
}

function verify(signed: string, rules: readonly Claims[]): readonly Call[] {
  return rules.map((rule) => ['io.jwt.decode_verify', `"${signed}", ${JSON.stringify(rule)}`])
}

function token(header: Claims, payload: unknown, key?: KeyObject): string {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const data = `${segment(JSON.stringify(header))}.${segment(body)}`
  const alg = String(header['alg'] ?? 'HS256')
  const hash = `sha${/\d{3}/.exec(alg)?.[0] ?? '256'}`
  if (key === undefined)
    return `${data}.${createHmac(hash, secret).update(data).digest('base64url')}`
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }
  const options = alg.startsWith('PS') ? pss : { dsaEncoding: 'ieee-p1363' as const }
  const bytes = sign(
    alg === 'EdDSA' || key.asymmetricKeyType === 'ed25519' ? null : hash,
    Buffer.from(data),
    { key, ...options },
  )
  return `${data}.${bytes.toString('base64url')}`
}

function altered(signed: string): string {
  const [header = '', , signature = ''] = signed.split('.')
  return `${header}.${segment('{"sub":"bob"}')}.${signature}`
}

function segment(value: string): string {
  return Buffer.from(value).toString('base64url')
}

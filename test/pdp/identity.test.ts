import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CompactEncrypt,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { asymmetricAlgorithms, type IdentityParts, identity } from '../../pdp/identity.ts'
import { refusalFrom } from './kit.ts'

const issuer = 'https://issuer.test'
const folder = mkdtempSync(join(tmpdir(), 'postern-identity-'))
const jwksFile = join(folder, 'jwks.json')
const pair = await generateKeyPair('ES256')
const other = await generateKeyPair('ES256')

async function jwks(key: CryptoKey, kid = 'k1'): Promise<string> {
  return JSON.stringify({ keys: [{ ...(await exportJWK(key)), kid, alg: 'ES256' }] })
}

/** A second key of the issuer, of an algorithm that is not accepted here. */
const stray = await generateKeyPair('EdDSA')

beforeAll(async () => {
  const { keys } = JSON.parse(await jwks(pair.publicKey))
  const second = { ...(await exportJWK(stray.publicKey)), kid: 'k3', alg: 'EdDSA' }
  writeFileSync(jwksFile, JSON.stringify({ keys: [...keys, second] }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const nowS = 1_800_000_000
const parts: IdentityParts = {
  issuer,
  audience: 'postern',
  algorithms: ['ES256'],
  jwksFile,
  claims: { type: 'kind', run: 'run_id', pass: ['team'] },
  now: () => nowS * 1000,
}
const whole = { iss: issuer, aud: 'postern', sub: 'alice', exp: nowS + 600 }

function signed(
  claims: Record<string, unknown> = {},
  { key = pair.privateKey, kid = 'k1', typ }: { key?: CryptoKey; kid?: string; typ?: string } = {},
): Promise<string> {
  const payload = { ...whole, ...claims } as JWTPayload
  const header = { alg: 'ES256', kid, ...(typ === undefined ? {} : { typ }) }
  return new SignJWT(payload).setProtectedHeader(header).sign(key)
}

const identify = (token: string, change: Partial<IdentityParts> = {}) =>
  identity({ ...parts, ...change }).identify(token)

describe('a token that is accepted', () => {
  test('says who it speaks for and until when', async () => {
    const found = await identify(
      await signed({ groups: ['a', 'b'], email: 'a@b.c', secret: 1, team: 'x' }),
    )
    expect(found).toEqual({
      subject: {
        id: 'alice',
        type: 'human',
        issuer,
        groups: ['a', 'b'],
        claims: { email: 'a@b.c', team: 'x' },
        actor: null,
      },
      expiresMs: (nowS + 630) * 1000,
    })
  })

  test.each<[string, Record<string, unknown>, object]>([
    ['no groups', {}, { groups: [], type: 'human' }],
    ['several audiences', { aud: ['other', 'postern'] }, { id: 'alice' }],
    ['its own client as subject (azp)', { azp: 'alice' }, { type: 'service' }],
    ['its own client as subject (client_id)', { client_id: 'alice' }, { type: 'service' }],
    ['a type', { kind: 'agent', azp: 'alice' }, { type: 'agent' }],
    [
      'an actor',
      { act: { sub: 'bot' } },
      { actor: { id: 'bot', type: 'agent', attested: true, actor: null } },
    ],
    [
      'an actor with type and run',
      { act: { sub: 'ci', kind: 'service', run_id: 'r1' } },
      { actor: { type: 'service', run: 'r1' } },
    ],
    ['the run of its actor', { act: { sub: 'bot' }, run_id: 'r2' }, { actor: { run: 'r2' } }],
    [
      'three actors',
      { act: { sub: 'a', act: { sub: 'b', act: { sub: 'c' } } } },
      { actor: { id: 'a', actor: { id: 'b', actor: { id: 'c', actor: null } } } },
    ],
    ['a clock that is 30 seconds off', { exp: nowS - 29 }, { id: 'alice' }],
  ])('with %s', async (_, claims, subject) => {
    expect(await identify(await signed(claims))).toMatchObject({ subject })
  })

  test('with groups inside another claim', async () => {
    const token = await signed({ realm_access: { roles: ['dba'] } })
    const claims = { groups: ['realm_access', 'roles'] }
    expect(await identify(token, { claims })).toMatchObject({ subject: { groups: ['dba'] } })
  })

  test('with the type of token that is asked for', async () => {
    const token = await signed({}, { typ: 'at+jwt' })
    expect(await identify(token, { typ: 'at+jwt' })).toMatchObject({ subject: { id: 'alice' } })
  })
})

describe('invariant 11: an identity that is absent, empty or odd is refused', () => {
  test.each<[string, Record<string, unknown>]>([
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a blank subject', { sub: ' \t' }],
    ['a subject that is no text', { sub: 7 }],
    ['a subject with a line end', { sub: 'alice\nroot' }],
    ['a subject with half a character', { sub: '\ud800' }],
    ['a long subject', { sub: 'x'.repeat(256) }],
    ['groups that are text', { groups: 'admins' }],
    ['groups that are null', { groups: null }],
    ['groups that are an object', { groups: { admins: true } }],
    ['a group that is no text', { groups: ['a', 1] }],
    ['an empty group', { groups: [''] }],
    ['too many groups', { groups: Array.from({ length: 1001 }, (_, n) => `${n}`) }],
    ['an unknown type', { kind: 'root' }],
    ['a type that is no text', { kind: ['human'] }],
    ['an actor that is text', { act: 'bot' }],
    ['an actor that is null', { act: null }],
    ['an actor that is a list', { act: [{ sub: 'bot' }] }],
    ['an actor without a subject', { act: {} }],
    ['an actor with an empty subject', { act: { sub: '' } }],
    ['an actor of an unknown type', { act: { sub: 'bot', kind: 'god' } }],
    ['an inner actor without a subject', { act: { sub: 'a', act: {} } }],
    ['four actors', { act: { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd' } } } } }],
    ['an empty run', { act: { sub: 'bot', run_id: '' } }],
    ['large claims', { team: 'x'.repeat(9000) }],
  ])('%s', async (_, claims) => {
    const refusal = await refusalFrom(async () => identify(await signed(claims)))
    expect(refusal.code).toBe('identity_incomplete')
  })
})

describe('a token that is not accepted', () => {
  const hmac = (key: string): Promise<string> =>
    new SignJWT(whole).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(Buffer.from(key))
  const none = (): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'none' })}.${part(whole)}.`
  }
  const strayed = (): Promise<string> =>
    new SignJWT(whole).setProtectedHeader({ alg: 'EdDSA', kid: 'k3' }).sign(stray.privateKey)
  const encrypted = (): Promise<string> =>
    new CompactEncrypt(Buffer.from(JSON.stringify(whole)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(new Uint8Array(32))
  const torn = async (): Promise<string> => {
    const [header, , signature] = (await signed()).split('.')
    const forged = Buffer.from(JSON.stringify({ ...whole, sub: 'root' })).toString('base64url')
    return `${header}.${forged}.${signature}`
  }

  test.each<[string, () => string | Promise<string>, string]>([
    ['nothing', () => '', 'token_missing'],
    ['a password', () => 'hunter2', 'token_invalid'],
    ['three words', () => 'a.b.c', 'token_invalid'],
    ['a token with a line end', async () => `${await signed()}\n`, 'token_invalid'],
    ['a token with padding', async () => `${await signed()}==`, 'token_invalid'],
    ['a huge token', () => signed({ pad: 'x'.repeat(16_384) }), 'token_invalid'],
    ['an expired token', () => signed({ exp: nowS - 31 }), 'token_expired'],
    ['a token without an end', () => signed({ exp: undefined }), 'token_invalid'],
    ['a token with an odd end', () => signed({ exp: 'never' }), 'token_invalid'],
    ['a token for later', () => signed({ nbf: nowS + 60 }), 'token_invalid'],
    ['another audience', () => signed({ aud: 'postern2' }), 'token_invalid'],
    ['other audiences', () => signed({ aud: ['a', 'b'] }), 'token_invalid'],
    ['no audience', () => signed({ aud: undefined }), 'token_invalid'],
    ['another issuer', () => signed({ iss: 'https://issuer.test/' }), 'token_invalid'],
    ['no issuer', () => signed({ iss: undefined }), 'token_invalid'],
    ['another key', () => signed({}, { key: other.privateKey }), 'token_invalid'],
    ['an unknown key id', () => signed({}, { kid: 'k9' }), 'token_invalid'],
    ['an algorithm that is not accepted', strayed, 'token_invalid'],
    ['a changed payload', torn, 'token_invalid'],
    ['no signature', none, 'token_invalid'],
    ['the public key as a password', async () => hmac(await jwks(pair.publicKey)), 'token_invalid'],
    ['an encrypted token', encrypted, 'token_invalid'],
  ])('%s', async (_, make, code) => {
    const token = await make()
    const refusal = await refusalFrom(() => identify(token))
    expect(refusal.code).toBe(code)
    if (token !== '') expect(refusal.message).not.toContain(token)
  })

  test('anything cut out of a token or changed in it', async () => {
    const token = await signed()
    const { identify } = identity(parts)
    // The last character has bits that belong to no byte of the signature.
    for (let at = 0; at < token.length - 1; at += 7) {
      const changed = token[at] === 'A' ? 'B' : 'A'
      for (const odd of [token.slice(0, at), token.slice(0, at) + changed + token.slice(at + 1)]) {
        const refusal = await refusalFrom(() => identify(odd))
        expect(refusal.code).toMatch(/^token_(invalid|missing)$/)
      }
    }
  })

  test.each([undefined, 'JWT', 'dpop+jwt'])('type %s where another is asked for', async (typ) => {
    const token = await signed({}, typ === undefined ? {} : { typ })
    const refusal = await refusalFrom(() => identify(token, { typ: 'at+jwt' }))
    expect(refusal.code).toBe('token_invalid')
  })
})

describe('a JWKS file', () => {
  test('is read again when it changes', async () => {
    const path = join(folder, 'changing.json')
    writeFileSync(path, await jwks(pair.publicKey))
    const { identify } = identity({ ...parts, jwksFile: path })
    const [mine, theirs] = [await signed(), await signed({}, { key: other.privateKey, kid: 'k22' })]
    expect(await identify(mine)).toMatchObject({ subject: { id: 'alice' } })
    writeFileSync(path, await jwks(other.publicKey, 'k22'))
    expect(await refusalFrom(() => identify(mine))).toMatchObject({ code: 'token_invalid' })
    expect(await identify(theirs)).toMatchObject({ subject: { id: 'alice' } })
    rmSync(path)
    expect(await refusalFrom(() => identify(theirs))).toMatchObject({ code: 'issuer_unavailable' })
  })

  test.each(['', '{', '[]', '{"keys":7}', ' '.repeat(1024 * 1024 + 1)])(
    'of wrong form is no key (%#)',
    async (text) => {
      const path = join(folder, 'wrong.json')
      writeFileSync(path, text)
      const token = await signed()
      const refusal = await refusalFrom(() => identify(token, { jwksFile: path }))
      expect(refusal.code).toBe('issuer_unavailable')
    },
  )
})

describe('a configuration that would accept too much is a mistake', () => {
  test.each<[string, Partial<IdentityParts>, string]>([
    ['no issuer', { issuer: '' }, 'issuer'],
    ['no audience', { audience: '' }, 'audience'],
    ['no algorithm', { algorithms: [] }, 'algorithm'],
    ['a shared secret', { algorithms: ['ES256', 'HS256'] }, 'HS256'],
    ['no signature', { algorithms: ['none'] }, 'none'],
    ['a wide skew', { clockSkewS: 301 }, 'clock skew'],
    ['a skew that is no number', { clockSkewS: Number.NaN }, 'clock skew'],
    ['plain http', { jwksFile: undefined, issuer: 'http://issuer.test' } as never, 'https'],
    ['a query', { jwksFile: undefined, issuer: 'https://issuer.test?a' } as never, 'query'],
  ])('%s', (_, change, words) => {
    expect(() => identity({ ...parts, ...change })).toThrow(words)
  })

  test('every algorithm on the list is asymmetric', () => {
    expect(
      asymmetricAlgorithms.filter((name) => !/^((RS|PS|ES)\d{3}|EdDSA|Ed25519)$/.test(name)),
    ).toEqual([])
  })
})

describe('discovery', () => {
  let huge = ''
  beforeAll(async () => {
    huge = (await jwks(pair.publicKey)) + ' '.repeat(1024 * 1024)
  })
  type Answers = { discovery?: (base: string) => unknown; keys?: () => unknown; status?: number }
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  async function serve(answers: Answers) {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(request.url ?? '')
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const found =
        request.url !== '/keys'
          ? (answers.discovery ?? ((at) => ({ issuer: at, jwks_uri: `${at}/keys` })))(base)
          : answers.keys?.()
      response.statusCode = request.url?.startsWith('/.well') ? (answers.status ?? 200) : 200
      if (response.statusCode === 302) response.setHeader('location', `${base}/elsewhere`)
      response.end(typeof found === 'string' ? found : JSON.stringify(found))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    servers.push(server)
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { jwksFile: _, ...rest } = parts
    return { base, seen, parts: { ...rest, issuer: base } satisfies IdentityParts }
  }

  test('finds the keys, once for all who ask', async () => {
    const text = await jwks(pair.publicKey)
    const { base, seen, parts } = await serve({ keys: () => text })
    const { identify } = identity(parts)
    const token = await signed({ iss: base })
    const all = await Promise.all([identify(token), identify(token), identify(token)])
    expect(all).toHaveLength(3)
    await identify(token)
    expect(seen.sort()).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  test('finds a key that was added, after the cooldown', async () => {
    let text = await jwks(pair.publicKey)
    const { base, parts } = await serve({ keys: () => text })
    const { identify } = identity({ ...parts, http: { cooldownMs: 0 } })
    await identify(await signed({ iss: base }))
    text = await jwks(other.publicKey, 'k2')
    const token = await signed({ iss: base }, { key: other.privateKey, kid: 'k2' })
    expect(await identify(token)).toMatchObject({ subject: { id: 'alice' } })
  })

  test.each<[string, Answers]>([
    [
      'names another issuer',
      { discovery: (at) => ({ issuer: 'https://evil.test', jwks_uri: `${at}/keys` }) },
    ],
    ['names no keys', { discovery: (at) => ({ issuer: at }) }],
    [
      'names keys in the clear',
      { discovery: (at) => ({ issuer: at, jwks_uri: 'http://keys.test/' }) },
    ],
    ['names keys nowhere', { discovery: (at) => ({ issuer: at, jwks_uri: 'nowhere' }) }],
    ['is not JSON', { discovery: () => '<html>' }],
    ['is null', { discovery: () => null }],
    [
      'is too large',
      { discovery: (at) => ({ issuer: at, jwks_uri: `${at}/keys`, pad: ' '.repeat(1024 * 1024) }) },
    ],
    ['fails', { status: 503 }],
    ['leads elsewhere', { status: 302 }],
    ['has keys that are not JSON', { keys: () => '<html>' }],
    ['has keys of another form', { keys: () => '{"keys":"html"}' }],
    ['has keys that are too large', { keys: () => huge }],
  ])('that %s gives no identity', async (_, answers) => {
    const text = await jwks(pair.publicKey)
    const { base, parts } = await serve({ keys: () => text, ...answers })
    const token = await signed({ iss: base })
    const refusal = await refusalFrom(() => identity(parts).identify(token))
    expect(refusal.code).toBe('issuer_unavailable')
    expect(refusal.message).not.toContain('html')
  })

  test('that failed is not tried again before the cooldown is over', async () => {
    let nowMs = nowS * 1000
    const text = await jwks(pair.publicKey)
    const answers: Answers = { keys: () => text, status: 503 }
    const { base, seen, parts } = await serve(answers)
    const { identify } = identity({ ...parts, now: () => nowMs })
    const token = await signed({ iss: base })
    for (const _ of [1, 2, 3]) await refusalFrom(() => identify(token))
    expect(seen).toHaveLength(1)
    answers.status = 200
    nowMs += 30_000
    expect(await identify(token)).toMatchObject({ subject: { id: 'alice' } })
  })
})

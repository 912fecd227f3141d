import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { identity } from '../../pdp/identity.ts'
import type { Identity } from '../../pdp/parts.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { scratch } from '../bundles/kit.ts'
import { alice } from '../pdp/kit.ts'
import { type Ground, mark } from './ground.ts'
import { type Stand, stand } from './stand.ts'
import { dialled } from './transport.ts'

const issuer = 'https://issuer.test'

type Keys = Awaited<ReturnType<typeof generateKeyPair>>

/** Invariant 11: absent or empty identity is a denial on every protocol. */
export function identities(ground: Ground): void {
  const { fixture } = ground
  const name = 'invariant 11: absent, empty or wrong identity is a denial'
  let keys: Keys
  let others: Keys
  beforeAll(async () => {
    keys = await generateKeyPair('ES256')
    others = await generateKeyPair('ES256')
  })

  async function real(): Promise<Identity> {
    const jwksFile = join(scratch(), 'jwks.json')
    const key = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES256' }
    writeFileSync(jwksFile, JSON.stringify({ keys: [key] }))
    return identity({ issuer, audience: 'postern', algorithms: ['ES256'], jwksFile })
  }

  function token(change: Change = {}): Promise<string> {
    const { subject = 'alice', audience = 'postern', from = issuer, expires = '1h', by } = change
    const made = new SignJWT({ groups: ['engineers'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(from)
      .setAudience(audience)
      .setExpirationTime(expires)
    return (subject === undefined ? made : made.setSubject(subject)).sign(by ?? keys.privateKey)
  }

  /** Nothing is asked, nobody is let in, nothing goes upstream. */
  async function turnedAway(here: Stand, as: string | undefined): Promise<void> {
    const said = mark('allow')
    const client = await (as === undefined ? anonymous(here) : here.connect(as))
    const refusals = [...client.welcome.refusals]
    const [phrase] = fixture.says.allowed(said)
    if (phrase !== undefined && !client.closed())
      refusals.push(...(await client.say(phrase)).refusals)
    expect(refusals.length).toBeGreaterThan(0)
    expect(here.tap.connections()).toBe(0)
    expect(here.entries.filter(({ kind }) => kind === 'session_open')).toEqual([])
  }

  function anonymous(here: Stand) {
    return fixture.connect(dialled(here.port), undefined)
  }

  test(`${name}: a real token is taken`, async () => {
    const here = await stand(fixture, ground.datastore, { identity: await real() })
    const client = await here.connect(await token())
    for (const phrase of fixture.says.allowed(mark('allow')))
      expect((await client.say(phrase)).refusals, phrase.name).toEqual([])
  })

  const wrong: readonly (readonly [string, () => Promise<string> | string | undefined])[] = [
    ['none', () => undefined],
    ['an empty one', () => ''],
    ['a blank', () => ' '],
    ['a word', () => 'let-me-in'],
    ['one without a signature', () => unsigned()],
    ['one of another key', () => token({ by: others.privateKey })],
    ['one of another issuer', () => token({ from: 'https://elsewhere.test' })],
    ['one for somebody else', () => token({ audience: 'other' })],
    ['an expired one', () => token({ expires: '-1h' })],
    ['one of nobody', () => token({ subject: '' })],
    ['one with something behind it', async () => `${await token()}.x`],
    ['one that is 100 kB long', async () => `${await token()}${'x'.repeat(100_000)}`],
  ]
  test.each(wrong)(`${name}: the token is %s`, async (_, make) => {
    const here = await stand(fixture, ground.datastore, { identity: await real() })
    await turnedAway(here, await make())
  })

  const subject = alice
  const odd: readonly (readonly [string, Identity['identify']])[] = [
    ['names nobody', async () => ({ subject: { ...subject, id: '' }, expiresMs: 4e12 })],
    ['names no issuer', async () => ({ subject: { ...subject, issuer: '' }, expiresMs: 4e12 })],
    ['has expired', async () => ({ subject, expiresMs: 1 })],
    ['says no', () => Promise.reject(new Refusal('token_invalid'))],
    ['cannot be asked', () => Promise.reject(new Refusal('issuer_unavailable'))],
    ['breaks', () => Promise.reject(new TypeError('broken'))],
    ['breaks at once', () => broken()],
    ['answers nothing', async () => undefined as never],
  ]
  test.each(odd)(`${name}: the identity %s`, async (_, identify) => {
    await turnedAway(await stand(fixture, ground.datastore, { identity: { identify } }), 'token')
  })
}

type Change = {
  readonly subject?: string
  readonly audience?: string
  readonly from?: string
  readonly expires?: string
  readonly by?: Keys['privateKey']
}

function broken(): never {
  throw new TypeError('broken')
}

function unsigned(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: 'alice', iss: issuer, aud: 'postern', exp: 4e9 }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}

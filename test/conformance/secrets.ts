import { expect, test } from 'vitest'
import { log } from '../../pdp/log.ts'
import { metrics } from '../../pdp/metrics.ts'
import { canary } from '../pdp/kit.ts'
import { eachAlone, type Ground, mark } from './ground.ts'
import { stand, token } from './stand.ts'

/** Invariant 9: secrets appear nowhere. */
export function secrets(ground: Ground): void {
  const { fixture } = ground

  test('invariant 9: secrets appear nowhere', async () => {
    const { datastore } = ground
    expect([datastore.secret, token].every((secret) => secret.includes(canary))).toBe(true)
    const planted = datastore.hidden.filter((value) => value.includes(canary))
    expect(planted.length).toBeGreaterThan(0)
    const lines: string[] = []
    const logger = log('trace', { write: (line: string) => void lines.push(line) })
    const numbers = metrics({
      version: '1',
      shadow: () => undefined,
      holds: () => ({}),
      bundle: () => undefined,
      audit: () => ({ entries: 0, dropped: 0, pending: 0, lagMs: 0, failing: false }),
    })
    let broken = false
    const here = await stand(fixture, datastore, {
      broken: (entry) => broken && entry.kind === 'decision',
      observe(happening) {
        logger.observe(happening)
        numbers.observe(happening)
      },
    })
    const { says } = fixture
    const seen: Buffer[] = []
    const phrases = [
      ...says.allowed(mark('allow')),
      ...says.refused(mark('deny')),
      ...says.masked(mark('mask')),
      ...(fixture.skip?.unmaskable ? [] : says.unmaskable(mark('mask'))),
      ...(fixture.skip?.incomplete ? [] : says.incomplete(mark('mask'))),
      ...says.unknown(mark('allow')).slice(0, 3),
    ]
    await eachAlone(here, phrases, ({ client }) => void seen.push(client.seen()))
    broken = true
    await eachAlone(here, says.allowed(mark('allow')), ({ client }) => {
      seen.push(client.seen())
    })
    await expect.poll(() => here.gate.sessions().length, { interval: 1 }).toBe(0)
    expect(here.entries.length).toBeGreaterThan(phrases.length)
    expect(lines.length).toBeGreaterThan(phrases.length)
    const places = {
      record: JSON.stringify(here.entries),
      happenings: here.happenings.map(shown).join('\n'),
      log: lines.join(''),
      metrics: await numbers.text(),
      answers: Buffer.concat(seen).toString('latin1'),
    }
    for (const [place, text] of Object.entries(places))
      expect(text.includes(canary), place).toBe(false)
  })

  test.each([
    ['the identity', { identity: { identify: () => broken() } }],
    ['the credentials', { credentials: { credential: () => broken() } }],
  ])(
    'invariant 9: %s that fail with a secret in the error do not make it known',
    async (_, parts) => {
      const lines: string[] = []
      const logger = log('trace', { write: (line: string) => void lines.push(line) })
      const here = await stand(fixture, ground.datastore, { ...parts, observe: logger.observe })
      const client = await here.connect()
      for (const phrase of fixture.says.allowed(mark('allow')).slice(0, 1)) await client.say(phrase)
      expect(lines.join('')).toContain('internal_error')
      const text = client.seen().toString('latin1') + JSON.stringify(here.entries) + lines.join('')
      expect(text).not.toContain(canary)
    },
  )

  test('invariant 9: an upstream that refuses the credential does not make it known', async () => {
    const secret = `${canary}-and-wrong`
    const here = await stand(fixture, { ...ground.datastore, secret })
    const client = await here.connect()
    for (const phrase of fixture.says.allowed(mark('allow')).slice(0, 1)) await client.say(phrase)
    expect(client.seen().length).toBeGreaterThan(0)
    const text = client.seen().toString('latin1') + JSON.stringify(here.entries)
    const happened = here.happenings.map(shown).join('\n')
    expect([canary, ground.datastore.username].filter((one) => text.includes(one))).toEqual([])
    expect(happened).not.toContain(canary)
  })
}

function broken(): Promise<never> {
  return Promise.reject(new TypeError(`cannot use ${token}`, { cause: new Error(canary) }))
}

/** Everything a happening holds, errors with their messages too. */
function shown(happening: object): string {
  const error = 'error' in happening ? happening.error : undefined
  const told = error instanceof Error ? `${error.message}\n${error.stack}` : ''
  return JSON.stringify(happening) + told
}

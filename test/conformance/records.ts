import { expect, test } from 'vitest'
import type { AuditEntry } from '../../pdp/parts.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { pending } from '../pdp/kit.ts'
import { eachAlone, type Ground, mark, turns } from './ground.ts'
import { type Moment, stand } from './stand.ts'

/** Invariant 1: nothing goes upstream before its decision is on record. */
export function records(ground: Ground): void {
  const { fixture } = ground
  const name = 'invariant 1: nothing goes upstream before its decision is on record'

  test(`${name}: the entry comes before the bytes`, async () => {
    const here = await stand(fixture, ground.datastore)
    const said = mark('allow')
    await eachAlone(here, fixture.says.allowed(said), ({ phrase }) => {
      const first = orderOf(here.timeline, said)
      expect(first.entry, phrase.name).toBeGreaterThanOrEqual(0)
      expect(first.bytes, phrase.name).toBeGreaterThan(first.entry)
      const decided = here.entries.filter((entry) => decides(entry, said))
      expect(decided[0], phrase.name).toMatchObject({ kind: 'decision' })
    })
  })

  test(`${name}: what cannot be recorded does not run`, async () => {
    const said = mark('allow')
    const here = await stand(fixture, ground.datastore, {
      broken: (entry) => decides(entry, said),
    })
    await eachAlone(here, fixture.says.allowed(said), (told) => {
      expect(told.said.refusals, told.phrase.name).toContain('audit_unavailable')
      expect(here.tap.carried(said), told.phrase.name).toBe(false)
    })
  })

  test(`${name}: a record that fails late stops it as well`, async () => {
    const said = mark('allow')
    const here = await stand(fixture, ground.datastore, {
      waits: (entry) =>
        decides(entry, said)
          ? turns(3).then(() => Promise.reject(new Refusal('audit_unavailable')))
          : undefined,
    })
    await eachAlone(here, fixture.says.allowed(said), (told) => {
      expect(told.said.refusals, told.phrase.name).toContain('audit_unavailable')
      expect(here.tap.carried(said), told.phrase.name).toBe(false)
    })
  })

  test(`${name}: it waits for a slow record`, async () => {
    for (const index of fixture.says.allowed('').keys()) {
      const said = mark('allow')
      const written = Promise.withResolvers<void>()
      const asked = Promise.withResolvers<void>()
      const here = await stand(fixture, ground.datastore, {
        waits: (entry) => {
          if (!decides(entry, said)) return undefined
          asked.resolve()
          return written.promise
        },
      })
      const phrase = fixture.says.allowed(said)[index]
      if (phrase === undefined) throw new Error('the ways to say something changed')
      const client = await here.connect()
      const answer = client.say(phrase)
      await asked.promise
      await turns()
      expect(here.tap.carried(said), phrase.name).toBe(false)
      written.resolve()
      expect((await answer).refusals, phrase.name).toEqual([])
      const first = orderOf(here.timeline, said)
      expect(first.bytes, phrase.name).toBeGreaterThan(first.entry)
    }
  })

  test.each([
    ['the decision to connect', (entry: AuditEntry) => entry.kind === 'decision'],
    ['the session', (entry: AuditEntry) => entry.kind === 'session_open'],
  ])(`${name}: nobody gets in when %s cannot be recorded`, async (_, broken) => {
    const here = await stand(fixture, ground.datastore, { broken })
    const said = mark('allow')
    const client = await here.connect()
    const refusals = [...client.welcome.refusals]
    for (const phrase of fixture.says.allowed(said).slice(0, 1))
      refusals.push(...(await client.say(phrase)).refusals)
    expect(refusals).toContain('audit_unavailable')
    expect(here.tap.connections()).toBe(0)
  })

  test(`${name}: an approved command is recorded again before it runs`, async () => {
    const said = mark('hold')
    const here = await stand(fixture, ground.datastore, {
      broken: (entry) => decides(entry, said) && 'hold' in entry && entry['hold'] !== undefined,
    })
    const [phrase] = fixture.says.allowed(said)
    if (phrase === undefined) throw new Error('nothing to say')
    const client = await here.connect()
    const answer = client.say(phrase)
    const hold = await pending(here.desk)
    await here.desk.vote(hold.id, reviewer, 'approve')
    expect((await answer).refusals).toContain('audit_unavailable')
    expect(here.tap.carried(said)).toBe(false)
  })
}

const reviewer = {
  id: 'bob',
  type: 'human',
  issuer: 'https://issuer.test',
  groups: ['owners'],
  claims: {},
  actor: null,
} as const

/** Whether the entry is a decision on the command with this mark. */
function decides(entry: AuditEntry, said: string): boolean {
  return entry.kind === 'decision' && JSON.stringify(entry).includes(said)
}

function orderOf(timeline: readonly Moment[], said: string) {
  const first = (kind: Moment['kind']): number =>
    timeline.findIndex((moment) => moment.kind === kind && moment.text.includes(said))
  return { entry: first('entry'), bytes: first('bytes') }
}

import { expect, test } from 'vitest'
import { bob, pending } from '../pdp/kit.ts'
import { type Ground, mark, testOf, turns } from './ground.ts'
import { stand } from './stand.ts'
import type { Tap } from './tap.ts'

/** Invariant 7: client gone, hold abandoned, upstream cancelled. */
export function leaving(ground: Ground): void {
  const { fixture } = ground
  const sessions = (tap: Tap): readonly Buffer[] =>
    tap.sent().filter((sent) => fixture.own?.(sent) !== true)

  test('invariant 7: a hold is abandoned when its client hangs up', async () => {
    const here = await stand(fixture, ground.datastore)
    for (const [index, way] of fixture.says.allowed('').entries()) {
      const said = mark('hold')
      const phrase = fixture.says.allowed(said)[index]
      if (phrase === undefined) throw new Error('the ways to say something changed')
      const client = await here.connect()
      client.send(phrase)
      const { id } = await pending(here.desk)
      await turns()
      const before = sessions(here.tap)
      client.hangUp()
      await expect.poll(() => here.desk.get(id)?.state, { interval: 1 }).toBe('abandoned')
      await expect(here.desk.vote(id, bob, 'approve'), way.name).rejects.toThrow()
      await turns()
      // Preparing is not running: what was held may have been prepared. Cancelling has a connection of its own.
      expect(sessions(here.tap).slice(0, before.length), way.name).toEqual(before)
    }
    await expect.poll(() => here.gate.sessions().length, { interval: 1 }).toBe(0)
  })

  test('invariant 7: a held command runs once it is approved', async () => {
    const here = await stand(fixture, ground.datastore)
    for (const phrase of fixture.says.allowed(mark('hold'))) {
      const client = await here.connect()
      const answer = client.say(phrase)
      const { id } = await pending(here.desk)
      await here.desk.vote(id, bob, 'approve')
      expect((await answer).refusals, phrase.name).toEqual([])
    }
  })

  test('invariant 7: what waits for the record does not run for a client that left', async () => {
    const said = mark('allow')
    const written = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const here = await stand(fixture, ground.datastore, {
      waits: (entry) => {
        if (entry.kind !== 'decision' || !JSON.stringify(entry).includes(said)) return undefined
        asked.resolve()
        return written.promise
      },
    })
    const client = await here.connect()
    const [phrase] = fixture.says.allowed(said)
    if (phrase !== undefined) client.send(phrase)
    await asked.promise
    client.hangUp()
    await expect.poll(() => here.gate.sessions().length, { interval: 1 }).toBe(0)
    written.resolve()
    await turns()
    expect(here.tap.carried(said)).toBe(false)
  })

  testOf(
    ground,
    'slow',
    'invariant 7: what runs upstream is cancelled when its client hangs up',
    async () => {
      const here = await stand(fixture, ground.datastore)
      for (const phrase of fixture.says.slow(mark('allow'))) {
        const said = mark('allow')
        const same = fixture.says.slow(said).find(({ name }) => name === phrase.name)
        const client = await here.connect()
        client.send(same ?? phrase)
        const running = (): Promise<boolean> => ground.datastore.running(said)
        const often = { interval: 5, timeout: 5_000, message: phrase.name }
        await expect.poll(running, often).toBe(true)
        client.hangUp()
        await expect.poll(running, often).toBe(false)
        const outcome = here.entries.filter(({ kind }) => kind === 'outcome').at(-1)
        expect(outcome, phrase.name).toHaveProperty('error')
      }
    },
  )
}

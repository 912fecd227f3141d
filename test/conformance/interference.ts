import { afterAll, beforeAll, expect } from 'vitest'
import type { Datastore } from './fixture.ts'
import { type Ground, mark, testOf } from './ground.ts'
import { ruledBy } from './policies.ts'
import { stand } from './stand.ts'

/** Everything that only reads is allowed; what is protected is masked and decides nothing. */
export const masked = `package policies.masked

allow contains {"code": "reads"} if {
  every effect in input.action.effects {
    effect in ["read", "session"]
  }
}

mask contains {"column": column, "method": "redact", "on_predicate": "deny"} if {
  some column in data.protected
}
`

/** Invariant 12: two databases that differ only in masked cells answer alike. */
export function interference(ground: Ground): void {
  const { fixture } = ground
  let twin: Datastore | undefined
  beforeAll(async () => {
    if (fixture.skip?.probes === undefined) twin = await fixture.start('B')
  })
  afterAll(() => twin?.stop())

  testOf(
    ground,
    'probes',
    'invariant 12: two databases that differ only in masked cells give identical answers',
    async () => {
      if (twin === undefined) throw new Error('the twin has not started')
      const columns = fixture.masks.map(({ column }) => column)
      const engine = await ruledBy({ 'masked.rego': masked }, { protected: columns })
      const here = await stand(fixture, ground.datastore, { engine })
      const there = await stand(fixture, twin, { engine })
      const [one, other] = [await here.connect(), await there.connect()]
      const differ: string[] = []
      let answered = 0
      for (const phrase of fixture.says.probes()) {
        const [answer, twins] = [await one.say(phrase), await other.say(phrase)]
        if (fixture.stable(answer.bytes) !== fixture.stable(twins.bytes)) differ.push(phrase.name)
        if (answer.refusals.length === 0) answered += 1
      }
      expect(one.closed() || other.closed()).toBe(false)
      expect(differ).toEqual([])
      // Enough of them must have been answered, or nothing was compared.
      expect(answered).toBeGreaterThan(fixture.says.probes().length / 5)
    },
  )

  testOf(ground, 'probes', 'invariant 12: the two databases do differ', async () => {
    if (twin === undefined) throw new Error('the twin has not started')
    const here = await stand(fixture, ground.datastore)
    const there = await stand(fixture, twin)
    const [one, other] = [await here.connect(), await there.connect()]
    for (const phrase of fixture.says.masked(mark('allow')))
      expect(fixture.stable((await one.say(phrase)).bytes), phrase.name).not.toBe(
        fixture.stable((await other.say(phrase)).bytes),
      )
  })
}

import { expect, test } from 'vitest'
import { eachAlone, type Ground, mark, testOf } from './ground.ts'
import { stand } from './stand.ts'

/** Invariant 5: what must be masked and cannot be, is refused or empty. */
export function masking(ground: Ground): void {
  const { fixture } = ground
  const shown = (bytes: Buffer): readonly string[] =>
    ground.datastore.hidden.filter((value) => holds(bytes, value))

  test('invariant 5: what a mask can rewrite is rewritten', async () => {
    const here = await stand(fixture, ground.datastore)
    await eachAlone(here, fixture.says.masked(mark('mask')), (told) => {
      expect(told.said.refusals, told.phrase.name).toEqual([])
      expect(shown(told.said.bytes), told.phrase.name).toEqual([])
    })
    await eachAlone(here, fixture.says.masked(mark('allow')), (told) => {
      expect(shown(told.said.bytes).length, told.phrase.name).toBeGreaterThan(0)
    })
  })

  testOf(
    ground,
    'unmaskable',
    'invariant 5: what must be masked and cannot be, is refused or empty',
    async () => {
      const here = await stand(fixture, ground.datastore)
      const leaks: string[] = []
      await eachAlone(here, fixture.says.unmaskable(mark('mask')), ({ phrase, client }) => {
        for (const value of shown(client.seen())) leaks.push(`${phrase.name}: ${value}`)
      })
      expect(leaks).toEqual([])
    },
  )
}

/** Whether the value is in the bytes, as it is, in capitals or in hexadecimal. */
function holds(bytes: Buffer, value: string): boolean {
  const text = bytes.toString('latin1').toLowerCase()
  return text.includes(value.toLowerCase()) || text.includes(Buffer.from(value).toString('hex'))
}

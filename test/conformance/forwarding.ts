import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { certificates } from '../servers/certificates.ts'
import { eachAlone, type Ground, mark, testOf } from './ground.ts'
import { stand, token } from './stand.ts'
import { dialled } from './transport.ts'

/** Invariants 3 and 6: which bytes go upstream. */
export function forwarding(ground: Ground): void {
  const { fixture } = ground

  test('invariant 3: a message type that is not on the list is refused, never forwarded', async () => {
    const here = await stand(fixture, ground.datastore)
    const said = mark('allow')
    await eachAlone(here, fixture.says.unknown(said), (told) => {
      expect(told.said.refusals, told.phrase.name).toContain('unsupported_message')
      expect(here.tap.carried(said), told.phrase.name).toBe(false)
    })
  })

  test('invariant 6: bytes of a refused command never reach the server', async () => {
    const here = await stand(fixture, ground.datastore)
    const said = mark('deny')
    for (const phrase of fixture.says.refused(said)) {
      const client = await here.connect()
      const before = here.tap.sent().map((stream) => stream.length)
      const { refusals } = await client.say(phrase)
      expect(refusals.length, phrase.name).toBeGreaterThan(0)
      expect(here.tap.carried(said), phrase.name).toBe(false)
      if (phrase.instead !== undefined) {
        // A gate may have connections of its own besides.
        const added = here.tap
          .sent()
          .map((stream, at) => stream.subarray(before[at] ?? 0).toString('latin1'))
        expect(added, phrase.name).toContain(phrase.instead.toString('latin1'))
      }
      client.hangUp()
    }
  })

  test('invariant 6: a session goes on after a refusal as after an error of the server', async () => {
    const here = await stand(fixture, ground.datastore)
    const client = await here.connect()
    const said = mark('allow')
    const refused = fixture.says.refused(mark('deny')).filter(({ instead }) => instead)
    for (const phrase of refused) {
      expect((await client.say(phrase)).refusals.length, phrase.name).toBeGreaterThan(0)
      for (const next of fixture.says.allowed(said))
        expect((await client.say(next)).refusals, `${phrase.name}, ${next.name}`).toEqual([])
    }
    expect(here.tap.carried(said)).toBe(true)
  })

  testOf(
    ground,
    'early',
    'invariant 6: bytes sent before TLS is up are never treated as sent after it',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'postern-conformance-'))
      const { key, cert } = certificates(folder)
      rmSync(folder, { recursive: true })
      const here = await stand(fixture, ground.datastore, { tls: { key, cert } })
      const said = mark('allow')
      for (const phrase of fixture.says.early(token, said)) {
        const transport = dialled(here.port)
        const closed = new Promise((resolve) => transport.once('close', resolve))
        transport.on('error', () => undefined).resume()
        transport.write(phrase.bytes)
        await closed
        expect(here.tap.connections(), phrase.name).toBe(0)
        expect(here.entries.at(-1)?.kind, phrase.name).toBe('turned_away')
      }
      expect(here.entries.filter(({ kind }) => kind !== 'turned_away')).toEqual([])
    },
  )
}

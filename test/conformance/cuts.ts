import { expect, test } from 'vitest'
import type { Phrase } from './fixture.ts'
import { type Ground, mark } from './ground.ts'
import { type Stand, stand, token } from './stand.ts'
import { cutPair, cutsOf, pieces } from './transport.ts'

const seeds = 200

/** Invariant 10: cutting the bytes anywhere changes nothing. */
export function cuts(ground: Ground): void {
  const { fixture } = ground
  const name = 'invariant 10: cutting the bytes anywhere changes nothing'

  /** What a client sees when what it sends, from its first byte on, is cut at these places. */
  async function dialogue(here: Stand, phrases: readonly Phrase[], at: readonly number[]) {
    const [client, server] = cutPair(at)
    const served = fixture.sidecar.serve(server, here.gate, { peer: '127.0.0.1' })
    const speaking = await fixture.connect(client, token)
    for (const phrase of phrases.slice(0, -1)) await speaking.say(phrase)
    const last = phrases.at(-1)
    if (last !== undefined) await speaking.say({ ...last, answers: Number.POSITIVE_INFINITY })
    await served
    return fixture.stable(speaking.seen())
  }

  /** What policy was asked, in order. */
  const asked = (here: Stand, from: number): readonly unknown[] =>
    here.entries
      .slice(from)
      .filter(({ kind }) => kind === 'decision')
      .map((entry) => entry['input'])

  test(`${name}: at every byte of a short dialogue`, async () => {
    const here = await stand(fixture, ground.datastore)
    const phrases = fixture.says.short(mark('mask'))
    const whole = await dialogue(here, phrases, [])
    const length = bytesOf(phrases) + (await helloBytes(here))
    for (let at = 1; at < length; at += 1)
      expect(await dialogue(here, phrases, [at]), `cut at byte ${at}`).toBe(whole)
    const everywhere = Array.from({ length }, (_, at) => at)
    expect(await dialogue(here, phrases, everywhere), 'every byte alone').toBe(whole)
  })

  const marks = { allow: mark('allow'), deny: mark('deny'), mask: mark('mask') }

  test(`${name}: a long dialogue, cut in ${seeds} ways`, async () => {
    const here = await stand(fixture, ground.datastore)
    const phrases = fixture.says.long(marks)
    const whole = await dialogue(here, phrases, [])
    const questions = asked(here, 0)
    expect(questions.length).toBeGreaterThan(5)
    for (let seed = 1; seed <= seeds; seed += 1) {
      const from = here.entries.length
      const at = cutsOf(bytesOf(phrases) + 100, seed)
      expect(await dialogue(here, phrases, at), `seed ${seed}`).toBe(whole)
      expect(asked(here, from), `seed ${seed}`).toEqual(questions)
    }
  }, 60_000)

  test(`${name}: the answers of the datastore, cut in many ways`, async () => {
    const phrases = fixture.says.long(marks)
    const whole = await dialogue(await stand(fixture, ground.datastore), phrases, [])
    for (let seed = 1; seed <= 20; seed += 1) {
      let at = 0
      const places = cutsOf(1_000_000, seed).map((place) => place / (seed % 2 ? 1 : 1000))
      const here = await stand(fixture, ground.datastore, {
        cut(answer) {
          const found = pieces(answer, at, places.map(Math.floor))
          at += answer.length
          return found
        },
      })
      expect(await dialogue(here, phrases, []), `seed ${seed}`).toBe(whole)
    }
  })

  async function helloBytes(here: Stand): Promise<number> {
    const [client, server] = cutPair([])
    let bytes = 0
    const write = client.write.bind(client)
    client.write = ((chunk: Buffer) => {
      bytes += chunk.length
      return write(chunk)
    }) as typeof client.write
    void fixture.sidecar.serve(server, here.gate, { peer: '127.0.0.1' })
    const speaking = await fixture.connect(client, token)
    speaking.hangUp()
    return bytes
  }
}

function bytesOf(phrases: readonly Phrase[]): number {
  return phrases.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

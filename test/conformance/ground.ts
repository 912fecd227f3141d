import { test } from 'vitest'
import type { Client, Datastore, Fixture, Optional, Phrase, Said } from './fixture.ts'
import type { Stand } from './stand.ts'

/** What every invariant is tested on. */
export type Ground = { readonly fixture: Fixture; readonly datastore: Datastore }

/** A test of something a protocol may lack: then it is shown as skipped, with the reason. */
export function testOf(
  { fixture }: Ground,
  topic: Optional,
  name: string,
  work: () => Promise<void>,
): void {
  const lacking = fixture.skip?.[topic]
  if (lacking === undefined) test(name, work)
  else test(`${name} (not here: ${lacking.reason})`, { skip: true }, work)
}

/** What one phrase came to on a connection of its own. */
export type Told = { readonly phrase: Phrase; readonly said: Said; readonly client: Client }

/** Says each phrase on a connection of its own, one after the other, so that what is seen belongs to it. */
export async function eachAlone(
  stand: Stand,
  phrases: readonly Phrase[],
  look: (told: Told) => unknown = () => undefined,
): Promise<void> {
  for (const phrase of phrases) {
    const client = await stand.connect()
    const said = await client.say(phrase)
    await look({ phrase, said, client })
    client.hangUp()
  }
}

let marks = 0

/** A word that appears nowhere else; policy in these tests goes by how it begins. */
export function mark(kind: 'allow' | 'deny' | 'hold' | 'mask'): string {
  marks += 1
  return `${kind}x${marks}x${process.pid}`
}

/** Lets whatever is under way go on for some turns of the event loop. */
export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

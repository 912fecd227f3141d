import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { engine } from '../../../pdp/engine/engine.ts'
import { bundle, policyText, question, random } from './kit.ts'

const seed = 3
/** `make soak` asks for a million. */
const count = Number(process.env['POSTERN_DECISIONS'] ?? 100_000)
const settled = 20_000
const cacheBytesMax = 4_194_304
/** What a heap of this size differs by from one collection to the next, and what the engine's caches may hold. */
const slackBytes = 6 * cacheBytesMax
const patienceMs = 600_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test(
  `${count} decisions leave neither heap nor linear memory larger (seed ${seed})`,
  async () => {
    const made = engine({ cacheBytesMax })
    await made.activate(bundle({ rego: policyText('basic') }))
    const dice = random(seed)
    const asked: Record<string, number> = {}
    const size = (): { heap: number; linear: number } => {
      collect()
      return {
        heap: process.memoryUsage().heapUsed,
        linear: made.status().bundle?.memory_bytes ?? 0,
      }
    }
    let before = { heap: 0, linear: 0 }
    for (let index = 0; index < settled + count; index++) {
      if (index === settled) before = size()
      const { decision, cached } = made.evaluate(asking(index, dice))
      const kind = `${decision.effect} ${cached}`
      asked[kind] = (asked[kind] ?? 0) + 1
    }
    const after = size()
    expect(after.linear).toBe(before.linear)
    expect(after.heap).toBeLessThan(before.heap + slackBytes)
    expect(made.status()).toMatchObject({ failures: 0, bundle: { replacements: 0 } })
    // Every path was taken: evaluated and remembered, allowed, held and denied.
    const kinds = ['allow false', 'allow true', 'deny false', 'deny true', 'hold false']
    expect(Object.keys(asked).sort()).toEqual(kinds)
  },
  patienceMs,
)

function asking(index: number, dice: () => number) {
  const name = ['select', 'select', 'delete', 'truncate', 'clock'][Math.floor(dice() * 5)]
  // Half are new for good: their names are never seen again.
  const isNew = dice() < 0.5
  const width = isNew ? dice() * 20 : dice() * 3
  const columns = Array.from({ length: width }, (_, at) => `public.t.c${at}.email`)
  const objects = [{ kind: 'table', name: `public.t${index % 7}`, access: 'read', columns }]
  const more = isNew ? { [`fact ${index}`]: index } : {}
  const session = isNew ? index % 997 : index % 11
  const asked = question({ name, objects, text: `select ${index}`, ...more })
  const context = { ...asked.context, peer: `10.0.${session >> 8}.${session & 255}:5000` }
  return { ...asked, context }
}

import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from '../../sidecars/postgres/read/parser.ts'
import { rewrite } from '../../sidecars/postgres/rewrite/rewrite.ts'
import { rows } from '../wire/rows.ts'
import { seen as visibleOf } from './seen.ts'
import { type Stage, stage, type Variant } from './stage.ts'

/** Rewriting and the role alone, with no policy in front: what they hold off even if everything else is wrong. */
let here: Stage
beforeAll(async () => {
  here = await stage()
}, 60_000)
afterAll(() => here.stop())

/** The statements as they would go upstream; undefined for a text of which anything is refused. */
function upstream(text: string): string | undefined {
  try {
    const { statements } = parse(text)
    const made = statements?.map(({ stmt }) => stmt && rewrite(stmt, here.sealing).text)
    return made?.every((one) => one !== undefined) ? made.join(';') : undefined
  } catch {
    return undefined
  }
}

async function seen(texts: readonly string[], variant: Variant): Promise<readonly string[]> {
  const client = await here.direct(variant)
  const answers: Buffer[] = []
  for (const text of ['set statement_timeout to 5000', ...texts])
    answers.push(...(await client.say(text)))
  // The server closes when it has let go of everything, such as locks that others can see.
  client.close()
  await client.answer()
  return visibleOf(answers)
}

test('no attack of the corpus needs a policy in front to come to nothing', async () => {
  const leaks: string[] = []
  let ran = 0
  for (const row of rows('postgres')) {
    if (row.check.type !== 'no_leak' || row.protocol !== undefined) continue
    const texts = row.input.flatMap((one) => (typeof one === 'string' ? (upstream(one) ?? []) : []))
    if (texts.length === 0) continue
    ran += 1
    const a = await seen(texts, 'demo_a')
    const b = await seen(texts, 'demo_b')
    if (JSON.stringify(a) !== JSON.stringify(b)) leaks.push(`${row.id} ${texts.join('; ')}`)
  }
  expect(ran).toBeGreaterThan(100)
  expect(leaks).toEqual([])
}, 120_000)

import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from '../../sidecars/postgres/read/parser.ts'
import { rewrite } from '../../sidecars/postgres/rewrite/rewrite.ts'
import { visible } from '../wire/client.ts'
import { rows } from '../wire/rows.ts'
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
  return visible(answers.map(withoutProcess)).map(withoutTimes)
}

/** A notification begins with the number of a process, which is another one each time. */
const withoutProcess = (frame: Buffer): Buffer =>
  frame[0] === 0x41 ? Buffer.from(frame).fill(0, 5, 9) : frame

/** What EXPLAIN ANALYZE measures is another number each time, of another length. */
const withoutTimes = (line: string): string =>
  /actual time|(Planning|Execution|Total) Time/.test(line)
    ? line.replace(/^D .{6}|[\d.]+/gs, '')
    : line

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

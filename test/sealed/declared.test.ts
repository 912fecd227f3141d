import { afterAll, beforeAll, expect, test } from 'vitest'
import { errors, results } from '../wire/client.ts'
import { type Stage, stage } from './stage.ts'

let here: Stage
beforeAll(async () => {
  here = await stage()
})
afterAll(() => here.stop())

const shownBy = async (sql: string): Promise<readonly string[]> => {
  const client = await here.connect('demo_a')
  const frames = await client.say(sql)
  client.close()
  const [result] = results(frames)
  return result === undefined
    ? errors(frames).map((one) => one.slice(0, 5))
    : result.rows.map((row) => row.map((cell) => cell ?? 'NULL').join())
}

const view = 'SELECT label FROM v_contact WHERE id = 1'

test('a view that is safe by review is granted to the sealed role, and shown as it is', async () => {
  expect(await shownBy(view)).not.toContain('Alice Adams <alice@example.com>')
  await here.declare({ corpus: { declassify: ['public.v_contact'] } })
  // Its rights changed too, which the gate has to read first.
  const shown = expect.poll(() => shownBy(view), { timeout: 10_000, interval: 100 })
  await shown.toEqual(['Alice Adams <alice@example.com>'])
  expect(await shownBy('SELECT email FROM customers WHERE id = 1')).toEqual(['[redacted]'])
  await here.declare({})
  expect(await shownBy(view)).not.toContain('Alice Adams <alice@example.com>')
})

test('so may be a function that runs with its owner’s rights', async () => {
  const sealed = await here.direct('demo_a')
  const call = 'SELECT get_email_pl(1)'
  expect(errors(await sealed.say(call))[0]).toMatch(/^42501 /)
  await here.declare({ corpus: { declassify: ['public.get_email_pl'] } })
  expect(results(await sealed.say(call))[0]?.rows).toEqual([['alice@example.com']])
  await here.declare({})
  expect(errors(await sealed.say(call))[0]).toMatch(/^42501 /)
  sealed.close()
})

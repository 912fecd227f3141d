import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errors, results } from './client.ts'
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
    : result.rows.map((row) => row.join())
}

const said = (functions: object, declassify: readonly string[] = []) => ({
  corpus: { functions, declassify },
})
const ran = { 'public.run_sql(text)': { reads: [], returns: 'nothing' } }
const shows = { 'public.run_sql(text)': { reads: [], returns: ['public.customers.email'] } }

describe('code that cannot be read', () => {
  const call = `SELECT run_sql('SELECT name FROM customers WHERE id = 1')`

  test('is refused until the bundle says what it does', async () => {
    expect(await shownBy(call)).toEqual(['42501'])
    await here.declare(said(ran))
    expect(await shownBy(call)).toEqual(['Alice Adams'])
  })

  test('is masked as the bundle says', async () => {
    await here.declare(said(shows))
    expect(await shownBy(call)).toEqual(['[redacted]'])
  })

  test.each([
    [{ reads: ['public.customers.nothing'], returns: 'nothing' }],
    [{ reads: [], returns: ['public.nothing.name'] }],
  ])('is refused where the bundle names what there is not: %j', async (one) => {
    await here.declare(said({ 'public.run_sql(text)': one }))
    expect(await shownBy(call)).toEqual(['42501'])
  })

  test('is refused again once the bundle says nothing, in a session that goes on too', async () => {
    await here.declare(said(ran))
    const client = await here.connect('demo_a')
    await client.say(`PREPARE p AS ${call}`)
    expect(errors(await client.say('EXECUTE p'))).toEqual([])
    await here.declare({})
    expect(errors(await client.say('EXECUTE p'))).not.toEqual([])
    expect(errors(await client.say(call))).not.toEqual([])
    client.close()
  })
})

describe('a view that was reviewed', () => {
  const text = 'SELECT label FROM v_contact WHERE id = 1'

  test('is shown as it is while the bundle says so', async () => {
    expect(await shownBy(text)).toEqual(['[redacted]'])
    await here.declare(said({}, ['public.v_contact']))
    expect(await shownBy(text)).toEqual(['Alice Adams <alice@example.com>'])
    await here.declare({})
    expect(await shownBy(text)).toEqual(['[redacted]'])
  })

  test('does not make the table it reads one', async () => {
    await here.declare(said({}, ['public.v_contact']))
    expect(await shownBy('SELECT email FROM customers WHERE id = 1')).toEqual(['[redacted]'])
  })
})

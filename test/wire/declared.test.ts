import { readFileSync } from 'node:fs'
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

describe('a bundle', () => {
  test.each([
    ['data.code.corpus.functions.run_sql()', { functions: { 'run_sql()': ran } }],
    ['data.code.corpus.functions.public.run_sql(text).reads.0', said(bare).corpus],
    ['data.code.corpus.declassify.0', { declassify: ['v_contact'] }],
  ])(
    'that says it wrong is not put in charge, by the name of the field: %s',
    async (field, one) => {
      await here.declare(said(ran))
      await expect(here.declare({ corpus: one })).rejects.toThrow(field)
      expect(await shownBy(`SELECT run_sql('SELECT name FROM customers WHERE id = 1')`)).toEqual([
        'Alice Adams',
      ])
      await here.declare({})
    },
  )

  test('may say what the documentation says', async () => {
    const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
    const [, written = ''] = /```json\n(\{\s*"code"[^`]*)```/.exec(page) ?? []
    const { code } = JSON.parse(written) as { readonly code: { readonly shop: object } }
    await here.server.run(documented, 'demo_a')
    await here.declare({ corpus: code.shop })
    expect(await shownBy('SELECT n FROM customer_counts')).toEqual(['5'])
    here.decided()
    await shownBy(`SELECT order_report(1, 'x')`)
    const [{ input } = { input: undefined }] = here.decided()
    expect(input?.action).toMatchObject({ effects: ['read', 'execute', 'write'] })
    expect(input?.action).not.toHaveProperty('incomplete')
    expect(input?.action.objects).toEqual(
      expect.arrayContaining([
        { kind: 'table', name: 'public.report_log', access: 'write' },
        expect.objectContaining({ name: 'public.orders', access: 'read' }),
      ]),
    )
    await here.declare({})
  })
})

const bare = { 'public.run_sql(text)': { reads: ['customers.email'], returns: 'nothing' } }

const documented = `
CREATE TABLE report_log (line text);
CREATE VIEW customer_counts AS SELECT count(*) AS n FROM customers;
CREATE FUNCTION order_report(integer, text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text;
  BEGIN EXECUTE 'SELECT total FROM public.orders LIMIT 1' INTO r; RETURN r; END $$;
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT 1'; RETURN NULL; END $$;`

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

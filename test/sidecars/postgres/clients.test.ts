/** Limits, and masks that are loaded back, as people and programs meet them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Limit } from '../../../pdp/contract.ts'
import { shop } from './shop.ts'

const here = shop()
const run = promisify(execFile)
const where = () =>
  `host=127.0.0.1 port=${here.plainPort} user=ada dbname=shop password=let-me-in sslmode=disable`

/** What reads many rows is limited to five of them. */
function limit(exceed: Limit['exceed']): void {
  const rows = { max: 5, exceed, rule: 'small_answers' }
  here.decide(({ text = '' }) => ({
    limits: /generate_series|customers|portal/i.test(text) ? { rows } : {},
  }))
}

const many = 'select generate_series(1, 10000000) as n'
const five = [1, 2, 3, 4, 5]
const cut =
  /postern: the result was cut off at its limit of 5 rows \(rule small_answers, decision d\d+\)/
const denied = /postern: the statement went over its limit of 5 rows/

async function psql(input: string): Promise<{ readonly out: string; readonly err: string }> {
  const child = run('psql', ['-X', '-A', '-t', '-q', '-f', '-', where()])
  child.child.stdin?.end(input)
  const { stdout, stderr } = await child
  return { out: stdout.trimEnd(), err: stderr.trimEnd() }
}

type Python = { readonly answers: readonly unknown[][]; readonly notices: readonly string[] }

async function psycopg(how: string, ...statements: readonly string[]): Promise<Python> {
  const script = `${import.meta.dirname}/clients.py`
  const { stdout } = await run('/usr/bin/python3', [script, where(), how, ...statements])
  return JSON.parse(stdout)
}

describe('psql', () => {
  test('reads what is cut, and why', async () => {
    limit('truncate')
    const { out, err } = await psql(`${many};\nselect 'on';`)
    expect(out).toBe('1\n2\n3\n4\n5\non')
    expect(err).toMatch(cut)
  })

  test('reads an error, and goes on', async () => {
    limit('deny')
    const { out, err } = await psql(`${many};\nselect 'on';`)
    expect(out).toBe('on')
    expect(err).toMatch(denied)
    expect(err).toMatch(/DETAIL: {2}rule small_answers, code limit_exceeded, decision d\d+/)
  })

  // Each FETCH is a command of its own, and answers two rows.
  test('in portions of its own', async () => {
    const nine = 'select id from customers where id <= 9 order by id'
    const portions = `\\set FETCH_COUNT 2\n${nine};\nselect 'on';`
    limit('truncate')
    expect(await psql(portions)).toEqual({ out: '1\n2\n3\n4\n5\n6\n7\n8\n9\non', err: '' })
  })
})

describe.each(['fetchall', 'fetchmany'])('psycopg, %s', (how) => {
  test('reads what is cut, and why', async () => {
    limit('truncate')
    const { answers, notices } = await psycopg(how, many, "select 'on'")
    expect(answers).toEqual([five.map((n) => [n]), [['on']]])
    expect(notices).toEqual([expect.stringMatching(cut)])
  })

  test('reads an error, and goes on', async () => {
    limit('deny')
    const { answers } = await psycopg(how, many, "select 'on'")
    expect(answers).toEqual([
      [
        '53400',
        expect.stringMatching(denied),
        expect.stringMatching(/^rule small_answers, code limit_exceeded, decision d\d+$/),
      ],
      [['on']],
    ])
  })
})

describe('psycopg, cursors of the server', () => {
  // Each FETCH is a command of its own, and answers two rows.
  test.each(['truncate', 'deny'] as const)('are limited by portion: %s', async (exceed) => {
    limit(exceed)
    const statement = 'select id from customers where id <= 9 order by id'
    const { answers, notices } = await psycopg('server', statement, statement)
    const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => [id])
    expect(answers).toEqual([nine, nine])
    expect(notices).toEqual([])
  })
})

type Portions = { readonly rows: unknown[][]; readonly tags: string[]; readonly errors: string[] }

/** What pg-cursor does: one portal, read `size` rows at a time until it says that it is done. */
function portions(client: pg.Client, text: string, size: number): Promise<Portions> {
  const found: Portions = { rows: [], tags: [], errors: [] }
  return new Promise((resolve) => {
    const config = { portal: '', rows: size }
    // The members that node-postgres calls of whatever is submitted to it.
    client.query({
      submit(
        connection: pg.Connection & Record<string, (config?: object, more?: boolean) => void>,
      ) {
        connection.parse({ name: '', text, types: [] }, true)
        connection.bind({ portal: '', statement: '', values: [], binary: false } as never, true)
        connection.describe({ type: 'P', name: '' }, true)
        connection.execute(config as never, true)
        connection['flush']?.()
      },
      handleRowDescription() {},
      handleDataRow: ({ fields }: { fields: unknown[] }) => void found.rows.push(fields),
      handlePortalSuspended(connection: pg.Connection) {
        connection.execute(config as never, true)
        connection.flush()
      },
      handleCommandComplete({ text: tag }: { text: string }, connection: pg.Connection) {
        found.tags.push(tag)
        connection.sync()
      },
      handleError({ message }: Error, connection: pg.Connection) {
        found.errors.push(message)
        connection.sync()
        resolve(found)
      },
      handleReadyForQuery: () => resolve(found),
      callback() {},
    } as never)
  })
}

describe('node-postgres', () => {
  let client: pg.Client
  const notices: string[] = []
  beforeEach(async () => {
    notices.length = 0
    client = new pg.Client({
      host: '127.0.0.1',
      port: here.plainPort,
      user: 'ada',
      database: 'shop',
      password: 'let-me-in',
    })
    client.on('notice', ({ message = '' }) => notices.push(message))
    await client.connect()
  })
  afterEach(() => client.end())
  const goesOn = async () =>
    expect((await client.query("select 'on' as s")).rows).toEqual([{ s: 'on' }])

  test.each([{ values: [] }, { values: ['x'] }])(
    'reads what is cut, and why: %j',
    async ({ values }) => {
      limit('truncate')
      const text = values.length === 0 ? many : `${many} where $1 = 'x'`
      expect((await client.query(text, values)).rows.map(({ n }) => n)).toEqual(five)
      expect(notices).toEqual([expect.stringMatching(cut)])
      await goesOn()
    },
  )

  test.each([{ values: [] }, { values: ['x'] }])(
    'reads an error, and goes on: %j',
    async ({ values }) => {
      limit('deny')
      const text = values.length === 0 ? many : `${many} where $1 = 'x'`
      await expect(client.query(text, values)).rejects.toMatchObject({
        code: '53400',
        detail: expect.stringContaining('rule small_answers'),
      })
      await goesOn()
    },
  )

  test.each([1, 2, 5, 7])('in portions of %i', async (size) => {
    limit('truncate')
    const read = await portions(client, many, size)
    expect(read.rows.flat().map(String)).toEqual(five.map(String))
    expect(read.errors).toEqual([])
    expect(read.tags).toHaveLength(1)
    expect(notices).toEqual([expect.stringMatching(cut)])
    await goesOn()
    limit('deny')
    const refused = await portions(client, many, size)
    expect(refused.rows.length).toBeLessThanOrEqual(5)
    expect(refused.errors).toEqual([expect.stringMatching(denied)])
    await goesOn()
  })
})

describe('masks that are loaded back', () => {
  beforeAll(() => here.server.sql('create table loads (id int, mail text)', 'shop'))
  beforeEach(() => here.decide(() => ({ mask: ['public.loads.mail'] })))
  afterEach(() => here.server.sql('truncate loads', 'shop'))
  const stored = () => here.server.sql('select id, mail from loads order by id', 'shop')
  const mask = /line 2 of the data has in public\.loads\.mail a mask/

  test('psql is told, and nothing is stored', async () => {
    const load = '\\copy loads from stdin csv\n1,ada@example.com\n2,***\n3,eve@example.com\n\\.\n'
    const { out, err } = await psql(
      `${load}\\copy loads from stdin\n4\tx@example.com\n\\.\nselect 'on';`,
    )
    expect(err).toMatch(mask)
    expect(out).toBe('on')
    expect(stored()).toBe('4|x@example.com')
  })

  test('psycopg is told, and nothing is stored', async () => {
    const lines = Array.from({ length: 2_000 }, (_, line) => `${line + 10}\tu@example.com\n`)
    const { answers } = await psycopg(
      'copy',
      'copy loads from stdin',
      `1\tada@example.com\n2\ta***@example.com\n${lines.join('')}`,
      '4\tx@example.com\n',
    )
    expect(answers).toEqual([['42501', expect.stringMatching(mask)], ['loaded']])
    expect(stored()).toBe('4|x@example.com')
  })
})

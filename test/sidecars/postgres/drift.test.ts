import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()
let client: Client | undefined
let count = 0

type Turn = readonly Buffer[] | string
/** What is defined, what a client sends, and what somebody else defines meanwhile, past the gate. */
type Case = { readonly before: string; readonly turns: readonly Turn[] }

const protectedValue = /user\d+@example/

beforeEach(async () => {
  count += 1
  here.decide(() => ({ mask: ['public.customers.email'] }))
  here.gate.alarms.length = 0
  here.gate.asked.length = 0
})
afterEach(() => client?.channel.close())

async function play({ before, turns }: Case): Promise<string> {
  here.server.sql(before, 'shop')
  client = await loggedIn(here.plainPort)
  const all: Buffer[] = []
  for (const turn of turns) {
    if (typeof turn === 'string') here.server.sql(turn, 'shop')
    else {
      client.send(...turn)
      all.push(...(await client.until('Z')))
    }
  }
  return Buffer.concat(all).toString('latin1')
}

const q = (sql: string): readonly Buffer[] => [m.query(sql)]
const safe = (): string => `create view safe${count} as select id, name from customers where id < 9`
const unsafe = (): string =>
  `create or replace view safe${count} as select id, email as name from customers where id < 9`
const code = (column: string): string =>
  `create or replace function label${count}() returns text language sql stable as 'select ${column} from customers where id = 7'`

describe('what was defined past the gate a moment ago', () => {
  test.each<readonly [string, () => Case]>([
    [
      'shows through no view',
      () => ({
        before: safe(),
        turns: [q(`select name from safe${count}`), unsafe(), q(`select name from safe${count}`)],
      }),
    ],
    [
      'nor is worked out from one',
      () => ({
        before: safe(),
        turns: [
          q(`select name || '' from safe${count}`),
          unsafe(),
          q(`select name || '' from safe${count}`),
        ],
      }),
    ],
    [
      'nor through a function',
      () => ({
        before: code('name'),
        turns: [q(`select label${count}()`), code('email'), q(`select label${count}()`)],
      }),
    ],
    [
      'nor through a schema that came in front',
      () => ({
        before: `create table plain${count} (body text); insert into plain${count} values ('x')`,
        turns: [
          q(`select body || '' from plain${count}`),
          `create schema if not exists app; create view app.plain${count} as select email as body from customers`,
          q(`select body || '' from plain${count}`),
        ],
      }),
    ],
    [
      'nor through a view in place of a table',
      () => ({
        before: `create table plain${count} (body text); insert into plain${count} values ('x')`,
        turns: [
          q(`select max(body) from plain${count}`),
          `alter table plain${count} rename to old${count}; create view plain${count} as select email as body from customers`,
          q(`select max(body) from plain${count}`),
        ],
      }),
    ],
    [
      'nor by what was prepared before',
      () => ({
        before: safe(),
        turns: [
          q(`prepare p as select name || '' from safe${count}`),
          q('execute p'),
          unsafe(),
          q('execute p'),
        ],
      }),
    ],
    [
      'nor by what was parsed before',
      () => ({
        before: safe(),
        turns: [
          [m.parse('p', `select name || '' from safe${count}`), m.sync],
          unsafe(),
          [m.bind('', 'p'), m.execute(''), m.sync],
        ],
      }),
    ],
    [
      'nor by EXECUTE of what was parsed before',
      () => ({
        before: safe(),
        turns: [
          [m.parse('p', `select name || '' from safe${count}`), m.sync],
          unsafe(),
          q('execute p'),
        ],
      }),
    ],
    [
      'nor by a portal that runs code',
      () => ({
        before: `${code('name')}; create table two${count} as select 1 as n from generate_series(1, 2)`,
        turns: [
          q('begin'),
          [
            m.parse('p', `select label${count}() from two${count}`),
            m.bind('c', 'p'),
            m.execute('c', 1),
            m.sync,
          ],
          code('email'),
          [m.execute('c', 1), m.sync],
        ],
      }),
    ],
    [
      'nor by a cursor that runs code',
      () => ({
        before: `${code('name')}; create table two${count} as select 1 as n from generate_series(1, 2)`,
        turns: [
          q('begin'),
          q(`declare c cursor for select label${count}() from two${count}`),
          q('fetch 1 from c'),
          code('email'),
          q('fetch 1 from c'),
        ],
      }),
    ],
    [
      'nor by a cursor that was opened after it',
      () => ({
        before: safe(),
        turns: [
          q('begin'),
          q(`select name || '' from safe${count} limit 0`),
          q('commit'),
          unsafe(),
          q('begin'),
          q(`declare c cursor for select name || '' from safe${count}`),
          q('fetch all from c'),
        ],
      }),
    ],
    [
      'nor by COPY',
      () => ({
        before: safe(),
        turns: [
          q(`copy (select name || '' from safe${count}) to stdout`),
          unsafe(),
          q(`copy (select name || '' from safe${count}) to stdout`),
        ],
      }),
    ],
    [
      'nor by way of another table',
      () => ({
        before: `${safe()}; create table copied${count} (body text)`,
        turns: [
          q(`insert into copied${count} select name from safe${count} where id < 0`),
          unsafe(),
          q(`insert into copied${count} select name from safe${count}`),
          q(`select body from copied${count}`),
        ],
      }),
    ],
  ])('%s', async (_, made) => {
    // What a policy for people would say: nothing that is protected may be written elsewhere.
    here.decide((command) =>
      command.effects.includes('write') &&
      command.predicates?.includes('public.customers.email') === true
        ? 'deny'
        : { mask: ['public.customers.email'] },
    )
    const said = await play(made())
    expect(said).not.toMatch(protectedValue)
    here.server.sql('drop schema if exists app cascade', 'shop')
  })
})

test('what did not change is answered as it is', async () => {
  const said = await play({
    before: `${safe()}; ${code('name')}`,
    turns: [
      q(`select name || '!' from safe${count}`),
      'create temp table aside (id int); truncate t; analyze customers',
      q(`select name || '!' from safe${count}`),
      q(`select label${count}()`),
    ],
  })
  expect(said.match(/name1!/g)).toHaveLength(2)
  expect(said).toContain('name7')
})

test('an answer from a relation that is not known is withheld and raises an alarm, masks or not', async () => {
  here.decide(() => 'allow')
  const said = await play({
    before: `create table plain${count} (body text); insert into plain${count} values ('fine')`,
    turns: [
      q(`select body from plain${count}`),
      `alter table plain${count} rename to old${count}; create view plain${count} as select email as body from customers`,
      q(`select body from plain${count}`),
    ],
  })
  expect(said).toContain('fine')
  expect(said).not.toMatch(protectedValue)
  expect(said).toContain('is not what was read')
  expect(here.gate.alarms.join()).toContain('of a relation that is not known')
})

test('a name is looked for once before it is refused, however new it is', async () => {
  const turns = [1, 2, 3].flatMap((n) => [
    `create table fresh${count}_${n} as select ${n} as n`,
    q(`select n from fresh${count}_${n}`),
  ])
  await play({ before: '', turns })
  const reasons = here.gate.asked.map(({ command }) => command.incomplete)
  expect(reasons).toEqual([undefined, undefined, undefined])
})

/** Connections of the gate's own. */
const own = (): number =>
  Number(
    here.server.sql(
      `select count(*) from pg_stat_activity where application_name = 'postern'`,
      'shop',
    ),
  )

test('names that do not exist cost one connection however often they are asked for', async () => {
  const turns = Array.from({ length: 40 }, (_, n) => q(`select * from nowhere_${n}`))
  await play({ before: '', turns })
  expect(own()).toBe(1)
})

test('nothing that has to be looked up is shown while nobody can look, and it is again afterwards', async () => {
  const asked = q(`select name || '' from safe${count}`)
  const said = await play({
    before: safe(),
    turns: [
      asked,
      `update pg_database set datallowconn = false where datname = 'shop';
       select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postern'`,
      asked,
    ],
  })
  here.server.sql(`update pg_database set datallowconn = true where datname = 'shop'`, 'postgres')
  expect(said.match(/name1/g)).toHaveLength(1)
  expect(said).toContain('Send the statement again')
  client?.send(...asked)
  const after = Buffer.concat((await client?.until('Z')) ?? []).toString('latin1')
  expect(after).toContain('name1')
})

test('nobody looks any more once the last session is gone', async () => {
  await play({ before: '', turns: [q('select 1')] })
  client?.channel.close()
  await expect.poll(own, { timeout: 15_000, interval: 500 }).toBe(0)
})

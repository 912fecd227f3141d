import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fields } from '../../../sidecars/postgres/report.ts'
import { type Client, loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()
const secret = 'user7@example.com'
let client: Client | undefined

beforeAll(() => {
  here.server.sql(
    `create table accounts (id int primary key, email text unique, age int check (age < 100) not null);
     insert into accounts values (1, '${secret}', 40), (2, 'user8@example.com', 41);
     create table mailed (email text references accounts (email) deferrable initially deferred);
     create function tell() returns trigger language plpgsql as $$
       begin raise notice 'saw %', (select email from accounts where id = 1); return new; end $$;
     create function fail() returns trigger language plpgsql as $$
       begin raise exception '%', (select email from accounts where id = 1) using errcode = '42601'; end $$;
     create function dynamic() returns trigger language plpgsql as $$
       begin execute (select email from accounts where id = 1); return new; end $$;
     create table told (id int); create trigger t before insert on told for each row execute function tell();
     create table failing (id int); create trigger t before insert on failing for each row execute function fail();
     create table running (id int); create trigger t before insert on running for each row execute function dynamic();`,
    'shop',
  )
})
beforeEach(async () => {
  here.decide(() => ({ mask: ['public.accounts.email'] }))
  client = await loggedIn(here.plainPort)
})
afterEach(() => client?.channel.close())

/** All that the client is told apart from data, after each of these was sent in turn. */
async function told(...turns: readonly (readonly Buffer[])[]): Promise<readonly Buffer[]> {
  const all: Buffer[] = []
  for (const turn of turns) {
    client?.send(...turn)
    all.push(...((await client?.until('Z')) ?? []))
  }
  return all.filter((frame) => frame[0] === 0x45 || frame[0] === 0x4e)
}

const q = (sql: string): readonly Buffer[] => [m.query(sql)]

test.each<readonly [string, readonly (readonly Buffer[])[], string]>([
  ['a cast', [q('select email::int from accounts')], '22P02'],
  ['a failing row', [q('update accounts set age = 200')], '23514'],
  ['a missing value', [q('update accounts set age = null')], '23502'],
  [
    'a key that is taken',
    [q('update accounts set email = (select max(email) from accounts)')],
    '23505',
  ],
  ['a notice of a trigger', [q('insert into told values (1)')], '00000'],
  ['an exception under a harmless code', [q('insert into failing values (1)')], '42601'],
  ['a statement that code put together', [q('insert into running values (1)')], '42601'],
  [
    'a constraint at COMMIT',
    [q('begin'), q(`insert into mailed select email || 'x' from accounts`), q('commit')],
    '23503',
  ],
  [
    'a FETCH',
    [q('begin'), q('declare c cursor for select email::int from accounts'), q('fetch c')],
    '22P02',
  ],
  [
    'a statement without masks in the same transaction',
    [q('begin'), q('insert into told values (2)'), q('select id from accounts')],
    '00000',
  ],
  ['a COPY', [q('copy (select email::int from accounts) to stdout')], '22P02'],
  ['the extended protocol', [[...m.run('select email::int from accounts'), m.sync]], '22P02'],
])('%s tells nothing of what is masked', async (_, turns, code) => {
  const frames = await told(...turns)
  expect(frames.map((frame) => fields(frame)['C'])).toContain(code)
  for (const frame of frames) {
    expect(frame.toString()).not.toContain('example.com')
    expect(Object.keys(fields(frame)).join('')).toBe('SVCMD')
  }
})

test('data that COPY could not read is not shown again', async () => {
  client?.send(m.query('copy accounts from stdin'))
  await client?.until('G')
  const [error] = await told([m.copyData(`3\t${secret}\tnone\n`), m.copyDone])
  expect(fields(error ?? Buffer.alloc(5))).toMatchObject({ C: '22P02' })
  expect(error?.toString()).not.toContain(secret)
})

test.each([
  ['select nothing from accounts', '42703'],
  ['select email from nowhere', '42P01'],
  ["set statement_timeout = '10ms'; select pg_sleep(1)", '57014'],
])('what repeats only the client: %s', async (sql, code) => {
  const [error] = await told(q(sql))
  expect(fields(error ?? Buffer.alloc(5))).toMatchObject({ C: code })
  expect(error?.toString()).not.toContain('withheld')
})

test('without masks the server is heard in its own words', async () => {
  here.decide(() => 'allow')
  const [error] = await told(q('update accounts set age = 200'))
  expect(fields(error ?? Buffer.alloc(5))['D']).toContain(secret)
})

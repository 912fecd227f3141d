import { int16, int32, message } from '../../../sidecars/postgres/frames.ts'
import * as m from '../../sidecars/postgres/messages.ts'
import type { Phrase, Says } from '../fixture.ts'
import { blind, extended, phrase, simple } from './phrases.ts'
import { probes } from './probes.ts'
import { unmaskable } from './unmaskable.ts'
import { password, sslRequest, startup } from './wire.ts'

/** What stands upstream for a refused message. */
const refusedQuery = m.query('postern_refused')
const refusedParse = m.parse('postern_refused', 'postern_refused')
const refusedUnnamed = m.parse('', 'postern_refused')

/** What PostgreSQL's clients say. */
export const says: Says = {
  allowed: (mark) => [
    phrase('a simple query', [m.query(`select '${mark}'`)]),
    phrase('a statement run by the extended protocol', [...m.run(`select '${mark}'`), m.sync]),
    phrase('several statements in one query', [m.query(`select 1; select '${mark}'`)]),
  ],
  refused,
  masked: (mark) => [
    simple(`select phone, '${mark}' from customers where id = 1`),
    extended(`select id, email, ssn, '${mark}' from customers order by id`),
    extended(`select value, '${mark}' from secrets`, true),
    blind(`select phone, '${mark}' from customers`),
  ],
  unmaskable,
  incomplete: (mark) => [
    simple(`do $$ begin execute format('select %L', '${mark}'); end $$`),
    simple(`execute nobody_knows -- ${mark}`),
    simple(`select '${mark}' from nowhere_known`),
    simple(`selec '${mark}'`),
    phrase('invalid UTF-8', [
      message('Q', Buffer.concat([Buffer.from(`select '${mark}`), Buffer.from([0xff, 0x27, 0])])),
    ]),
    blind(`do $$ begin execute format('select %L', '${mark}'); end $$`),
  ],
  unknown,
  slow: (mark) => {
    const sql = `select pg_sleep(600), '${mark}'`
    return [
      phrase('a simple query', [m.query(sql)]),
      phrase('the extended protocol', [...m.run(sql), m.sync]),
      phrase('the extended protocol before its Sync', [...m.run(sql), m.flush]),
      phrase('one of several statements', [m.query(`select 1; ${sql}; select 2`)]),
      phrase('COPY in a transaction', [m.query('begin'), m.query(`copy (${sql}) to stdout`)]),
    ]
  },
  probes: () => [...probes.map((sql) => simple(sql)), ...probes.map((sql) => blind(sql))],
  early: (token, mark) => [
    phrase('the login right behind the wish for TLS', [
      sslRequest,
      startup,
      password(token),
      m.query(`select '${mark}'`),
    ]),
    phrase('a query right behind the wish for TLS', [sslRequest, m.query(`select '${mark}'`)]),
    phrase('a login without TLS', [startup, password(token), m.query(`select '${mark}'`)]),
  ],
  short: (mark) => [
    phrase('a query and a goodbye', [
      m.query(`select phone, '${mark}' from customers where id = 1`),
      m.terminate,
    ]),
  ],
  long: ({ allow, deny, mask }) => [
    phrase('what is not masked', [
      m.query(`select '${allow}'; select 2`),
      m.query(`delete from notes where body = '${deny}'`),
      ...m.run(`select '${allow}'`),
      ...m.run(`select '${deny}'`),
      ...m.run(`select 'never'`),
      m.sync,
      m.query('begin'),
      m.query(`select '${deny}'`),
      m.query(`select '${allow}'`),
      m.query('rollback'),
      m.query(`select no_such_column, '${allow}' from customers`),
      m.query('copy notes to stdout'),
      m.query(''),
    ]),
    phrase('what is masked', [
      m.query(`select id, email, '${mask}' from customers order by id`),
      m.parse('s1', `select id, phone, name, '${mask}' from customers where id = $1::bigint`),
      m.describe('S', 's1'),
      m.sync,
      m.bind('p1', 's1', ['1']),
      m.describe('P', 'p1'),
      m.execute('p1'),
      m.bind('', 's1', ['2'], 1),
      m.execute(),
      m.sync,
      m.query(`copy (select email, '${mask}' from customers) to stdout`),
      m.query(`prepare ${mask} as select phone from customers order by id`),
      m.query(`execute ${mask}`),
      m.query(`begin; declare c${mask} cursor for select email from customers`),
      m.query(`fetch 2 from c${mask}; commit`),
      m.query(`select phone::int, '${mask}' from customers`),
    ]),
    phrase('COPY, up to where it takes rows', [
      m.query('begin'),
      m.query('copy staging from stdin'),
    ]),
    phrase(
      'the rows',
      [
        m.copyData('11\tone\ta\n12\ttwo'),
        m.copyData('\t\\N\n'),
        m.copyDone,
        m.query('select * from staging order by id, name'),
        m.query('rollback'),
      ],
      undefined,
      3,
    ),
    phrase('the rest', [
      m.parse('wide', "select repeat('x', 3000), generate_series(1, 50)"),
      m.bind('', 'wide'),
      m.execute('', 7),
      m.execute('', 0),
      m.close('S', 'wide'),
      m.flush,
      m.sync,
      m.terminate,
    ]),
  ],
}

function refused(mark: string): readonly Phrase[] {
  const bad = `delete from notes where body = '${mark}'`
  // As the gate writes it, so that it goes on as it came.
  const ok = 'SELECT 1'
  const once = `SELECT CAST($1 AS text), 'once${mark.replace('deny', '')}'`
  return [
    phrase('a simple query', [m.query(bad)], [refusedQuery]),
    phrase('the last of several statements', [m.query(`${ok}; ${ok}; ${bad}`)], [refusedQuery]),
    phrase('the first of several statements', [m.query(`${bad}; ${ok}`)], [refusedQuery]),
    phrase('an unnamed Parse', [...m.run(bad), m.sync], [refusedUnnamed, m.sync]),
    phrase('a named Parse', [m.parse('n', bad), m.sync], [refusedParse, m.sync]),
    phrase(
      'a Parse in the middle of a pipeline',
      [...m.run(ok), ...m.run(bad), ...m.run(ok), m.sync],
      [...m.run(ok), refusedUnnamed, m.sync],
    ),
    phrase(
      'a Bind of what may no longer run',
      [m.parse('', once), m.bind('', '', [mark]), m.execute(), m.sync],
      [m.parse('', once), refusedParse, m.sync],
    ),
    phrase('a prepared statement', [m.query(`prepare q as ${bad}`)], [refusedQuery]),
    phrase('EXPLAIN ANALYZE', [m.query(`explain analyze ${bad}`)], [refusedQuery]),
    phrase('COPY of a query', [m.query(`copy (select '${mark}') to stdout`)], [refusedQuery]),
    phrase('COPY into a table', [
      m.query(`copy notes from stdin (null '${mark}')`),
      m.copyData(`1\t${mark}\n`),
      m.copyDone,
      m.query(ok),
    ]),
    phrase('an anonymous block', [m.query(`do $$ begin ${bad}; end $$`)], [refusedQuery]),
    phrase('a cursor', [m.query(`begin; declare c cursor for select '${mark}'`)], [refusedQuery]),
    phrase('a function called by its number', [
      message(
        'F',
        int32(1598),
        int16(0),
        int16(1),
        int32(mark.length),
        Buffer.from(mark),
        int16(0),
      ),
      m.query(ok),
    ]),
    phrase('between quotes and comments', [m.query(`select ';' /* ; -- */ ; ${bad} -- '`)]),
    phrase('a statement of 200 kB', [m.query(`${bad} or body = '${'x'.repeat(200_000)}'`)]),
    phrase('a refused one in a transaction', [m.query('begin'), m.query(bad), m.query('commit')]),
  ]
}

const onTheList = 'QPBDECSHXdcf'

function unknown(mark: string): readonly Phrase[] {
  const body = Buffer.from(`select '${mark}'\0`)
  const types = Array.from({ length: 256 }, (_, type) => type)
  const name = (type: number): string => `message type 0x${type.toString(16).padStart(2, '0')}`
  const framed = (type: number): Buffer =>
    Buffer.concat([Buffer.from([type]), int32(body.length + 4), body])
  return types
    .filter((type) => !onTheList.includes(String.fromCharCode(type)))
    .map((type) => ({
      name: name(type),
      bytes: Buffer.concat([framed(type), m.query('select 1')]),
    }))
}

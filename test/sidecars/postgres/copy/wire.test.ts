import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { message } from '../../../../sidecars/postgres/frames.ts'
import { fields } from '../../../../sidecars/postgres/report.ts'
import { type Client, letters, loggedIn } from '../client.ts'
import * as m from '../messages.ts'
import { shop } from '../shop.ts'

const here = shop()
let client: Client | undefined

beforeAll(() => {
  here.server.sql(
    `create table people_in (id int, mail text, born date, note text, tags text[], upper_mail text generated always as (upper(mail)) stored);
     insert into people_in values (1, 'ada@example.com', '1990-01-02', E'a\\tb"c,\\\\N', '{ada@example.com,x}'), (2, null, null, null, null);
     create view shown as select id, mail as address from people_in;`,
    'shop',
  )
})
beforeEach(async () => {
  client?.channel.close()
  here.decide(() => ({
    mask: ['public.people_in.mail', 'public.people_in.born', 'public.people_in.tags'],
  }))
  client = await loggedIn(here.plainPort)
  here.gate.asked.length = 0
})

async function copied(
  sql: string,
): Promise<{ readonly text: string; readonly said: string; readonly code: string }> {
  if (client === undefined) throw new Error('not connected')
  client.send(m.query(sql))
  const frames = await client.until('Z')
  const parts = frames.filter((frame) => frame[0] === 0x64).map((frame) => frame.subarray(5))
  const error = frames.find((frame) => frame[0] === 0x45)
  const code = error === undefined ? '' : (fields(error)['C'] ?? '')
  return { text: Buffer.concat(parts).toString('latin1'), said: letters(frames), code }
}

const note = 'a\\tb"c,\\\\N'

test.each([
  ['copy people_in to stdout', `1\t***\t\\N\t${note}\t{"***","***"}\n2\t\\N\t\\N\t\\N\t\\N\n`],
  ['copy people_in (mail, id) to stdout', '***\t1\n\\N\t2\n'],
  ["copy people_in (id, mail) to stdout (delimiter '|', header)", 'id|mail\n1|***\n2|\\N\n'],
  [
    'copy people_in (id, mail, note) to stdout (format csv, header, force_quote *)',
    'id,mail,note\n"1","***","a\tb""c,\\N"\n"2",,\n',
  ],
  [
    'copy (select mail, upper(mail), 1 from people_in order by id) to stdout',
    '***\t\\N\t1\n\\N\t\\N\t1\n',
  ],
  ['copy (select address from shown order by id) to stdout with csv', '***\n\n'],
  // A value that looks like NULL must not be told from one that is.
  ["copy people_in (mail) to stdout (null 'ada@example.com')", '***\n***\n'],
  ['copy (select id from people_in order by 1) to stdout', '1\n2\n'],
  ['copy (update people_in set mail = mail where id = 1 returning mail) to stdout', '***\n'],
])('masked: %s', async (sql, expected) => {
  const { text } = await copied(sql)
  expect(text).toBe(expected)
  expect(here.gate.alarms).toEqual([])
})

test('masked binary data can be read by the server again', async () => {
  const { text } = await copied(
    'copy people_in (id, mail, born, note, tags) to stdout (format binary)',
  )
  expect(text).not.toContain('example.com')
  here.decide(() => 'allow')
  const again = await loggedIn(here.plainPort)
  again.send(m.query('create table again (id int, mail text, born date, note text, tags text[])'))
  await again.until('Z')
  again.send(m.query('copy again from stdin (format binary)'))
  await again.until('G')
  again.send(m.copyDataBytes(Buffer.from(text, 'latin1')), m.copyDone)
  expect(letters(await again.until('Z'))).toBe('CZ')
  expect(here.server.sql('select * from again order by id', 'shop')).toBe(
    '1|***||a\tb"c,\\N|{***,***}\n2||||',
  )
  again.channel.close()
})

test.each([
  "copy people_in to stdout (encoding 'LATIN1')",
  "copy people_in to stdout (encoding 'SQL_ASCII')",
])('refused: %s', async (sql) => {
  expect(await copied(sql)).toMatchObject({ text: '', said: 'EZ', code: '42501' })
})

test('whatever a row is made into, nothing of what is masked leaves', async () => {
  const { text } = await copied(
    'copy (select (json_each(to_json(p))).* from people_in p) to stdout',
  )
  expect(text).not.toContain('example.com')
})

test('a limit ends binary data with its trailer, and counts what was sent', async () => {
  here.decide(() => ({ limits: { rows: { max: 1, exceed: 'truncate' } } }))
  const { text, said } = await copied(
    'copy (select id from people_in order by id) to stdout (format binary)',
  )
  expect(text.slice(19)).toBe('\0\x01\0\0\0\x04\0\0\0\x01\xff\xff')
  expect(said).toMatch(/^Hd+cNCZ$/)
  expect(here.gate.asked[0]?.outcomes).toMatchObject([{ rows: 1, truncated: true }])
})

test('rows of a COPY that nothing is done to are counted by the server', async () => {
  here.decide(() => 'allow')
  await copied('copy people_in (id) to stdout (format csv, header)')
  expect(here.gate.asked[0]?.outcomes).toMatchObject([{ rows: 2 }])
})

test.each([
  ['simple', [m.query('copy t from stdin')], 'GCZ', []],
  ['extended', m.run('copy t from stdin'), '12GCZ', [m.sync]],
  ['extended with an early Sync', [...m.run('copy t from stdin'), m.sync], '12GCZ', [m.sync]],
] as const)('data right behind its COPY waits for the server, %s', async (_, copy, said, last) => {
  here.decide(() => 'allow')
  if (client === undefined) throw new Error('not connected')
  const lines = Array.from({ length: 200 }, (_, line) => m.copyData(`${line}\n`))
  client.send(...copy, ...lines, m.copyDone, ...last)
  expect(letters(await client.until('Z'))).toBe(said)
  expect(
    here.server.sql('with gone as (delete from t returning id) select count(*) from gone', 'shop'),
  ).toBe('200')
  client.send(m.query('select 1'))
  expect(letters(await client.until('Z'))).toBe('TDCZ')
})

test('data right behind a COPY that fails or is refused is thrown away', async () => {
  if (client === undefined) throw new Error('not connected')
  here.decide((command) => (command.text?.includes('people_in') ? 'deny' : 'allow'))
  for (const table of ['people_in', 'nowhere']) {
    client.send(
      m.query(`copy ${table} from stdin`),
      m.copyData('1\n'),
      m.copyDone,
      m.query('select 1'),
    )
    expect(letters(await client.until('Z'))).toBe('EZ')
    expect(letters(await client.until('Z'))).toBe('TDCZ')
  }
})

describe('masks that are loaded back', () => {
  const from = 'copy people_in (id, mail, note) from stdin'
  const stored = () => here.server.sql('select count(*) from people_in', 'shop')

  async function loaded(copy: readonly Buffer[], ...data: readonly Buffer[]) {
    if (client === undefined) throw new Error('not connected')
    client.send(...copy)
    await client.until('G')
    client.send(...data)
    const frames = await client.until('Z')
    const error = frames.find((frame) => frame[0] === 0x45)
    return { said: letters(frames), M: '', C: '', ...(error && fields(error)) }
  }

  const sent = Array.from({ length: 5_000 }, (_, line) => `${line}\tuser${line}@example.com\tx\n`)
  const masked = `${sent.join('')}5000\ta***@example.com\tx\n${sent.join('')}`
  const pieces = (size: number) =>
    Array.from({ length: Math.ceil(masked.length / size) }, (_, at) =>
      m.copyData(masked.slice(at * size, (at + 1) * size)),
    )

  test.each([
    ['simple', [m.query(from)], []],
    ['extended', m.run(from), [m.sync]],
  ] as const)('nothing of it is stored, %s', async (_, copy, end) => {
    const frames = [...pieces(4_001), m.copyDone, ...end]
    const { said, M, C } = await loaded(copy, ...frames)
    expect(said).toBe('EZ')
    expect(C).toBe('42501')
    expect(M).toBe(
      'postern: line 5001 of the data has in public.people_in.mail a mask that stands for a protected value',
    )
    expect(stored()).toBe('2')
    client?.send(m.query('select 1'))
    expect(letters((await client?.until('Z')) ?? [])).toBe('TDCZ')
    expect(here.gate.asked.flatMap(({ outcomes }) => outcomes)).toContainEqual(
      expect.objectContaining({ error: '42501' }),
    )
  })

  test('cut at every byte', async () => {
    const data = '7\t***\tx\n'
    for (let at = 1; at < data.length; at += 1) {
      const frames = [m.copyData(data.slice(0, at)), m.copyData(data.slice(at)), m.copyDone]
      expect(await loaded([m.query(from)], ...frames)).toMatchObject({ said: 'EZ', C: '42501' })
    }
    expect(stored()).toBe('2')
  })

  test('what was done before in the same transaction goes with it', async () => {
    const begin = m.query(`begin; insert into t values (77); ${from}; commit`)
    expect(await loaded([begin], m.copyData('7\t***\tx'), m.copyDone)).toMatchObject({ said: 'EZ' })
    client?.send(m.query('rollback'))
    await client?.until('Z')
    expect(here.server.sql('select count(*) from t where id = 77', 'shop')).toBe('0')
  })

  test('other data is loaded, and a client may give up by itself', async () => {
    const data = '7\tnew@example.com\t***\n8\t\\N\t***\n'
    expect(await loaded([m.query(from)], m.copyData(data), m.copyDone)).toMatchObject({
      said: 'CZ',
    })
    expect(stored()).toBe('4')
    const fails = message('f', 'enough')
    expect(await loaded([m.query(from)], m.copyData(data), fails)).toMatchObject({ C: '57014' })
    here.server.sql('delete from people_in where id > 6', 'shop')
  })

  test.each([
    ['csv', `copy people_in (mail) from stdin csv`, Buffer.from('"***"\n')],
    [
      'binary',
      'copy people_in (mail) from stdin (format binary)',
      Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x03***\xff\xff', 'latin1'),
    ],
    [
      'an array of masks in binary',
      'copy people_in (tags) from stdin (format binary)',
      Buffer.from(
        'PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x1b\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\0\0\0\x03***\xff\xff',
        'latin1',
      ),
    ],
  ])('in %s', async (_, copy, data) => {
    const end = [m.copyDataBytes(data), m.copyDone]
    expect(await loaded([m.query(copy)], ...end)).toMatchObject({ said: 'EZ', C: '42501' })
    here.decide(() => 'allow')
    expect(await loaded([m.query(copy)], ...end)).toMatchObject({ said: 'CZ' })
    here.server.sql('delete from people_in where id is null', 'shop')
  })

  test('what could not be searched does not begin', async () => {
    const said = await copied("copy people_in from stdin (encoding 'LATIN1')")
    expect(said).toMatchObject({ said: 'EZ', code: '42501' })
  })

  test('what a client was shown by COPY cannot be loaded again', async () => {
    for (const format of ['text', 'csv', 'binary']) {
      const { text } = await copied(`copy people_in (id, mail, tags) to stdout (format ${format})`)
      const again = m.query(`copy people_in (id, mail, tags) from stdin (format ${format})`)
      const data = m.copyDataBytes(Buffer.from(text, 'latin1'))
      expect(await loaded([again], data, m.copyDone), format).toMatchObject({ C: '42501' })
    }
    expect(stored()).toBe('2')
  })
})

import { beforeEach, expect, test } from 'vitest'
import { Refusal } from '../../../pdp/refusal.ts'
import { int16, int32, message } from '../../../sidecars/postgres/frames.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { type Client, cancel, letters, loggedIn, raw, startupPacket } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()

beforeEach(() => {
  here.decide((command) => (command.effects.includes('delete') ? 'deny' : 'allow'))
  here.gate.asked.length = 0
  here.gate.turned.length = 0
  here.gate.told.length = 0
})

const errorIn = (frames: readonly Buffer[]) =>
  fields(frames.find((frame) => frame[0] === 0x45) ?? Buffer.alloc(5))
const poll = { interval: 2, timeout: 5_000 }
const hello = { user: 'ada', database: 'shop' }

async function answer(client: Client, ...frames: readonly Buffer[]): Promise<string> {
  client.send(...frames)
  return letters(await client.until('Z'))
}

test('bytes sent along with an SSLRequest are refused and recorded', async () => {
  const ssl = message('', int32(80877103))
  expect((await raw(here.port, Buffer.concat([ssl, startupPacket(hello)]))).toString()).not.toMatch(
    /^SR/,
  )
  expect(here.gate.turned).toHaveLength(1)
})

test.each([
  ['a startup in clear text where TLS is asked for', startupPacket(hello), '28000'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), undefined],
  ['a message of 4 GiB', Buffer.concat([int32(-1), int32(3 << 16)]), undefined],
  ['a length of 3', Buffer.concat([int32(3), int32(3 << 16)]), undefined],
])('%s is closed', async (_, bytes, state) => {
  const got = await raw(here.port, bytes)
  if (state !== undefined) expect(fields(got)['C']).toBe(state)
  expect(here.gate.turned).toHaveLength(1)
})

test.each([
  [{ replication: 'database' }, 'replication'],
  [{ options: '-c standard_conforming_strings=off' }, 'options'],
  [{ search_path: 'evil' }, 'search_path'],
  [{ client_encoding: 'GBK' }, 'client_encoding'],
  [{ role: 'postgres' }, 'role'],
])('startup parameters %j are refused by name', async (parameters, name) => {
  const got = fields(await raw(here.plainPort, startupPacket({ ...hello, ...parameters })))
  expect(got).toMatchObject({ S: 'FATAL', C: '08P01' })
  expect(got['M']).toContain(name)
})

test('a wrong token is a failed login', async () => {
  const got = await raw(here.plainPort, startupPacket(hello), message('p', 'wrong'))
  expect(fields(got.subarray(9))).toMatchObject({ S: 'FATAL', C: '28P01' })
})

test('an empty token and one that is too long never reach the gate', async () => {
  const knocks = here.gate.knocks.length
  await raw(here.plainPort, startupPacket(hello), message('p', ''))
  await raw(here.plainPort, startupPacket(hello), message('p', 'x'.repeat(20_000)))
  expect(here.gate.knocks).toHaveLength(knocks)
})

test('GSS encryption is declined', async () => {
  const got = await raw(here.plainPort, message('', int32(80877104)), startupPacket({ user: '' }))
  expect(got.subarray(0, 1).toString()).toBe('N')
})

test('protocol 3.2 gets a long cancel key, newer ones are negotiated', async () => {
  const newer = await loggedIn(here.plainPort, (3 << 16) | 2)
  expect(newer.key).toHaveLength(36)
  newer.channel.close()
  const newest = await raw(
    here.plainPort,
    startupPacket({ user: 'ada', '_pq_.x': '1' }, (3 << 16) | 9),
    m.terminate,
  )
  expect(newest.subarray(0, 9 + 4 + 7)).toEqual(
    message('v', int32((3 << 16) | 2), int32(1), '_pq_.x'),
  )
})

test('a refusal in a pipeline does not commit what came before it', async () => {
  const client = await loggedIn(here.plainPort)
  const insert = (id: number) => m.run(`insert into t values (${id})`)
  expect(await answer(client, ...insert(1), ...m.run('delete from t'), ...insert(2), m.sync)).toBe(
    '12CEZ',
  )
  expect(here.server.sql('select count(*) from t', 'shop')).toBe('0')
  // The control: without the refusal both stay.
  expect(await answer(client, ...insert(1), ...insert(2), m.sync)).toBe('12C12CZ')
  expect(here.server.sql('delete from t returning id', 'shop')).toBe('1\n2')
  client.channel.close()
})

test('one refused statement in a string keeps all of it from the server', async () => {
  const client = await loggedIn(here.plainPort)
  expect(await answer(client, m.query('insert into t values (5); delete from t'))).toBe('EZ')
  expect(here.server.sql('select count(*) from t', 'shop')).toBe('0')
  client.channel.close()
})

test('a refused Bind leaves the unnamed statement as the server would', async () => {
  const client = await loggedIn(here.plainPort)
  here.decide((_, asking) =>
    asking.prepare !== true && asking.parameters?.[0] === '13' ? 'deny' : 'allow',
  )
  expect(await answer(client, m.parse('', 'select $1::int'), m.sync)).toBe('1Z')
  expect(await answer(client, m.bind('', '', ['13']), m.execute(), m.sync)).toBe('EZ')
  expect(await answer(client, m.bind('', '', ['14']), m.execute(), m.sync)).toBe('2DCZ')
  client.channel.close()
})

test('what is held says so at once, and goes on in place when approved', async () => {
  here.decide((command) => (command.effects.includes('write') ? 'hold' : 'allow'))
  const client = await loggedIn(here.plainPort)
  client.send(m.query("update customers set name = 'held' where id = 1"))
  expect(fields((await client.until('N')).at(-1) ?? Buffer.alloc(5))['M']).toBe(
    'postern: waiting for approval',
  )
  here.gate.approve()
  expect(letters(await client.until('Z'))).toBe('CZ')
  client.channel.close()
})

test('Ctrl-C takes a held statement back; the transaction ends as by any error', async () => {
  here.decide((command) => (command.effects.includes('write') ? 'hold' : 'allow'))
  const client = await loggedIn(here.plainPort)
  expect(await answer(client, m.query('begin'))).toBe('CZ')
  client.send(m.query('update customers set name = null'))
  await client.until('N')
  await cancel(here.plainPort, client.key)
  const got = await client.until('Z')
  expect(errorIn(got)['C']).toBe('57014')
  expect(got.at(-1)).toEqual(m.ready('E'))
  expect(await answer(client, m.query('rollback'))).toBe('CZ')
  client.channel.close()
})

test.each([
  ['closes', (client: Client) => client.channel.close()],
  [
    'says goodbye behind more commands',
    (client: Client) => {
      client.send(m.query('select 1'), m.terminate)
      client.socket.end()
    },
  ],
])('a client that %s abandons what is held', async (_, leave) => {
  here.decide((command) => (command.effects.includes('write') ? 'hold' : 'allow'))
  const client = await loggedIn(here.plainPort)
  client.send(m.query('update customers set name = null'))
  await client.until('N')
  leave(client)
  await expect.poll(() => here.gate.told, poll).toEqual(['held', 'abandoned'])
  await expect.poll(() => here.open(), poll).toBe(0)
  expect(here.server.sql('select count(*) from customers where name is null', 'shop')).toBe('0')
})

const sleeping = (): string =>
  here.server.sql(
    "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()",
  )

test('Ctrl-C stops what runs, with our key and not with another', async () => {
  const client = await loggedIn(here.plainPort)
  client.send(m.query('select pg_sleep(30)'))
  await expect.poll(sleeping, poll).toBe('1')
  const wrong = Buffer.from(client.key)
  wrong.writeInt32BE(wrong.readInt32BE(4) ^ 1, 4)
  await cancel(here.port, wrong)
  expect(sleeping()).toBe('1')
  await cancel(here.port, client.key)
  expect(errorIn(await client.until('Z'))['C']).toBe('57014')
  client.channel.close()
})

test('a client that hangs up stops what runs', async () => {
  const client = await loggedIn(here.plainPort)
  client.send(m.query('select pg_sleep(30)'))
  await expect.poll(sleeping, poll).toBe('1')
  client.channel.close()
  await expect.poll(sleeping, poll).toBe('0')
})

test('a statement past its time is stopped with our error', async () => {
  here.decide(() => ({ limits: { durationMs: { max: 50, exceed: 'deny' } } }))
  const client = await loggedIn(here.plainPort)
  client.send(m.query('select pg_sleep(30)'))
  expect(errorIn(await client.until('Z'))).toMatchObject({
    C: '53400',
    M: expect.stringContaining('50 ms'),
  })
  expect(await answer(client, m.query('select 1'))).toBe('TDCZ')
  client.channel.close()
})

test('a result over its limit is cut at a row, or stopped', async () => {
  const client = await loggedIn(here.plainPort)
  here.decide(() => ({ limits: { rows: { max: 3, exceed: 'truncate' } } }))
  client.send(m.query('select id from customers'))
  const cut = await client.until('Z')
  expect(letters(cut)).toBe('TDDDNCZ')
  expect(cut.at(-2)).toEqual(m.complete('SELECT 3'))
  here.decide(() => ({ limits: { rows: { max: 3, exceed: 'deny' } } }))
  expect(await answer(client, m.query('select id from customers'))).toBe('TDDDEZ')
  expect(await answer(client, ...m.run('select id from customers'), m.sync)).toBe('12DDDEZ')
  client.channel.close()
})

test('COPY goes both ways, simple and extended', async () => {
  const client = await loggedIn(here.plainPort)
  client.send(m.query('copy t from stdin'))
  await client.until('G')
  expect(await answer(client, m.copyData('901\n902\n'), m.copyDone)).toBe('CZ')
  client.send(...m.run('copy t from stdin'), m.sync)
  await client.until('G')
  expect(await answer(client, m.copyData('903\n'), m.copyDone, m.sync)).toBe('CZ')
  expect(await answer(client, m.query('copy t to stdout'))).toBe('HdddcCZ')
  expect(await answer(client, ...m.run('copy t to stdout'), m.sync)).toBe('12HdddcCZ')
  here.decide(() => ({ mask: ['public.customers.email'] }))
  client.send(m.query('copy (select id, email from customers where id = 1) to stdout'))
  expect((await client.until('Z')).find((frame) => frame[0] === 0x64)).toEqual(
    m.copyData('1\t***\n'),
  )
  client.send(m.query("copy customers to stdout (encoding 'latin1')"))
  expect(errorIn(await client.until('Z'))['D']).toContain('mask_impossible')
  here.server.sql('delete from t', 'shop')
  client.channel.close()
})

test('a COPY that fails leaves the session usable while data is still on its way', async () => {
  const client = await loggedIn(here.plainPort)
  client.send(m.query('copy t from stdin'))
  await client.until('G')
  client.send(m.copyData('not a number\n'))
  expect(errorIn(await client.until('Z'))['C']).toBe('22P02')
  expect(await answer(client, m.copyData('7\n'), m.copyDone, m.query('select 1'))).toBe('TDCZ')
  client.channel.close()
})

test('SQL cursors are masked however they are read', async () => {
  here.decide(() => ({ mask: ['public.customers.email'] }))
  const client = await loggedIn(here.plainPort)
  await answer(client, m.query('begin'))
  await answer(client, m.query('declare c cursor for select email from customers'))
  client.send(m.query('fetch 1 from c'))
  expect((await client.until('Z')).find((frame) => frame[0] === 0x44)).toEqual(m.row('***'))
  client.send(m.execute('c', 1), m.sync)
  const got = await client.until('Z')
  expect(letters(got)).toBe('DsZ')
  expect(got[0]).toEqual(m.row('***'))
  client.channel.close()
})

test('statements prepared in SQL are judged when the protocol binds them', async () => {
  const client = await loggedIn(here.plainPort)
  here.decide((command, { prepare }) =>
    command.effects.includes('delete') && prepare !== true && command.name !== 'prepare'
      ? 'deny'
      : 'allow',
  )
  await answer(client, m.query('prepare gone as delete from t'))
  expect(await answer(client, m.bind('', 'gone'), m.execute(), m.sync)).toBe('EZ')
  client.channel.close()
})

test('notifications arrive while nothing is asked', async () => {
  const client = await loggedIn(here.plainPort)
  expect(await answer(client, m.query('listen news'))).toBe('CZ')
  here.server.sql("notify news, 'hello'", 'shop')
  expect((await client.until('A')).at(-1)?.toString()).toContain('hello')
  client.channel.close()
})

test('function calls are refused, and the session goes on', async () => {
  const client = await loggedIn(here.plainPort)
  const call = message('F', int32(1598), int16(0), int16(0), int16(0))
  expect(await answer(client, call)).toBe('EZ')
  expect(await answer(client, m.query('select 1'))).toBe('TDCZ')
  client.channel.close()
})

test('a message nobody knows ends the connection, and is on record', async () => {
  const client = await loggedIn(here.plainPort)
  client.send(message('~'))
  expect(errorIn(await client.until('E'))).toMatchObject({ S: 'FATAL', C: '08P01' })
  await expect.poll(() => here.gate.closed, poll).toContainEqual(expect.any(Refusal))
})

test('a session that is ended says why', async () => {
  const client = await loggedIn(here.plainPort)
  here.gate.end(new Refusal('token_expired'))
  expect(errorIn(await client.until('E'))).toMatchObject({ S: 'FATAL', C: '28P01' })
})

test('a table made a moment ago is known', async () => {
  here.decide(() => ({ mask: ['public.customers.email'] }))
  const client = await loggedIn(here.plainPort)
  await answer(client, m.query('create table fresh (x text)'))
  await answer(client, m.query("insert into fresh values ('seen')"))
  client.send(m.query('select x from fresh'))
  expect((await client.until('Z')).find((frame) => frame[0] === 0x44)).toEqual(m.row('seen'))
  client.channel.close()
})

test('a slow reader does not make the gate hold the result', async () => {
  const client = await loggedIn(here.plainPort)
  const before = process.memoryUsage().rss
  client.send(m.query("select repeat('x', 10000) from generate_series(1, 20000)"))
  await client.until('D')
  client.channel.stop()
  client.socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 * 1024)
  let rows = 1
  client.socket.resume()
  for (;;) {
    const frame = await client.channel.read()
    if (frame?.[0] === 0x44) rows += 1
    if (frame?.[0] === 0x5a) break
  }
  expect(rows).toBe(20_000)
  client.channel.close()
})

test('every ruling has had exactly one outcome', () => {
  expect(here.gate.asked.filter(({ outcomes }) => outcomes.length > 1)).toEqual([])
})

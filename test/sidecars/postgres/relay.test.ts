import { expect, test } from 'vitest'
import type { Command, Output, Ruling, Session } from '../../../pdp/contract.ts'
import { Malformed, Refusal } from '../../../pdp/refusal.ts'
import { nothing } from '../../../sidecars/bytes.ts'
import type { Catalogue } from '../../../sidecars/postgres/catalogue.ts'
import { int16, message } from '../../../sidecars/postgres/frames.ts'
import { tracker } from '../../../sidecars/postgres/path/tracker.ts'
import { reader } from '../../../sidecars/postgres/reader.ts'
import { type Relaying, relay } from '../../../sidecars/postgres/relay.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { state } from '../../../sidecars/postgres/state.ts'
import type { NameChange, Scope, Statement } from '../../../sidecars/postgres/statement.ts'
import { type Answer, type Asked, allowed } from '../kit.ts'
import * as m from './messages.ts'

type Rig = Relaying & {
  readonly asked: Asked[]
  readonly alarms: string[]
  readonly cancelled: () => number
  /** Everything the requests turned into. */
  send(...frames: readonly Buffer[]): string
}

const customers = 16_400
const email = { name: 'email', table: customers, number: 3 }
const id = { name: 'id', table: customers, number: 1 }
const names = new Map([
  [1, 'id'],
  [3, 'email'],
])

const catalogue = {
  version: 1,
  schemas: new Set(['public']),
  sign: 'same',
  mark: '',
  byOid: (oid: number) => (oid === customers ? { kind: 'table', columns: [id, email] } : undefined),
  column: (oid: number, number: number) => {
    const column = oid === customers ? names.get(number) : undefined
    if (column === undefined) return undefined
    const sources = [`public.customers.${column}`]
    return { relation: 'public.customers', column, kind: 'table', sources, exact: true }
  },
} as unknown as Catalogue

/** `delete` is denied, `mask` masks, `few` may answer two rows, `none` more than none is an error. */
function policy(text: string): Answer {
  if (text.includes('delete')) return 'deny'
  if (text.includes('mask')) return { mask: ['public.customers.email'] }
  if (text.includes('few')) return { limits: { rows: { max: 2, exceed: 'truncate' } } }
  if (text.includes('none')) return { limits: { rows: { max: 0, exceed: 'deny' } } }
  return 'allow'
}

/** One statement per `;`; `prepare x: …`, `deallocate x`, `declare x: …`, `execute x`, `copy in`, `copy out`, `shows a,b` do what they say. */
function read(text: string, scope: Scope): readonly Statement[] {
  return text.split(';').map((one) => {
    const name = /^execute (\w+)/.exec(one)?.[1]
    if (name === undefined) return statement(one.trim())
    const inner = scope.prepared(name)?.command.text
    return { ...statement(`${one} = ${inner}`), needs: [name] }
  })
}

function statement(text: string): Statement {
  const [, kind, name = '', inner] =
    /^(prepare|deallocate|declare|close)(?: (\w+))?(?:: (.*))?$/.exec(text) ?? []
  const change =
    kind && ({ kind, name, ...(inner && { statement: statement(inner) }) } as NameChange)
  const shows = /shows (\S+)/.exec(text)?.[1]
  const copy = /^copy (in|out)/.exec(text)?.[1] as 'in' | 'out' | undefined
  const command: Command = {
    name: 'test',
    effects: [text.includes('define') ? 'define' : 'read'],
    objects: [],
    text,
    ...(text.includes('told') && { outputs: [{ name: 'n', sources: [], exact: true }] }),
    ...(shows !== undefined && { outputs: shows.split(',').map(shown) }),
  }
  return {
    command,
    names: change ? [change] : [],
    needs: [],
    rows: true,
    sign: 'same',
    searchPath: ['public'],
    ...(copy && { copy }),
  }
}

const shown = (name: string): Output => ({
  name,
  sources: [`public.customers.${name}`],
  exact: true,
})

function rig(ask?: (command: Command) => Ruling | Promise<Ruling>): Rig {
  const asked: Asked[] = []
  const alarms: string[] = []
  let cancels = 0
  const session = {
    id: 's1',
    alarm: (text: string) => void alarms.push(text),
    ask: (command: Command, asking = {}): Ruling | Promise<Ruling> => {
      const one: Asked = { command, asking, outcomes: [] }
      asked.push(one)
      if (ask !== undefined) return ask(command)
      const answer = policy(command.text ?? '')
      const decision = `d${asked.length}`
      if (answer !== 'deny') return allowed(decision, one, answer)
      return { allowed: false, id: decision, refusal: new Refusal('denied', 'no deletes') }
    },
  } as unknown as Session
  const shared = {
    current: () => catalogue,
    refresh: async () => catalogue,
    latest: async () => catalogue,
    enter: () => () => undefined,
    overdue: () => undefined,
  }
  const cancel = async (): Promise<void> => {
    cancels += 1
  }
  const relaying = relay(
    state(
      session,
      shared,
      tracker({ user: 'app', start: ['public'], current: ['public'] }),
      cancel,
    ),
    reader(read),
  )
  return {
    ...relaying,
    asked,
    alarms,
    cancelled: () => cancels,
    send: (...frames) =>
      frames
        .map((frame) => {
          const answer = relaying.request(frame)
          if (!Buffer.isBuffer(answer)) throw new Error('the relay waits')
          return m.letters(answer)
        })
        .join(''),
  }
}

const refusalIn = (bytes: Buffer) => fields(bytes)

test('what is allowed and has nothing to mask goes through as the very same bytes', () => {
  const { request, response } = rig()
  for (const frame of [m.query('select 1'), m.parse('', 'x'), m.bind('', ''), m.execute(), m.sync])
    expect(request(frame)).toBe(frame)
  for (const frame of [m.columns(id), m.row('1'), m.complete('SELECT 1'), m.ready()])
    expect(response(frame)).toBe(frame)
})

test('a refused query never leaves: a stand-in does, and its error is replaced', () => {
  const { request, response, asked } = rig()
  const sent = request(m.query('delete from customers'))
  expect(sent).toEqual(m.query('postern_refused'))
  expect(refusalIn(response(m.error('42601')))).toMatchObject({
    C: '42501',
    M: 'postern: no deletes',
    D: 'code denied, decision d1',
  })
  expect(response(m.ready('E'))).toEqual(m.ready('E'))
  expect(asked).toHaveLength(1)
})

test('one refused statement refuses the whole string', () => {
  const { request, asked } = rig()
  expect(request(m.query('select 1; delete; select 2'))).toEqual(m.query('postern_refused'))
  expect(asked.map(({ command }) => command.text)).toEqual(['select 1', 'delete'])
  expect(asked[0]?.outcomes).toEqual([{ rows: 0, bytes: 0, error: '42501' }])
})

test('a refused Parse becomes a failing one, and everything up to Sync is void', () => {
  const { send, response, asked } = rig()
  expect(send(...m.run('select 1'), ...m.run('delete'), ...m.run('select 2'), m.sync)).toBe('PBEPS')
  expect(asked.map(({ command }) => command.text)).toEqual(['select 1', 'select 1', 'delete'])
  for (const frame of [m.parsed, m.boundOk, m.complete('SELECT 1')])
    expect(response(frame)).toBe(frame)
  expect(refusalIn(response(m.error('42601')))['C']).toBe('42501')
  expect(response(m.ready())).toEqual(m.ready())
  expect(send(...m.run('select 3'), m.sync)).toBe('PBES')
})

test('after an error of the server nothing is asked until Sync', () => {
  const { send, response, asked } = rig()
  send(m.parse('', 'select 1'))
  expect(response(m.error('42P01'))).toEqual(m.error('42P01'))
  expect(send(m.bind('', ''), m.execute(), m.sync)).toBe('S')
  expect(asked).toHaveLength(1)
  expect(asked[0]?.outcomes).toEqual([{ rows: 0, bytes: 0, error: '42P01' }])
})

test('masked rows are described by the gate itself when the client never asks', () => {
  const { send, response, asked } = rig()
  expect(send(...m.run('mask shows id,email'), m.sync)).toBe('PBDES')
  expect(response(m.parsed)).toBe(m.parsed)
  expect(response(m.boundOk)).toBe(m.boundOk)
  expect(response(m.columns(id, email))).toBe(nothing)
  expect(response(m.row('7', 'ada@example.com'))).toEqual(m.row('7', '***'))
  expect(response(m.row('8', null))).toEqual(m.row('8', null))
  response(m.complete('SELECT 2'))
  response(m.ready())
  expect(asked[1]?.outcomes).toMatchObject([{ rows: 2 }])
})

test.each([
  ['an unknown origin', { name: 'email' }],
  ['a whole row', { name: 'customers', table: customers, number: 0 }],
  ['a table the catalogue does not know', { name: 'email', table: 99, number: 3 }],
  ['a type that is not text', { ...email, type: 23 }],
])('%s shows nothing while something is masked', (_, column) => {
  const { send, response } = rig()
  send(m.query('mask'))
  response(m.columns(column))
  const covered = 'type' in column ? null : '[redacted]'
  expect(response(m.row('secret'))).toEqual(m.row(covered))
  expect(response(m.row(null))).toEqual(m.row(covered))
})

test.each([
  ['has more columns', [id, email]],
  ['has another name', [{ ...email, name: 'mail' }]],
  ['comes from somewhere else', [{ ...id, name: 'email' }]],
])('an answer that %s than was read from the statement is kept back', (_, columns) => {
  const { send, response, alarms, cancelled, asked } = rig()
  send(m.query('mask shows email'))
  response(m.columns(...columns))
  expect(response(m.row(...columns.map(() => 'secret')))).toBe(nothing)
  expect(refusalIn(response(m.complete('SELECT 1')))['D']).toContain('mask_impossible')
  expect(response(m.ready())).toEqual(m.ready())
  expect(alarms).toHaveLength(1)
  expect(cancelled()).toBe(1)
  expect(asked[0]?.outcomes).toEqual([{ rows: 0, bytes: 0, error: '42501' }])
})

test('a row that was never described ends the connection', () => {
  const { send, response } = rig()
  send(m.query('mask'))
  expect(() => response(m.row('secret'))).toThrow(Malformed)
})

test('a row with another number of cells than announced ends the connection', () => {
  const { send, response } = rig()
  send(m.query('mask'))
  response(m.columns(email))
  expect(() => response(m.row('1', 'secret'))).toThrow(Malformed)
})

test('errors and notices of a masked statement keep only their SQLSTATE', () => {
  const { send, response } = rig()
  send(m.query('mask'))
  const failed = response(m.error('22P02', 'invalid input: ada@example.com'))
  expect(refusalIn(failed)).toMatchObject({ C: '22P02', D: 'decision d1' })
  expect(failed.toString()).not.toContain('example.com')
  expect(response(m.remark('ada@example.com')).toString()).not.toContain('example.com')
  response(m.ready())
  expect(response(m.remark('hello'))).toEqual(m.remark('hello'))
})

test('rows beyond a limit are cut, and the client is told', () => {
  const { send, response, asked } = rig()
  send(m.query('few'))
  response(m.columns(id))
  expect(['1', '2', '3'].map((one) => response(m.row(one)).length > 0)).toEqual([true, true, false])
  const end = response(m.complete('SELECT 3'))
  expect(m.letters(end)).toBe('NC')
  expect(end.subarray(-m.complete('SELECT 2').length)).toEqual(m.complete('SELECT 2'))
  expect(asked[0]?.outcomes).toMatchObject([{ rows: 2, truncated: true }])
})

test('a limit that denies cancels, and ends in our error either way', () => {
  for (const end of [m.error('57014'), m.complete('SELECT 1')]) {
    const { send, response, cancelled, asked } = rig()
    send(m.query('none'))
    response(m.columns(id))
    expect(response(m.row('1'))).toBe(nothing)
    expect(cancelled()).toBe(1)
    expect(refusalIn(response(end))['C']).toBe('53400')
    expect(asked[0]?.outcomes).toMatchObject([{ rows: 0, error: '53400' }])
  }
})

test('PREPARE and Parse share one namespace', () => {
  const { send, response, asked } = rig()
  send(m.query('prepare s: mask'))
  response(m.complete('PREPARE'))
  response(m.ready())
  expect(send(m.bind('', 's'), m.execute(), m.sync)).toBe('BDES')
  expect(asked.at(-1)?.command.text).toBe('mask')
})

test('a name that depends on an outstanding answer is waited for', async () => {
  const { send, request, response } = rig()
  send(m.parse('s', 'mask'), m.sync)
  const waits = request(m.bind('', 's'))
  expect(waits).toBeInstanceOf(Promise)
  response(m.error('42P05'))
  response(m.ready())
  expect(m.letters(await waits)).toBe('P')
  expect(refusalIn(response(m.error('42601')))['C']).toBe('26000')
})

test('what waits for a name that the server skipped is skipped too, and Sync gets through', async () => {
  const { send, request, response } = rig()
  send(m.parse('s', 'a'), m.query('b'))
  const waits = request(m.bind('', 's'))
  response(m.error('42P05'))
  expect(await waits).toBe(nothing)
  expect(send(m.sync)).toBe('S')
})

test('a name nobody gave is never passed on', () => {
  const { send, request, response } = rig()
  expect(request(m.bind('', 'ghost'))).toEqual(m.parse('postern_refused', 'postern_refused'))
  expect(refusalIn(response(m.error('42601')))['C']).toBe('26000')
  expect(send(m.execute('ghost'), m.sync)).toBe('S')
  response(m.ready())
  expect(send(m.execute('ghost'), m.sync)).toBe('PS')
  expect(refusalIn(response(m.error('42601')))['C']).toBe('34000')
})

test('a cursor made in SQL is judged and described when the protocol executes it', () => {
  const { send, response } = rig()
  send(m.query('declare c: mask shows email'))
  response(m.complete('DECLARE CURSOR'))
  response(m.ready('T'))
  expect(send(m.execute('c'), m.sync)).toBe('DES')
  expect(response(m.columns(email))).toBe(nothing)
  expect(response(m.row('secret'))).toEqual(m.row('***'))
})

test('DEALLOCATE ALL forgets the names but not the unnamed statement', () => {
  const { send, response } = rig()
  send(m.parse('', 'select 1'), m.parse('s', 'select 2'), m.sync)
  for (const frame of [m.parsed, m.parsed, m.ready()]) response(frame)
  send(m.parse('d', 'deallocate'), m.bind('', 'd'), m.execute(), m.sync)
  for (const frame of [m.parsed, m.boundOk, m.complete('DEALLOCATE ALL'), m.ready()])
    response(frame)
  expect(send(m.bind('', ''), m.sync)).toBe('BS')
  expect(send(m.bind('', 's'), m.sync)).toBe('PS')
})

test('a simple query ends the unnamed statement', () => {
  const { send, response } = rig()
  send(m.parse('', 'select 1'), m.sync)
  for (const frame of [m.parsed, m.ready()]) response(frame)
  send(m.query('select 2'))
  for (const frame of [m.complete('SELECT 1'), m.ready()]) response(frame)
  expect(send(m.bind('', ''), m.sync)).toBe('PS')
})

test('a portal keeps its ruling over several Executes', () => {
  const { send, response, asked } = rig()
  send(m.parse('', 'few'), m.bind('p', ''), m.execute('p', 2), m.sync)
  for (const frame of [m.parsed, m.boundOk, m.row('1'), m.row('2'), m.suspended, m.ready('T')])
    expect(response(frame)).toBe(frame)
  expect(send(m.execute('p', 2), m.sync)).toBe('ES')
  expect(response(m.row('3'))).toBe(nothing)
  response(m.complete('SELECT 1'))
  response(m.ready('T'))
  expect(asked[1]?.outcomes).toMatchObject([{ rows: 2, truncated: true }])
})

test('COPY data is passed on only while the server takes it', () => {
  const { send, response } = rig()
  expect(send(m.copyData('x'), m.copyDone)).toBe('')
  send(m.query('copy in'))
  expect(response(m.copyIn)).toBe(m.copyIn)
  expect(send(m.copyData('x'), m.sync, m.flush, m.copyDone, m.copyData('y'))).toBe('dc')
  response(m.complete('COPY 1'))
  response(m.ready())
})

test('a Sync sent along with an extended COPY is the server’s to ignore', () => {
  const { send, response } = rig()
  send(...m.run('copy in'), m.sync)
  for (const frame of [m.parsed, m.boundOk, m.copyIn]) response(frame)
  expect(send(m.copyData('x'), m.copyDone, m.sync)).toBe('dcS')
  for (const frame of [m.complete('COPY 1'), m.ready()]) expect(response(frame)).toBe(frame)
})

test('COPY TO is refused where something is masked', () => {
  const { request, response } = rig()
  expect(request(m.query('copy out mask'))).toEqual(m.query('postern_refused'))
  expect(refusalIn(response(m.error('42601')))['D']).toContain('mask_impossible')
})

test('a COPY that nobody judged as one ends the connection', () => {
  const { send, response } = rig()
  send(m.query('select 1'))
  expect(() => response(m.copyOut)).toThrow(Malformed)
})

test('function calls are refused and the session goes on', () => {
  const { request, response, send } = rig()
  expect(request(message('F', int16(0)))).toEqual(m.query('postern_refused'))
  expect(refusalIn(response(m.error('42601')))['C']).toBe('08P01')
  response(m.ready())
  expect(send(m.query('select 1'))).toBe('Q')
})

test.each(['p', 'V', 'W', 'r', '\0', '~'])('client message %j is refused', (letter) => {
  expect(() => rig().request(message(letter))).toThrow(Refusal)
})

test.each(['V', 'W', 'R', 'K', 'v', '\0', 'C', '1', '2', 's', 'Z', 'D', 'T', 'd', 'G'])(
  'server message %j out of turn ends the connection',
  (letter) => {
    expect(() => rig().response(message(letter, int16(0)))).toThrow(Malformed)
  },
)

test('settings that change what a statement means end the connection', () => {
  const { response } = rig()
  expect(() => response(message('S', 'client_encoding', 'GBK'))).toThrow(Refusal)
  expect(() => response(message('S', 'standard_conforming_strings', 'off'))).toThrow(Refusal)
  const harmless = message('S', 'TimeZone', 'UTC')
  expect(response(harmless)).toBe(harmless)
})

test('while definitions are changing nothing is believed', () => {
  const { send, response } = rig()
  send(m.query('define'), m.query('mask'))
  response(m.complete('CREATE VIEW'))
  response(m.ready('T'))
  response(m.columns(id))
  expect(response(m.row('1'))).toEqual(m.row('[redacted]'))
})

test('behind a temporary relation only the wire’s own origin is believed', async () => {
  const { send, request, response } = rig()
  send(m.query('define temp'))
  response(m.complete('CREATE VIEW'))
  response(m.ready())
  await request(m.query('mask told'))
  response(m.columns({ name: 'n' }))
  expect(response(m.row('1'))).toEqual(m.row('[redacted]'))
  response(m.complete('SELECT 1'))
  response(m.ready())
  send(m.query('mask'))
  response(m.columns(id))
  expect(response(m.row('1'))).toEqual(m.row('1'))
})

test('what a statement is said to answer is believed where the wire is silent', () => {
  const { send, response } = rig()
  send(m.query('mask told'))
  response(m.columns({ name: 'n' }))
  expect(response(m.row('1'))).toEqual(m.row('1'))
})

test('a prepared EXECUTE is judged by what the name means when it is bound', () => {
  const { send, response, asked } = rig()
  const settle = (tag: string): void => {
    response(m.complete(tag))
    response(m.ready())
  }
  send(m.query('prepare s: first'))
  settle('PREPARE')
  send(m.parse('p', 'execute s'), m.sync)
  response(m.parsed)
  response(m.ready())
  send(m.query('deallocate s'))
  settle('DEALLOCATE')
  send(m.query('prepare s: second'))
  settle('PREPARE')
  send(m.bind('', 'p'))
  expect(asked.at(-1)?.command.text).toBe('execute s = second')
})

test('a client far ahead of the server waits for it', async () => {
  const { request, response } = rig()
  for (let count = 0; count < 10_000; count += 1) request(m.describe('S', 'x'))
  const waits = request(m.sync)
  expect(waits).toBeInstanceOf(Promise)
  for (let count = 0; count < 5_000; count += 1) response(m.noData)
  expect(await waits).toBe(m.sync)
})

test('text that is not UTF-8 is incomplete', () => {
  const { request, asked } = rig()
  request(message('Q', Buffer.from([0xff, 0])))
  expect(asked[0]?.command.incomplete).toBe('the text is not valid UTF-8')
})

test('what still has no outcome gets one when the connection ends', () => {
  const { send, closed, asked } = rig()
  send(m.query('select 1'), ...m.run('select 2'))
  expect(closed()).toBe(true)
  expect(asked.map(({ outcomes }) => outcomes.length)).toEqual([1, 1, 1])
})

test('an error while a person thinks makes the held message void', async () => {
  let answer: (ruling: Ruling) => void = () => undefined
  const held = new Promise<Ruling>((resolve) => {
    answer = resolve
  })
  const done: unknown[] = []
  const yes = allowed('d', { outcomes: done as never }, 'allow')
  let asks = 0
  const { request, response } = rig(() => {
    asks += 1
    return asks < 4 ? yes : held
  })
  for (const frame of [m.parse('', 'a'), m.bind('', ''), m.parse('s', 'b')]) request(frame)
  const waits = request(m.bind('', 's'))
  response(m.parsed)
  response(m.error('22012'))
  answer(yes)
  expect(await waits).toBe(nothing)
})

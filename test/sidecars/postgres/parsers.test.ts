import { expect, test } from 'vitest'
import { Malformed, Refusal } from '../../../pdp/refusal.ts'
import { bound } from '../../../sidecars/postgres/bind.ts'
import { int16, int32, length, message, startupLength } from '../../../sidecars/postgres/frames.ts'
import { covered, masked } from '../../../sidecars/postgres/mask/change.ts'
import { rewriter } from '../../../sidecars/postgres/mask/row.ts'
import { fields, scrubbed } from '../../../sidecars/postgres/report.ts'
import { cells, description } from '../../../sidecars/postgres/rows.ts'
import { startup } from '../../../sidecars/postgres/startup.ts'
import { parameterOf } from '../../../sidecars/postgres/upstream.ts'
import { startupPacket } from './client.ts'
import * as m from './messages.ts'

const two = [undefined, covered({ typeOid: 23, binary: false })]
const honest: readonly (readonly [string, (frame: Buffer) => unknown, Buffer])[] = [
  ['startup', startup, startupPacket({ user: 'ada', database: 'shop', TimeZone: 'UTC' })],
  ['bind', bound, m.bind('p', 's', ['1', null, 'é'])],
  ['description', description, m.columns({ name: 'id', table: 1, number: 2 }, { name: 'x' })],
  ['cells', cells, m.row('1', null, '')],
  ['rewritten', (frame) => rewriter(two)(frame), m.row('1', 'secret')],
  ['report', fields, m.error('42501')],
  ['scrubbed', (frame) => scrubbed(frame, 'd1'), m.error('22P02', 'x')],
  ['parameter', parameterOf, message('S', 'TimeZone', 'UTC')],
]

/** A generator of its own, so that a failure can be repeated from its seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function onlyOurErrors(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof Refusal)) throw error
  }
}

test.each(honest)('%s reads what is honest, and nothing that was cut off', (_, parse, frame) => {
  expect(() => parse(frame)).not.toThrow()
  for (let at = 8; at < frame.length; at += 1) onlyOurErrors(() => parse(frame.subarray(0, at)))
})

test.each(honest)('%s survives broken bytes', (_, parse, frame) => {
  const next = random(7)
  for (let round = 0; round < 3_000; round += 1) {
    const bytes = Buffer.from(frame)
    for (let count = 0; count < 3; count += 1)
      bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
    onlyOurErrors(() => parse(bytes))
  }
})

test.each([
  ['a cell longer than its row', Buffer.concat([int16(1), int32(100)])],
  ['a cell of negative length', Buffer.concat([int16(1), int32(-2)])],
  ['a cell of two gigabytes', Buffer.concat([int16(1), int32(0x7fffffff)])],
  ['fewer cells than it says', int16(3)],
  ['more cells than it says', Buffer.concat([int16(0), int32(0)])],
])('a row with %s is malformed', (_, body) => {
  expect(() => cells(message('D', body))).toThrow(Malformed)
})

test('lengths that cannot be are malformed', () => {
  for (const size of [0, 3]) {
    expect(() => length(Buffer.concat([Buffer.from('Q'), int32(size)]), 0)).toThrow(Malformed)
    expect(() => startupLength(int32(size), 0)).toThrow(Malformed)
  }
  expect(length(Buffer.concat([Buffer.from('Q'), int32(-1)]), 0)).toBe(2 ** 32)
})

test('parameters are shown as text, binary ones as hex', () => {
  const binary = message(
    'B',
    'p',
    's',
    int16(2),
    int16(0),
    int16(1),
    int16(2),
    int32(1),
    Buffer.from('7'),
    int32(2),
    Buffer.from([1, 255]),
    int16(0),
  )
  expect(bound(binary)).toEqual({ portal: 'p', statement: 's', parameters: ['7', '\\x01ff'] })
})

test.each([
  [{ user: 'ada' }, { user: 'ada', database: 'ada', minor: 0 }],
  [{ user: 'ada', database: 'shop', application_name: 'x' }, { application: 'x' }],
  [{ user: 'ada', client_encoding: "'utf-8'" }, { settings: {} }],
  [{ user: 'ada', options: '  ', replication: 'false' }, { settings: {} }],
  [{ user: 'ada', datestyle: 'ISO' }, { settings: { DateStyle: 'ISO' } }],
])('startup %j is understood', (parameters, expected) => {
  expect(startup(startupPacket(parameters))).toMatchObject(expected)
})

test.each(['search_path', 'role', 'session_authorization', 'options', '__proto__', 'constructor'])(
  'startup parameter %s is refused',
  (name) => {
    expect(() => startup(startupPacket({ user: 'ada', [name]: 'x' }))).toThrow(Refusal)
  },
)

test('a rewritten row says its own length', () => {
  const rewrite = { method: 'redact', rule: 'r', text: () => '[redacted]' } as const
  const row = rewriter([masked(rewrite, { typeOid: 25, binary: false }), undefined])
  expect(row(m.row('secret', 'ok'))).toEqual(m.row('[redacted]', 'ok'))
  expect(row(m.row(null, 'ok'))).toEqual(m.row(null, 'ok'))
})

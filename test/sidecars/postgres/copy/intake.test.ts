import { describe, expect, test } from 'vitest'
import type { Mask } from '../../../../pdp/contract.ts'
import { compileMask } from '../../../../pdp/mask.ts'
import { Refusal } from '../../../../pdp/refusal.ts'
import { intake, intakeOf } from '../../../../sidecars/postgres/copy/intake.ts'
import type { CopyFacts } from '../../../../sidecars/postgres/copy/options.ts'
import { int16, int32, message } from '../../../../sidecars/postgres/frames.ts'
import type { Statement } from '../../../../sidecars/postgres/statement.ts'

const text: CopyFacts = {
  direction: 'in',
  format: 'text',
  delimiter: '\t',
  null: '\\N',
  header: false,
  quote: '"',
  escape: '"',
  others: [],
}
const csv: CopyFacts = { ...text, format: 'csv', delimiter: ',', null: '' }
const own: CopyFacts = { ...csv, quote: "'", escape: '\\' }
const binary: CopyFacts = { ...text, format: 'binary' }

const mail = { name: 's.t.mail', text: Buffer.from('hidden') }
const watched = [undefined, mail]

/** What is found in some data that comes in messages of these sizes, the last of them for all the rest. */
function found(
  options: CopyFacts,
  data: Buffer,
  sizes: readonly number[],
  by: Parameters<typeof intake>[1] = watched,
) {
  const look = intake(options, by)
  let at = 0
  for (const size of [...sizes, data.length]) {
    const refusal = look.read(message('d', data.subarray(at, at + size)))
    if (refusal !== undefined) return refusal.message
    at += size
  }
  return look.read(message('c'))?.message
}

/** The same however it is cut: at every byte, and byte by byte. */
function cut(options: CopyFacts, data: Buffer, by: Parameters<typeof intake>[1] = watched) {
  const whole = found(options, data, [], by)
  for (let at = 1; at < data.length; at += 1)
    expect(found(options, data, [at], by), `cut at ${at}`).toBe(whole)
  expect(found(options, data, Array(data.length).fill(1), by)).toBe(whole)
  return whole
}

const masked = (line: number): string =>
  `line ${line} of the data has in s.t.mail a mask that stands for a protected value`

describe('a mask that is loaded is found, however the data is cut', () => {
  test.each<readonly [CopyFacts, string, number]>([
    [text, '1\t[redacted]\n', 1],
    [text, '1\tada@example.com\n2\ta***@example.com\n', 2],
    [text, '1\ta\n2\th_0123456789abcdefghijkl', 2],
    [text, '1\ta\n2\ttok_0123456789abcdefghijkl\n\\.\n', 2],
    [text, '1\thidden\n', 1],
    [text, '1\t\\133redacted\\x5D\n', 1],
    [text, '1\ta\\\nb\n2\t*\\**\n', 2],
    [text, '1\ta\\\\\n2\t***\r\n', 2],
    [text, 'a\tb\r\n2\t***\r\n', 2],
    [text, 'a\tb\r2\t***\r', 2],
    [text, '1\t"[redacted]"\n', 1],
    [text, '1\t{ada,NULL,"[redacted]"}\n', 1],
    [text, '1\t[0:1]={"ada","tok_0123456789abcdefghijkl"}\n', 1],
    [{ ...text, delimiter: '|' }, '1|***|x\n', 1],
    [csv, '1,[redacted]\n', 1],
    [csv, '1,"a\n,b"\n2,"***"\n', 2],
    [csv, '1,"a""b"\n2,"[red"acted]\n', 2],
    [csv, '1,"say ""***"""\r\n', 1],
    [csv, '1,""\n2,***', 2],
    [own, "1,'a\\'\\\\'\n2,'***'\n", 2],
    [own, "1,'a\\b\n,'\n2,***\n", 2],
  ])('%j %j', (options, data, line) => {
    expect(cut(options, Buffer.from(data))).toBe(masked(line))
  })

  const head = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), int32(0)])
  const cell = (value: Buffer | string | null): Buffer =>
    value === null
      ? int32(-1)
      : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value as string)])
  const row = (...cells: readonly (Buffer | string | null)[]): Buffer =>
    Buffer.concat([int16(cells.length), ...cells.map(cell)])
  const array = Buffer.concat([
    ...[int32(1), int32(1), int32(25), int32(2), int32(1)],
    ...[cell(null), cell('[redacted]')],
  ])

  test.each<readonly [string, readonly Buffer[], number]>([
    ['a text', [row(int32(1), '***')], 1],
    ['behind others', [row('***', 'ada'), row('', null), row(null, ''), row('1', 'hidden')], 4],
    ['jsonb', [row('1', '\x01"a***@example.com"')], 1],
    ['an array', [row('1', array)], 1],
  ])('binary: %s', (_, rows, line) => {
    expect(cut(binary, Buffer.concat([head, int32(0), ...rows, int16(-1)]))).toBe(masked(line))
    const extension = [int32(5), Buffer.from('extra')]
    expect(cut(binary, Buffer.concat([head, ...extension, ...rows]))).toBe(masked(line))
  })

  test.each<readonly [string, Buffer]>([
    ['another signature', Buffer.alloc(30, 'x')],
    ['flags', Buffer.concat([head.subarray(0, 11), int32(1), int32(0)])],
    ['a size that cannot be', Buffer.concat([head, int32(0), int16(2), int32(-2)])],
    ['a count that cannot be', Buffer.concat([head, int32(0), int16(-2)])],
  ])('binary with %s is not loaded', (_, data) => {
    expect(cut(binary, data)).toContain('cannot be searched')
  })
})

describe('what is no mask is loaded', () => {
  test.each<readonly [CopyFacts, string]>([
    [text, '***\tada@example.com\n[redacted]\t\n'],
    [text, '1\tfive ***** stars\t***\n2\tada\\\t** x\n'],
    [text, '1\tbold **text** here\n2\t\\N\n'],
    [{ ...text, null: '***' }, '1\t***\n'],
    [csv, '***,ada\n1,"a,***\n***,b **"\n'],
    [csv, '1,hidden away\n'],
    [csv, ''],
    [binary, ''],
  ])('%j %j', (options, data) => {
    expect(cut(options, Buffer.from(data))).toBeUndefined()
  })
})

test('what no column is known of is searched whole', () => {
  expect(intake(text, undefined).read(message('d', Buffer.from('1\t2\t***\n')))?.message).toBe(
    'line 1 of the data has in column 3 a mask that stands for a protected value',
  )
})

test('a cell without end is not kept', () => {
  const look = intake(text, watched)
  const piece = message('d', Buffer.alloc(1024 * 1024, 'x'))
  const before = process.memoryUsage()
  look.read(message('d', Buffer.from('1\t')))
  for (let count = 0; count < 64; count += 1) expect(look.read(piece)).toBeUndefined()
  const after = process.memoryUsage()
  expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(32e6)
  expect(look.read(message('d', Buffer.from('\n2\t***\n')))?.message).toBe(masked(2))
})

describe('what is watched', () => {
  const rules = [
    {
      rule: 'r',
      column: 's.t.mail',
      method: 'redact',
      args: { text: 'gone' },
      on_predicate: 'deny',
    },
  ] as const
  const mask = compileMask(rules)
  const write = (name: string) => ({ kind: 'table', name, access: 'write' }) as const
  const statement = (
    into: Statement['into'],
    names: readonly string[],
    options = text,
  ): Statement => ({
    command: {
      name: 'copy_from',
      effects: ['write'],
      objects: names.map(write),
      sql: { copy: options },
    },
    names: [],
    needs: [],
    rows: false,
    copy: 'in',
    ...(into && { into }),
  })
  const looks = (one: Statement, by: Mask = mask) =>
    intakeOf(one, by)?.read(message('d', Buffer.from('gone\t***\n')))?.message

  test.each<readonly [string, Statement['into'], readonly string[], string | undefined]>([
    ['the masked column', [['s.t.mail']], ['s.t'], 'line 1 of the data has in s.t.mail'],
    ['what shows it', [['s.v.m', 's.t.mail']], ['s.v', 's.t'], 'line 1 of the data has in s.v.m'],
    ['no other column', [['s.t.id'], ['s.t.note']], ['s.t'], undefined],
    ['all where more is written along', [['s.log.id']], ['s.log', 's.t'], 'in column 2'],
    ['all where nothing is known', undefined, [], 'in column 2'],
  ])('%s', (_, into, names, expected) => {
    const said = looks(statement(into, names))
    if (expected === undefined) expect(said).toBeUndefined()
    else expect(said).toContain(expected)
  })

  test('nothing where nothing is masked', () => {
    expect(intakeOf(statement([['s.t.mail']], ['s.t']), compileMask([]))).toBeUndefined()
  })

  test.each([{ encoding: 'LATIN1' }, { format: 'parquet' }, { others: ['shuffle'] }])(
    'what is written as %j is refused',
    (more) => {
      const one = statement([['s.t.mail']], ['s.t'], { ...text, ...more })
      expect(() => intakeOf(one, mask)).toThrow(Refusal)
    },
  )
  test('options that move no border are taken', () => {
    const others = ['freeze', 'force_null', 'on_error', 'default']
    expect(looks(statement([['s.t.mail']], ['s.t'], { ...text, others }))).toContain('s.t.mail')
  })
})

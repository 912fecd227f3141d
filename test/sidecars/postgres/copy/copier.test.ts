import { expect, test } from 'vitest'
import { Malformed, Refusal } from '../../../../pdp/refusal.ts'
import { copier } from '../../../../sidecars/postgres/copy/copier.ts'
import { type CopyFacts, copyOptions } from '../../../../sidecars/postgres/copy/options.ts'
import { int16, int32, message } from '../../../../sidecars/postgres/frames.ts'
import { covered, masked } from '../../../../sidecars/postgres/mask/change.ts'

const text: CopyFacts = {
  direction: 'out',
  format: 'text',
  delimiter: '\t',
  null: '\\N',
  header: false,
  quote: '"',
  escape: '"',
  others: [],
}
const csv: CopyFacts = { ...text, format: 'csv', delimiter: ',', null: '' }
const binary: CopyFacts = { ...text, format: 'binary' }

const form = { typeOid: 25, binary: false }
/** Shows what the mask was given. */
const echo = masked({ method: 'hash', rule: 'r', text: (cell) => `<${cell}>` }, form)
const plan = [undefined, echo, undefined]
const data = (bytes: string | Buffer): Buffer => message('d', Buffer.from(bytes))

function payload(out: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < out.length; ) {
    const end = at + 1 + out.readUInt32BE(at + 1)
    parts.push(out.subarray(at + 5, end))
    at = end
  }
  return Buffer.concat(parts)
}

/** What the client gets when the data comes in messages of `size` bytes. */
function through(options: CopyFacts, bytes: string | Buffer, size: number, by = plan, max = 1e9) {
  let rows = 0
  const counted = (frame: Buffer): Buffer => {
    if (rows >= max) return Buffer.alloc(0)
    rows += 1
    return frame
  }
  const copy = copier(options, by, counted)
  const all = Buffer.from(bytes)
  const out: Buffer[] = []
  for (let at = 0; at < all.length; at += size)
    out.push(copy.data(data(all.subarray(at, at + size))))
  copy.done()
  return { shown: payload(Buffer.concat(out)), rows }
}

const cell = (value: string | null): Buffer =>
  value === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)])
const row = (...cells: readonly (string | null)[]): Buffer =>
  Buffer.concat([int16(cells.length), ...cells.map(cell)])
const head = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), int32(0), int32(0)])
const end = int16(-1)

test.each<readonly [string, CopyFacts, string | Buffer, string | Buffer, number]>([
  ['text', text, '1\tada\tx\n2\t\\N\ty\n', '1\t<ada>\tx\n2\t\\N\ty\n', 2],
  ['escapes', text, '1\ta\\tb\\\\N\\n\tx\n', '1\t<a\\tb\\\\N\\n>\tx\n', 1],
  ['a marker as a value', text, '1\t\\\\N\tx\n', '1\t<\\\\N>\tx\n', 1],
  ['another delimiter', { ...text, delimiter: '|' }, '1|a\\|b|x\n', '1|<a\\|b>|x\n', 1],
  // A value that looks like the marker comes as the marker does, so neither may pass for NULL.
  ['another marker', { ...text, null: 'ada' }, '1\tada\tx\n', '1\t<ada>\tx\n', 1],
  ['a text header', { ...text, header: true }, 'a\tb\tc\n1\tada\tx\n', 'a\tb\tc\n1\t<ada>\tx\n', 1],
  ['CSV', csv, '1,ada,x\n2,,y\n3,"",z\n', '1,<ada>,x\n2,,y\n3,"<>",z\n', 3],
  ['CSV quotes', csv, '1,"a ""b"",\n\\",x\n', '1,"<a ""b"",\n\\>",x\n', 1],
  ['a CSV header', { ...csv, header: true }, '"a\n",b,c\n1,ada,x\n', '"a\n",b,c\n1,<ada>,x\n', 1],
  ['a header alone', { ...csv, header: true }, 'a,b,c\n', 'a,b,c\n', 0],
  [
    'other quotes',
    { ...csv, quote: "'", escape: '\\', delimiter: ';', null: 'NULL' },
    "1;'a\\'\\\\;\n';x\n2;NULL;y\n3;'NULL';z\n",
    "1;'<a\\'\\\\;\n>';x\n2;NULL;y\n3;'<NULL>';z\n",
    3,
  ],
  [
    'binary',
    binary,
    Buffer.concat([head, row('1', 'ada', 'x'), row('2', null, '\n'), end]),
    Buffer.concat([head, row('1', '<ada>', 'x'), row('2', null, '\n'), end]),
    2,
  ],
])('%s, however it is cut into messages', (_, options, bytes, expected, rows) => {
  for (let size = 1; size <= Buffer.from(bytes).length; size += 1)
    expect(through(options, bytes, size)).toEqual({ shown: Buffer.from(expected), rows })
})

test('a value that would be misread is quoted', () => {
  const says = (value: string) => masked({ method: 'redact', rule: 'r', text: () => value }, form)
  for (const value of ['a,b', 'a"b', 'a\nb', 'a\rb', '', '\\.']) {
    const { shown } = through(csv, 'ada\n', 4, [says(value)])
    expect(shown.toString()).toBe(`"${value.replace('"', '""')}"\n`)
  }
  expect(through(csv, '"ada"\n', 6, [says('x')]).shown.toString()).toBe('"x"\n')
  expect(through(text, 'ada\n', 4, [says('a\tb\\\n')]).shown.toString()).toBe('a\\tb\\\\\\n\n')
})

test('what is computed is NULL in every row', () => {
  const by = [covered({ typeOid: 0, binary: false })]
  expect(through(text, 'ada\n\\N\n', 3, by).shown.toString()).toBe('\\N\n\\N\n')
  expect(through(csv, 'ada\n\n""\n', 3, by).shown.toString()).toBe('\n\n\n')
})

test('what is cut off ends as its format says', () => {
  const rows = [row('1', 'a', 'x'), row('2', 'b', 'x'), row('3', 'c', 'x')]
  const bytes = Buffer.concat([head, ...rows, end])
  const expected = Buffer.concat([head, row('1', '<a>', 'x'), end])
  for (const size of [1, 7, bytes.length])
    expect(through(binary, bytes, size, plan, 1)).toEqual({ shown: expected, rows: 1 })
  expect(through(text, '1\ta\tx\n2\tb\tx\n', 3, plan, 1).shown.toString()).toBe('1\t<a>\tx\n')
})

test.each<readonly [string, CopyFacts, string | Buffer]>([
  ['fewer cells', text, '1\tada\n'],
  ['more cells', text, '1\tada\tx\ty\n'],
  ['fewer CSV cells', csv, '1,ada\n'],
  ['more CSV cells', csv, '1,ada,x,y\n'],
  ['fewer binary cells', binary, Buffer.concat([head, row('1', '2')])],
  ['half a row', text, '1\tada\tx'],
  ['half a quote', csv, '1,"ada,x\n'],
  ['half a binary row', binary, Buffer.concat([head, row('1', 'ada', 'x').subarray(0, 9)])],
  ['another signature', binary, Buffer.concat([Buffer.from('x'), head])],
  ['binary flags', binary, Buffer.concat([head.subarray(0, 11), int32(1 << 16), int32(0)])],
  ['a size that cannot be', binary, Buffer.concat([head, int16(3), int32(-2)])],
])('%s are malformed', (_, options, bytes) => {
  expect(() => through(options, bytes, 1000)).toThrow(Malformed)
})

test('a row without end is given up', () => {
  const copy = copier(text, plan, (frame) => frame)
  const piece = data('x'.repeat(5 * 1024 * 1024))
  expect(() => {
    for (let count = 0; count < 4; count += 1) copy.data(piece)
  }).toThrow(Refusal)
})

test.each([
  [text, true],
  [{ ...csv, others: ['force_quote'] }, true],
  [{ ...text, encoding: 'UTF-8' }, true],
  [{ ...text, encoding: 'LATIN1' }, false],
  [{ ...text, format: 'parquet' }, false],
  [{ ...text, others: ['shuffle'] }, false],
  [{ ...text, delimiter: '||' }, false],
  [{ ...text, direction: 'in' }, false],
] as const)('options %j are understood: %s', (options, expected) => {
  const command = { name: 'copy_to', effects: [], objects: [], sql: { copy: options } }
  expect(copyOptions(command) !== undefined).toBe(expected)
})

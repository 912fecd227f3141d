import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { auditCommand } from '../../../pdp/audit/command.ts'
import { openAudit } from '../../../pdp/audit/log.ts'
import { clock } from './clock.ts'
import { decision, linesIn, logFiles, rewrite, scratch } from './kit.ts'

let folder = ''

beforeEach(async () => {
  folder = scratch()
  const time = clock(Date.UTC(2026, 0, 1))
  const audit = openAudit({ folder, now: time.now })
  audit.append(decision({ id: 'd1', subject: 'ada', text: 'select email from customers' }))
  audit.append({ kind: 'outcome', session: 's1', decision_id: 'd1', rows: 3, bytes: 90 })
  time.pass(60_000)
  audit.append(
    decision({
      id: 'd2',
      subject: 'bob\u001b]0;owned\u0007',
      effect: 'deny',
      rule: 'no_ddl',
      text: 'drop table \u001b[31mcustomers\u202e\n-- x',
    }),
  )
  await audit.close()
})

async function run(...args: readonly string[]) {
  let out = ''
  let err = ''
  const io = {
    stdout: (text: string) => {
      out += text
    },
    stderr: (text: string) => {
      err += text
    },
    env: {},
  }
  const code = await auditCommand(args, io, () => folder)
  return { code, out, err }
}

const publicKey = () => join(folder, 'audit.pub')

test('verify says that all is well, and the head to keep for next time', async () => {
  const { code, out, err } = await run('verify', '--key', publicKey())
  expect(code).toBe(0)
  expect(err).toBe('')
  expect(out).toMatch(
    /^OK: 5 entries in 1 files, 2 signed heads of key [0-9a-f]{16}\nhead: 5:[0-9a-f]{64}\n$/,
  )
  const head = /head: (.+)\n/.exec(out)?.[1] ?? ''
  expect(await run('verify', '--key', publicKey(), '--head', head)).toMatchObject({ code: 0 })
})

test('verify warns when the key lies beside the log', async () => {
  const { code, err } = await run('verify')
  expect(code).toBe(0)
  expect(err).toContain('Use --key')
})

test('verify names the first bad entry and fails', async () => {
  rewrite(logFiles(folder)[0] ?? '', (lines) =>
    lines.map((line, at) => (at === 2 ? line.replace('"rows":3', '"rows":4') : line)),
  )
  const { code, out } = await run('verify', '--key', publicKey())
  expect(code).toBe(1)
  expect(out).toContain('audit-000000000000001.jsonl, line 3, entry 3: changed: ')
  const json = await run('verify', '--key', publicKey(), '--json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.out)).toMatchObject({
    ok: false,
    problems: [{ what: 'changed', line: 3, seq: 3 }],
  })
})

test('verify reads an export', async () => {
  const part = join(folder, 'part.jsonl')
  writeFileSync(part, `${linesIn(folder).slice(2).join('\n')}\n`)
  const { code, out } = await run('verify', '--key', publicKey(), part)
  expect(code).toBe(0)
  expect(out).toContain('note: this part begins with entry 3')
})

test('search prints a table, newest first', async () => {
  const { code, out } = await run('search', '--kind', 'decision')
  expect(code).toBe(0)
  const lines = out.split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatch(/^time +kind +subject +resource +effect +rule +decision +text$/)
  expect(lines[1]).toMatch(
    /^2026-01-01T00:01:00.000Z +decision +bob.+shop +deny +no_ddl +d2 +drop table/,
  )
  expect(lines[2]).toMatch(
    /^2026-01-01T00:00:00.000Z +decision +ada +shop +allow +readable +d1 +select email from customers$/,
  )
})

test.each([[['search']], [['search', '--json']], [['show', 'd2']], [['show', 'd2', '--json']]])(
  '%j: nothing recorded reaches the terminal as a control',
  async (args) => {
    const { out } = await run(...args)
    expect(out).toContain('drop table')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  },
)

test('search takes all conditions, and a table can be continued', async () => {
  expect((await run('search', '--effect', 'deny', '--text', 'drop')).out).toContain('d2')
  expect((await run('search', '--to', '2026-01-01T00:00:30Z', '--json')).out).not.toContain('"d2"')
  expect((await run('search', '--subject', 'eve')).out).toBe('Nothing on record matches.\n')
  const first = await run('search', '--limit', '1', '--json')
  const cursor = /--cursor (\d+)/.exec(first.err)?.[1] ?? ''
  const second = await run('search', '--limit', '1', '--json', '--cursor', cursor)
  expect(JSON.parse(second.out)['seq']).toBe(JSON.parse(first.out)['seq'] - 1)
})

test('show tells the whole story of a decision in order', async () => {
  const { code, out } = await run('show', 'd1')
  expect(code).toBe(0)
  expect(out.indexOf('decision  (entry 2)')).toBeLessThan(out.indexOf('outcome  (entry 3)'))
  expect(out).toContain('rows         3')
  const { out: json } = await run('show', 'd1', '--json')
  expect(JSON.parse(json)).toMatchObject([{ kind: 'decision' }, { kind: 'outcome' }])
})

test.each([
  [[], 'verify, search or show?'],
  [['verfy'], 'did you mean postern audit verify?'],
  [['search', 'drop'], 'search takes options only'],
  [['search', '--limit', '0'], '--limit is a number'],
  [['search', '--from', 'yesterday'], '--from is a time'],
  [['search', '--text', '*'], 'from 1 to 20 words'],
  [['search', '--nonsense'], 'nonsense'],
  [['show'], 'which decision?'],
  [['show', 'd9'], 'd9 is not on record'],
  [['verify', '--head', 'x'], '--head is SEQ:HASH'],
  [['verify', '--key', '/nonexistent'], 'there is no such file'],
  [['verify', 'part.jsonl'], 'files need --key'],
  [['search', '--folder', '/nonexistent'], 'holds no record'],
])('%j is answered with what to do', async (args, message) => {
  await expect(run(...args)).rejects.toThrow(message)
})

test('help names every option', async () => {
  const { out } = await run('--help')
  const source = readFileSync(new URL('../../../pdp/audit/command.ts', import.meta.url), 'utf8')
  expect(source).toContain('Usage: postern audit verify')
  for (const name of [
    'key',
    'head',
    'subject',
    'resource',
    'text',
    'from',
    'to',
    'limit',
    'json',
  ]) {
    expect(out).toContain(`--${name}`)
  }
})

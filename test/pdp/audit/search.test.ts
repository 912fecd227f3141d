import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { type Finder, openFinder } from '../../../pdp/audit/finder.ts'
import { openAudit } from '../../../pdp/audit/log.ts'
import { type AuditQuery, matchOf } from '../../../pdp/audit/query.ts'
import { openSearch } from '../../../pdp/audit/search.ts'
import { clock } from './clock.ts'
import { decision, logFiles, rewrite, scratch } from './kit.ts'

const startMs = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000

/** A log with an entry an hour, and what finds in it. */
async function library(): Promise<{ folder: string; finder: Finder }> {
  const folder = scratch()
  const time = clock(startMs)
  const audit = openAudit({ folder, now: time.now, segmentBytesMax: 4000 })
  const entries = [
    decision({ id: 'd1', subject: 'ada', text: 'select * from customers' }),
    decision({
      id: 'd2',
      subject: 'ada',
      actor: 'helper',
      text: 'delete from orders',
      effect: 'deny',
      rule: 'no_deletes',
    }),
    decision({
      id: 'd3',
      subject: 'bob',
      resource: 'billing',
      text: 'select card_no from invoices',
      object: 'public.invoices',
    }),
    { kind: 'outcome' as const, session: 's1', decision_id: 'd3', rows: 3, bytes: 90 },
    {
      kind: 'hold' as const,
      session: 's2',
      decision_id: 'd4',
      resource: 'shop',
      subject: 'ada',
      by: 'carol',
      state: 'approved',
    },
    { kind: 'turned_away' as const, resource: 'shop', peer: '127.0.0.1:1', code: 'token_invalid' },
    { kind: 'admin' as const, action: 'audit_search', subject: 'carol' },
    {
      ...decision({ id: 'd5', session: 's9', text: 'sélect "Ünïcode" AND OR NOT near(x) col:y' }),
      refused: { code: 'quota_exceeded' },
    },
  ]
  for (const entry of entries) {
    time.pass(hourMs)
    audit.append(entry)
  }
  await audit.close()
  return { folder, finder: opened(folder) }
}

function opened(folder: string): Finder {
  const finder = openFinder(folder)
  onTestFinished(() => finder.close())
  while (finder.advance());
  return finder
}

function ids(finder: Finder, query: Partial<AuditQuery>): readonly unknown[] {
  return finder
    .find({ limit: 100, ...query })
    .entries.map((entry) => entry['decision_id'] ?? entry['kind'])
}

test.each<readonly [string, Partial<AuditQuery>, readonly string[]]>([
  ['subject', { subject: 'bob' }, ['d3']],
  ['an agent that acts for somebody', { subject: 'helper' }, ['d2']],
  ['a reviewer', { subject: 'carol' }, ['admin', 'd4']],
  ['resource', { resource: 'billing' }, ['d3']],
  ['effect of the decision', { effect: 'deny' }, ['d5', 'd2']],
  ['effect of the command', { effect: 'read', subject: 'bob' }, ['d3']],
  ['rule', { rule: 'no_deletes' }, ['d2']],
  ['object', { object: 'public.invoices' }, ['d3']],
  ['session', { session: 's2' }, ['d4']],
  ['decision', { decision: 'd3' }, ['d3', 'd3']],
  ['kind', { kind: 'turned_away' }, ['turned_away']],
  ['decision and kind', { decision: 'd3', kind: 'outcome' }, ['d3']],
  ['two at once', { subject: 'ada', effect: 'deny' }, ['d5', 'd2']],
  ['three at once', { subject: 'ada', effect: 'deny', rule: 'no_deletes' }, ['d2']],
  ['what is known but nowhere together', { subject: 'bob', effect: 'deny' }, []],
  ['what nobody ever was', { subject: 'eve' }, []],
  ['a word', { text: 'select' }, ['d5', 'd3', 'd1']],
  ['words in any order', { text: 'customers select' }, ['d1']],
  ['any case', { text: 'SELECT Customers' }, ['d1']],
  ['the beginning of a word', { text: 'cust*' }, ['d1']],
  ['a name with an underscore', { text: 'card_no' }, ['d3']],
  ['accents or none', { text: 'unicode' }, ['d5']],
  ['text and subject', { text: 'select', subject: 'ada' }, ['d5', 'd1']],
  ['words of the query language', { text: 'AND OR NOT' }, ['d5']],
  ['from a time', { fromMs: startMs + 7 * hourMs, kind: 'admin' }, ['admin']],
  ['from just after it', { fromMs: startMs + 7 * hourMs + 1, kind: 'admin' }, []],
  ['up to a time, without it', { toMs: startMs + 2 * hourMs, kind: 'decision' }, ['d1']],
  ['a stretch of time', { fromMs: startMs + 2 * hourMs, toMs: startMs + 4 * hourMs }, ['d3', 'd2']],
  ['a time when nothing was', { fromMs: startMs - 9 * hourMs, toMs: startMs - hourMs }, []],
])('finds by %s, newest first', async (_, query, expected) => {
  const { finder } = await library()
  expect(ids(finder, query)).toEqual(expected)
})

test('an entry comes back as it stands in the log', async () => {
  const { folder, finder } = await library()
  const [entry] = finder.find({ rule: 'no_deletes', limit: 1 }).entries
  const lines = logFiles(folder).flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  expect(lines).toContain(JSON.stringify(entry))
})

test('pages meet without a gap or a repetition', async () => {
  const { finder } = await library()
  const seen: unknown[] = []
  let cursor: string | undefined
  do {
    const page = finder.find({ limit: 3, cursor })
    seen.push(...page.entries.map((entry) => entry['seq']))
    cursor = page.cursor
  } while (cursor !== undefined)
  const newest = Number(seen[0])
  expect(seen).toEqual(Array.from({ length: newest }, (_, at) => newest - at))
})

test.each([
  ['"'],
  ['""'],
  ['a"b'],
  ["'"],
  ['*'],
  ['('],
  [')'],
  ['a)'],
  ['^a'],
  ['a^2'],
  ['-a'],
  ['+a'],
  ['a:b'],
  ['text:a'],
  ['{a b}:c'],
  ['NEAR(a b)'],
  ['NEAR'],
  ['a AND'],
  ['OR'],
  ['NOT a'],
  ['a* b*'],
  ['a\0b'],
  ['\\'],
  ['a;drop table entries'],
  ['ü*'],
  ['💾 a'],
  ['%'],
  ['_'],
])('nothing in %s is syntax', async (text) => {
  const { finder } = await library()
  try {
    expect(finder.find({ text, limit: 1 }).entries.length).toBeLessThanOrEqual(1)
  } catch (error) {
    expect(error).toMatchObject({ name: 'Refusal', code: 'bad_request' })
  }
})

test.each([[''], ['  '], ['* ( )'], [Array(21).fill('a').join(' ')]])(
  '%j is no text to look for',
  (text) => {
    expect(() => matchOf(text)).toThrow('from 1 to 20 words')
  },
)

test.each([['x'], ['-1'], ['1 or 1'], ['9'.repeat(16)]])('%s is no cursor', async (cursor) => {
  const { finder } = await library()
  expect(() => finder.find({ limit: 1, cursor })).toThrow('not one of this search')
})

test('new entries are found after they were taken in', async () => {
  const { folder, finder } = await library()
  const audit = openAudit({ folder, segmentBytesMax: 4000 })
  for (let n = 0; n < 1200; n += 1) audit.append(decision({ id: `n${n}`, subject: 'new' }))
  while (finder.advance());
  const page = finder.find({ subject: 'new', limit: 1000 })
  expect(page.entries.length).toBe(1000)
  expect(finder.find({ subject: 'new', limit: 1000, cursor: page.cursor }).entries.length).toBe(200)
  await audit.close()
})

test('half a line is taken in only when it is whole', async () => {
  const { folder, finder } = await library()
  const file = logFiles(folder).at(-1) ?? ''
  const whole = readFileSync(file)
  const line = '{"seq":99,"timestamp":"2026-02-01T00:00:00Z","kind":"admin","subject":"late"}\n'
  writeFileSync(file, Buffer.concat([whole, Buffer.from(line.slice(0, 40))]))
  expect(finder.advance()).toBe(false)
  writeFileSync(file, Buffer.concat([whole, Buffer.from(line)]))
  while (finder.advance());
  expect(ids(finder, { subject: 'late' })).toEqual(['admin'])
})

test('two indexers of one folder share the work and take in nothing twice', async () => {
  const { folder, finder } = await library()
  const other = opened(folder)
  const audit = openAudit({ folder })
  for (let n = 0; n < 1300; n += 1) audit.append(decision({ id: `n${n}`, subject: 'new' }))
  while (finder.advance() || other.advance());
  await audit.close()
  expect(ids(finder, { subject: 'new', limit: 1000 })).toHaveLength(1000)
  expect(new Set(ids(other, { subject: 'new', limit: 1000 })).size).toBe(1000)
})

test.each<readonly [string, (folder: string) => void]>([
  ['missing', (folder) => rmSync(join(folder, 'index.db'))],
  ['no database', (folder) => writeFileSync(join(folder, 'index.db'), 'noise '.repeat(1000))],
  ['of another version', (folder) => edit(folder, 'pragma user_version = 99')],
  ['of another log', (folder) => edit(folder, "update position set log = 'x'")],
  ['ahead of the log', (folder) => edit(folder, 'update position set offset = 900000')],
  ['of a file that is gone', (folder) => edit(folder, 'update position set segment = 77')],
])('an index that is %s is made anew', async (_, spoil) => {
  const { folder } = await library()
  spoil(folder)
  expect(ids(opened(folder), { subject: 'bob' })).toEqual(['d3'])
})

test('numbers that were lost and used again are indexed as the log has them', async () => {
  const { folder, finder } = await library()
  rmSync(logFiles(folder).at(-1) ?? '')
  const audit = openAudit({ folder, segmentBytesMax: 4000 })
  audit.append(decision({ id: 'again', subject: 'again' }))
  await audit.close()
  while (finder.advance());
  expect(ids(finder, { subject: 'again' })).toEqual(['again'])
  expect(finder.find({ limit: 100 }).entries.every((entry) => entry['unreadable'] !== true)).toBe(
    true,
  )
})

test('an entry that was changed in the log is not shown from memory', async () => {
  const { folder, finder } = await library()
  truncateSync(logFiles(folder)[0] ?? '')
  const page = finder.find({ decision: 'd1', limit: 1 })
  expect(page.entries).toEqual([{ seq: 2, unreadable: true }])
})

test('lines that are no entries harm nothing', async () => {
  const { folder } = await library()
  rmSync(join(folder, 'index.db'))
  rewrite(logFiles(folder)[0] ?? '', (lines) =>
    lines.map((line, at) => (at === 1 ? '[null]' : line)),
  )
  const finder = openFinder(folder)
  for (let n = 0; n < 20; n += 1) finder.advance()
  finder.close()
})

test('a thread of its own keeps the index of a log in use', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  const failures: unknown[] = []
  const search = openSearch(folder, (error) => failures.push(error))
  audit.append(decision({ id: 'd1', subject: 'ada' }))
  expect((await search.find({ subject: 'ada', limit: 10 })).entries).toMatchObject([
    { decision_id: 'd1' },
  ])
  audit.append(decision({ id: 'd2', subject: 'ada' }))
  expect((await search.find({ subject: 'ada', limit: 1 })).entries).toMatchObject([
    { decision_id: 'd2' },
  ])
  await expect(search.find({ text: '*', limit: 1 })).rejects.toMatchObject({ code: 'bad_request' })
  const many = Array.from({ length: 100 }, () =>
    search.find({ subject: 'ada', limit: 1 }).catch((error) => error.code),
  )
  const answers = await Promise.all(many)
  expect(answers.filter((answer) => answer === 'state_unavailable').length).toBe(36)
  await search.close()
  await expect(search.find({ limit: 1 })).rejects.toMatchObject({ code: 'state_unavailable' })
  await audit.close()
  expect(failures).toEqual([])
})

test('a search whose thread cannot start is refused, and the next one tries again', async () => {
  const folder = join(scratch(), 'later')
  const failures: unknown[] = []
  const search = openSearch(folder, (error) => failures.push(error))
  await expect(search.find({ limit: 1 })).rejects.toMatchObject({ code: 'state_unavailable' })
  expect(failures).toHaveLength(1)
  const audit = openAudit({ folder })
  expect((await search.find({ limit: 1 })).entries).toMatchObject([{ kind: 'genesis' }])
  await search.close()
  await audit.close()
})

test('the index is for its owner alone', async () => {
  const { folder } = await library()
  expect(statSync(join(folder, 'index.db')).mode & 0o777).toBe(0o600)
})

test('a folder without a log, or with none yet, has nothing to find', () => {
  const folder = scratch()
  mkdirSync(join(folder, 'audit'))
  const finder = opened(join(folder, 'audit'))
  expect(finder.find({ limit: 5 })).toEqual({ entries: [] })
})

function edit(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'index.db'))
  database.exec(sql)
  database.close()
}

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAudit } from '../../../pdp/audit/log.ts'
import { verifyAudit } from '../../../pdp/audit/verify.ts'
import { clock } from './clock.ts'
import { decision, linesIn, logFiles, rewrite, scratch } from './kit.ts'

const refused = expect.objectContaining({ name: 'Refusal', code: 'audit_unavailable' })

function verify(folder: string) {
  return verifyAudit({ folder, publicKey: readFileSync(join(folder, 'audit.pub'), 'utf8') })
}

test('each line carries its number, its time and the hash of the line before', async () => {
  const folder = scratch()
  const { now } = clock()
  const audit = openAudit({ folder, now })
  audit.append({ kind: 'session_open', session: 's1', peer: '127.0.0.1:5000' })
  audit.append(decision({ id: 'd1' }))
  const lines = linesIn(folder)
  expect(lines).toHaveLength(3)
  const sha = (line: string | undefined) =>
    createHash('sha256')
      .update(line ?? '')
      .digest('hex')
  const [genesis, opened, decided] = lines.map((line) => JSON.parse(line))
  expect(genesis).toMatchObject({ seq: 1, kind: 'genesis', prev: '0'.repeat(64) })
  expect(opened).toEqual({
    seq: 2,
    timestamp: '2026-01-02T03:04:05.000Z',
    prev: sha(lines[0]),
    kind: 'session_open',
    session: 's1',
    peer: '127.0.0.1:5000',
  })
  expect(decided).toMatchObject({ seq: 3, prev: sha(lines[1]), decision_id: 'd1' })
  await audit.close()
})

test('an entry is in the file before append returns', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  expect(audit.append(decision({ id: 'at-once' }))).toBeUndefined()
  expect(linesIn(folder).at(-1)).toContain('at-once')
  await audit.close()
})

test('durability disk resolves after the disk has it, one wait shared by many', async () => {
  const folder = scratch()
  const audit = openAudit({ folder, durability: 'disk' })
  const waits = Array.from({ length: 50 }, (_, n) => audit.append(decision({ id: `d${n}` })))
  for (const wait of waits) expect(wait).toBeInstanceOf(Promise)
  await Promise.all(waits)
  await audit.close()
  expect(await verify(folder)).toMatchObject({ ok: true, entries: 52, unsigned: 0 })
})

test('what nobody waits for is written before the next entry, or soon, or at close', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  audit.later({ kind: 'outcome', decision_id: 'first' })
  expect(linesIn(folder)).toHaveLength(1)
  expect(audit.status()).toMatchObject({ pending: 1, entries: 1 })
  audit.append(decision({ id: 'second' }))
  expect(linesIn(folder).map((line) => JSON.parse(line).decision_id)).toEqual([
    undefined,
    'first',
    'second',
  ])
  audit.later({ kind: 'outcome', decision_id: 'third' })
  await expect.poll(() => linesIn(folder).length, { interval: 5 }).toBe(4)
  audit.later({ kind: 'outcome', decision_id: 'fourth' })
  await audit.close()
  expect(linesIn(folder).at(-2)).toContain('fourth')
})

test('what waits is bounded: it is written when there is too much of it', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  for (let n = 0; n < 1000; n += 1) audit.later({ kind: 'outcome', decision_id: `d${n}` })
  expect(audit.status()).toMatchObject({ pending: 0, dropped: 0, entries: 1002 })
  for (let n = 0; n < 3; n += 1) audit.later({ kind: 'outcome', note: 'x'.repeat(600_000) })
  expect(audit.status().pending).toBe(1)
  await audit.close()
})

test.each([
  ['a kind of the log itself', { kind: 'checkpoint' as 'admin' }],
  ['a kind that is none', { kind: 'a","seq":9' as 'admin' }],
  ['a number of its own', { kind: 'admin' as const, seq: 1 }],
  ['a time of its own', { kind: 'admin' as const, timestamp: 'never' }],
  ['a predecessor of its own', { kind: 'admin' as const, prev: '0'.repeat(64) }],
  ['a signature of its own', { kind: 'admin' as const, signature: 'mine' }],
  ['what JSON cannot say', { kind: 'admin' as const, big: 1n }],
  ['more than a line may hold', { kind: 'admin' as const, text: 'x'.repeat(4 * 1024 * 1024) }],
])('an entry with %s is refused and harms nothing', async (_, entry) => {
  const folder = scratch()
  const audit = openAudit({ folder })
  expect(() => audit.append(entry)).toThrow(refused)
  audit.later(entry)
  audit.append(decision({ id: 'after' }))
  await audit.close()
  expect(await verify(folder)).toMatchObject({ ok: true, entries: 4 })
})

test('an outcome that cannot be recorded leaves a line that says so', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  audit.later({ kind: 'outcome', decision_id: 'd1', big: 1n })
  await audit.close()
  expect(JSON.parse(linesIn(folder)[1] ?? '')).toMatchObject({
    kind: 'outcome',
    decision_id: 'd1',
    unrecordable: 'an entry cannot be written as JSON',
  })
})

test('any text is one line: newlines, half a surrogate, control characters', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  const text = 'a\nb\r\u2028\u0000\ud800 \u001b[2J ü 💾'
  audit.append(decision({ id: 'd1', text }))
  await audit.close()
  expect(JSON.parse(linesIn(folder)[1] ?? '').input.action.text).toBe(text)
  expect(await verify(folder)).toMatchObject({ ok: true })
})

test('heads are signed by count, by time and at close', async () => {
  const folder = scratch()
  const audit = openAudit({ folder, headEvery: { entries: 10, ms: 30 } })
  for (let n = 0; n < 25; n += 1) audit.append(decision({ id: `d${n}` }))
  expect(audit.status().unsigned).toBe(5)
  await expect.poll(() => audit.status().unsigned, { interval: 5 }).toBe(0)
  audit.append(decision({ id: 'last' }))
  await audit.close()
  expect(linesIn(folder).at(-1)).toContain('"kind":"checkpoint"')
  expect(`${linesIn(folder).at(-1)}\n`).toBe(readFileSync(join(folder, 'head.json'), 'utf8'))
  expect(await verify(folder)).toMatchObject({ ok: true, heads: 5, unsigned: 0 })
})

test('files are finished by size and the chain goes on in the next', async () => {
  const folder = scratch()
  const audit = openAudit({ folder, segmentBytesMax: 10_000 })
  for (let n = 0; n < 60; n += 1) audit.append(decision({ id: `d${n}` }))
  await audit.close()
  expect(logFiles(folder).length).toBeGreaterThan(3)
  for (const file of logFiles(folder)) expect(statSync(file).size).toBeLessThan(11_000)
  const report = await verify(folder)
  expect(report).toMatchObject({ ok: true, files: logFiles(folder).length })
  const again = openAudit({ folder, segmentBytesMax: 10_000 })
  again.append(decision({ id: 'later' }))
  expect(again.tail(1)).toMatchObject([{ decision_id: 'later', seq: report.entries + 1 }])
  await again.close()
  expect(await verify(folder)).toMatchObject({ ok: true, entries: report.entries + 2 })
})

test('the key and the log are for their owner alone; the public key is for everyone', async () => {
  const folder = join(scratch(), 'audit')
  const audit = openAudit({ folder })
  const mode = (name: string) => statSync(join(folder, name)).mode & 0o777
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(mode('audit.key')).toBe(0o600)
  expect(mode('audit-000000000000001.jsonl')).toBe(0o600)
  expect(mode('head.json')).toBe(0o600)
  expect(readFileSync(join(folder, 'audit.pub'), 'utf8')).toContain('BEGIN PUBLIC KEY')
  await audit.close()
})

test('the key can live elsewhere', async () => {
  const folder = scratch()
  const keyFile = join(folder, 'my.pem')
  await openAudit({ folder: join(folder, 'audit'), keyFile }).close()
  expect(readdirSync(join(folder, 'audit'))).not.toContain('audit.key')
  await openAudit({ folder: join(folder, 'audit'), keyFile }).close()
})

test('a folder has one writer at a time', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  expect(() => openAudit({ folder })).toThrow(`in use by process ${process.pid}`)
  await audit.close()
  await openAudit({ folder }).close()
})

const child = join(import.meta.dirname, 'child.ts')

test('the lock of a process that was killed holds nobody up, and what it wrote is kept', async () => {
  const folder = scratch()
  const { signal } = spawnSync(process.execPath, [child, 'killed', folder])
  expect(signal).toBe('SIGKILL')
  const audit = openAudit({ folder })
  audit.append(decision({ id: 'after' }))
  await audit.close()
  expect(await verify(folder)).toMatchObject({ ok: true, problems: [] })
  expect(linesIn(folder).filter((line) => line.includes('before'))).toHaveLength(100)
})

test('a torn last line is set aside and recorded', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  audit.append(decision({ id: 'd1' }))
  await audit.close()
  const torn = '{"seq":4,"timestamp":"2026-01-02T03:04:05.000Z","prev":"00'
  appendFileSync(logFiles(folder)[0] ?? '', torn)
  expect(await verify(folder)).toMatchObject({ ok: false, problems: [{ what: 'torn', line: 4 }] })
  const again = openAudit({ folder })
  const [recovered] = again.tail(1)
  expect(recovered).toMatchObject({ seq: 4, kind: 'recovered' })
  const aside = String(recovered?.['torn'])
  expect(readFileSync(join(folder, aside), 'utf8')).toBe(torn)
  await again.close()
  const report = await verify(folder)
  expect(report).toMatchObject({ ok: true })
  expect(report.notes[0]).toContain(aside)
})

test('a torn piece that was set aside but not recorded is recorded on the next start', async () => {
  const folder = scratch()
  await openAudit({ folder }).close()
  writeFileSync(join(folder, 'torn-2-0badcafe'), '{"seq"')
  const audit = openAudit({ folder })
  expect(audit.tail(1)).toMatchObject([{ kind: 'recovered', torn: ['torn-2-0badcafe'] }])
  await audit.close()
  const again = openAudit({ folder })
  expect(again.tail(9).filter((entry) => entry['kind'] === 'recovered')).toHaveLength(1)
  await again.close()
})

test('every cut of the last line is found, mended and recorded', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  audit.append(decision({ id: 'd1' }))
  await audit.close()
  const file = logFiles(folder)[0] ?? ''
  const head = readFileSync(join(folder, 'head.json'))
  const whole = readFileSync(file)
  const start = whole.lastIndexOf(10, whole.length - 2) + 1
  for (let size = start; size < whole.length; size += 7) {
    writeFileSync(file, whole.subarray(0, size))
    writeFileSync(join(folder, 'head.json'), head)
    expect((await verify(folder)).ok).toBe(false)
    const again = openAudit({ folder })
    expect(again.tail(1)).toMatchObject([{ kind: 'recovered', seq: 3 }])
    await again.close()
    const report = await verify(folder)
    expect(report.problems).toMatchObject([{ what: 'truncated', seq: 3 }])
  }
})

test('signed entries that are gone at the start are recorded for good', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  for (let n = 0; n < 5; n += 1) audit.append(decision({ id: `d${n}` }))
  await audit.close()
  rewrite(logFiles(folder)[0] ?? '', (lines) => lines.slice(0, 3))
  const again = openAudit({ folder })
  expect(again.tail(1)).toMatchObject([{ kind: 'recovered', missing: { from: 4, to: 7 } }])
  await again.close()
  expect(await verify(folder)).toMatchObject({
    ok: false,
    problems: [{ what: 'truncated', seq: 4 }],
  })
})

test.each(['removed', 'emptied'])('a head that was %s is recorded for good', async (how) => {
  const folder = scratch()
  await openAudit({ folder }).close()
  if (how === 'removed') rmSync(join(folder, 'head.json'))
  else truncateSync(join(folder, 'head.json'))
  const again = openAudit({ folder })
  expect(again.tail(1)).toMatchObject([{ kind: 'recovered', head_lost: true }])
  await again.close()
  expect(await verify(folder)).toMatchObject({
    ok: false,
    problems: [{ what: 'truncated', seq: 2 }],
  })
})

test.each<readonly [string, (folder: string) => void, string]>([
  ['a changed line', (f) => edit(f, 'd1', 'dX'), 'does not continue the chain'],
  ['a dropped line', (f) => rewrite(one(f), (l) => l.toSpliced(1, 1)), 'does not continue'],
  ['another key', (f) => rmSync(join(f, 'audit.key')), 'holds no Ed25519 private key'],
  [
    'a head of another log',
    (f) => {
      mkdirSync(join(f, 'other'))
      void openAudit({ folder: join(f, 'other') }).close()
      writeFileSync(join(f, 'head.json'), readFileSync(join(f, 'other', 'head.json')))
    },
    'signed with another key',
  ],
  ['a head that is none', (f) => writeFileSync(join(f, 'head.json'), '{}'), 'not a signed line'],
  ['a head without a log', (f) => rmSync(one(f)), 'the signed head has no log'],
])('the log does not start over %s', async (_, tamper, message) => {
  const folder = scratch()
  const audit = openAudit({ folder })
  audit.append(decision({ id: 'd1' }))
  audit.append(decision({ id: 'd2' }))
  await audit.close()
  tamper(folder)
  expect(() => openAudit({ folder })).toThrow(refused)
  expect(() => openAudit({ folder })).toThrow(message)
})

test('a crash right after a file was begun loses nothing', async () => {
  const folder = scratch()
  const audit = openAudit({ folder, segmentBytesMax: 5000 })
  for (let n = 0; n < 12; n += 1) audit.append(decision({ id: `d${n}` }))
  const files = logFiles(folder)
  await audit.close()
  truncateSync(files.at(-1) ?? '')
  writeFileSync(
    join(folder, 'head.json'),
    `${readFileSync(files.at(-2) ?? '', 'utf8')
      .split('\n')
      .at(-2)}\n`,
  )
  const again = openAudit({ folder, segmentBytesMax: 5000 })
  again.append(decision({ id: 'after' }))
  await again.close()
  expect(logFiles(folder)).toEqual(files)
  expect(await verify(folder)).toMatchObject({ ok: true, problems: [] })
})

test('a full disk stops every append until there is room, and the gap is on record', async () => {
  const folder = scratch()
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, 'full', folder], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  const seen = JSON.parse(stdout)
  expect(seen.refusals.length).toBeGreaterThan(3)
  for (const code of seen.refusals) expect(code).toBe('audit_unavailable')
  expect(seen.failed.failed.reason).toMatch(/EFBIG|only part/)
  expect(seen.failed.dropped).toBeGreaterThan(0)
  expect(seen.recovered).toMatchObject({
    failed_since: expect.any(String),
    dropped: seen.failed.dropped,
  })
  expect(seen.mended.failed).toBeUndefined()
  const report = await verify(folder)
  expect(report.problems).toEqual([])
  expect(report.notes.join()).toContain('no record since')
  const ids = linesIn(folder).map((line) => JSON.parse(line).decision_id)
  for (const id of seen.recorded) expect(ids).toContain(id)
})

test('a closed log refuses', async () => {
  const audit = openAudit({ folder: scratch() })
  await audit.close()
  await audit.close()
  expect(() => audit.append(decision({ id: 'd1' }))).toThrow(refused)
  audit.later({ kind: 'outcome' })
  expect(audit.status()).toMatchObject({ dropped: 1 })
})

function one(folder: string): string {
  return logFiles(folder)[0] ?? ''
}

function edit(folder: string, from: string, to: string): void {
  const text = readFileSync(one(folder), 'utf8')
  expect(text).toContain(from)
  writeFileSync(one(folder), text.replace(from, to))
  expect(existsSync(one(folder))).toBe(true)
}

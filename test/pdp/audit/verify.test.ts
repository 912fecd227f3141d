import { generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { hashOf, lineOf } from '../../../pdp/audit/line.ts'
import { openAudit } from '../../../pdp/audit/log.ts'
import { openSigner } from '../../../pdp/audit/signer.ts'
import { verifyAudit } from '../../../pdp/audit/verify.ts'
import { decision, linesIn, logFiles, rewrite, scratch } from './kit.ts'

// One log of several files, copied for each tampering: entries 1 to 61 and more, a head about every ten.
let original = ''
let publicKey = ''

beforeAll(async () => {
  const { mkdtempSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  original = mkdtempSync(join(tmpdir(), 'postern-audit-'))
  const audit = openAudit({
    folder: original,
    segmentBytesMax: 12_000,
    headEvery: { entries: 10, ms: 60_000 },
  })
  for (let n = 0; n < 60; n += 1) audit.append(decision({ id: `d${n}` }))
  await audit.close()
  publicKey = readFileSync(join(original, 'audit.pub'), 'utf8')
  return () => rmSync(original, { recursive: true })
})

function copy(): string {
  const folder = scratch()
  cpSync(original, folder, { recursive: true })
  return folder
}

function file(folder: string, index: number): string {
  return logFiles(folder).at(index) ?? ''
}

test('an untouched log verifies with nothing but the public key', async () => {
  const report = await verifyAudit({ folder: copy(), publicKey })
  const lines = linesIn(original)
  expect(report).toMatchObject({
    ok: true,
    entries: lines.length,
    files: logFiles(original).length,
    first_seq: 1,
    last_seq: lines.length,
    last_hash: hashOf(lines.at(-1) ?? ''),
    unsigned: 0,
    problems: [],
    notes: [],
  })
  expect(logFiles(original).length).toBeGreaterThan(2)
})

type Tampering = readonly [
  what: string,
  tamper: (folder: string) => void,
  first: { readonly what: string; readonly seq?: number; readonly line?: number },
]

test.each<Tampering>([
  ['edit a byte', (f) => change(f, 4, '"d3"', '"dX"'), { what: 'changed', seq: 5, line: 5 }],
  ['edit a time', (f) => change(f, 4, 'Z"', '0"'), { what: 'changed', seq: 5, line: 5 }],
  [
    'edit a number',
    (f) => change(f, 4, '"seq":5', '"seq":9'),
    { what: 'missing', seq: 9, line: 5 },
  ],
  [
    'edit the link',
    (f) => change(f, 4, /"prev":".{8}/, '"prev":"00000000'),
    { what: 'changed', seq: 5, line: 5 },
  ],
  ['turn a line into noise', (f) => change(f, 4, /.+/, 'noise'), { what: 'unreadable', line: 5 }],
  ['empty a line', (f) => change(f, 4, /.+/, ''), { what: 'unreadable', line: 5 }],
  [
    'drop a line',
    (f) => lines(f, 0, (l) => l.toSpliced(4, 1)),
    { what: 'missing', seq: 6, line: 5 },
  ],
  [
    'drop the first line',
    (f) => lines(f, 0, (l) => l.slice(1)),
    { what: 'missing', seq: 2, line: 1 },
  ],
  ['drop the last line of a file', (f) => lines(f, 0, (l) => l.slice(0, -1)), { what: 'missing' }],
  ['drop the last line', (f) => lines(f, -1, (l) => l.slice(0, -1)), { what: 'truncated' }],
  ['truncate the tail', (f) => lines(f, -1, (l) => l.slice(0, -5)), { what: 'truncated' }],
  [
    'cut the last line',
    (f) => writeFileSync(file(f, -1), bytes(f, -1).subarray(0, -9)),
    { what: 'truncated' },
  ],
  [
    'cut a line in the middle',
    (f) => writeFileSync(file(f, 1), bytes(f, 1).subarray(0, -9)),
    { what: 'forged' },
  ],
  ['empty the last file', (f) => writeFileSync(file(f, -1), ''), { what: 'truncated' }],
  ['remove the last file', (f) => rmSync(file(f, -1)), { what: 'truncated' }],
  ['remove a file in the middle', (f) => rmSync(file(f, 1)), { what: 'missing' }],
  ['remove the first file', (f) => rmSync(file(f, 0)), { what: 'missing', line: 1 }],
  ['remove all files', removeAll, { what: 'truncated' }],
  ['swap two lines', (f) => lines(f, 0, swap(4, 5)), { what: 'missing', seq: 6, line: 5 }],
  ['swap two files', swapFiles, { what: 'missing' }],
  ['rename a file', renameLast, { what: 'out_of_order', line: 1 }],
  [
    'repeat a line',
    (f) => lines(f, 0, (l) => l.toSpliced(4, 0, l[4] ?? '')),
    { what: 'out_of_order', seq: 5, line: 6 },
  ],
  ['repeat a file', (f) => cpSync(file(f, 0), name(f, 500)), { what: 'out_of_order', seq: 1 }],
  ['add a line at the end', addLine, { what: 'unreadable' }],
  ['replay an old head', replayHead, { what: 'old_head' }],
  ['replay an old log under a new head', replayLog, { what: 'truncated' }],
  ['remove the head', (f) => rmSync(join(f, 'head.json')), { what: 'truncated' }],
  ['empty the head', (f) => writeFileSync(join(f, 'head.json'), ''), { what: 'unreadable' }],
  [
    'edit the head',
    (f) => rewrite(join(f, 'head.json'), ([l]) => [String(l).replace('Z"', '0"')]),
    { what: 'forged' },
  ],
  [
    'put an entry for the head',
    (f) => writeFileSync(join(f, 'head.json'), `${linesIn(f)[4]}\n`),
    { what: 'forged' },
  ],
  ['edit and chain anew', (f) => chainAnew(f, undefined), { what: 'forged', seq: 12 }],
  ['edit, chain and sign anew', (f) => chainAnew(f, otherKey(f)), { what: 'forged', seq: 1 }],
  ['another log by the same key', otherLog, { what: 'forked' }],
])('%s', async (_, tamper, first) => {
  const folder = copy()
  tamper(folder)
  const report = await verifyAudit({ folder, publicKey })
  expect(report.ok).toBe(false)
  expect(report.problems[0]).toMatchObject(first)
  expect(report.problems[0]?.file).toMatch(/^(audit-\d{15}\.jsonl|head\.json)$/)
})

test('every single changed byte is found', async () => {
  const folder = scratch()
  const audit = openAudit({ folder })
  audit.append({ kind: 'admin', what: 'login' })
  await audit.close()
  const key = readFileSync(join(folder, 'audit.pub'), 'utf8')
  const whole = readFileSync(file(folder, 0))
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(file(folder, 0), changed)
    const report = await verifyAudit({ folder, publicKey: key })
    expect([at, report.ok]).toEqual([at, false])
  }
})

test('a log cut back together with its head is found with a head known from before', async () => {
  const folder = copy()
  const { last_seq: seq = 0, last_hash: hash = '' } = await verifyAudit({ folder, publicKey })
  const anchor = { seq, hash }
  expect(await verifyAudit({ folder, publicKey, anchor })).toMatchObject({ ok: true })
  const head = linesIn(folder)[11] ?? ''
  for (const extra of logFiles(folder).slice(1)) rmSync(extra)
  rewrite(file(folder, 0), (all) => all.slice(0, 12))
  writeFileSync(join(folder, 'head.json'), `${head}\n`)
  expect(await verifyAudit({ folder, publicKey })).toMatchObject({ ok: true, entries: 12 })
  expect(await verifyAudit({ folder, publicKey, anchor })).toMatchObject({
    ok: false,
    problems: [{ what: 'truncated' }],
  })
  const forked = { seq: 12, hash: '0'.repeat(64) }
  expect(await verifyAudit({ folder, publicKey, anchor: forked })).toMatchObject({
    ok: false,
    problems: [{ what: 'forked', seq: 12 }],
  })
})

test('a part of a log verifies by itself', async () => {
  const folder = copy()
  const files = [file(folder, 1)]
  const report = await verifyAudit({ files, publicKey })
  expect(report).toMatchObject({ ok: true, problems: [] })
  expect(report.first_seq).toBeGreaterThan(1)
  change(folder, 4, 'public.customers', 'public.employees', 1)
  expect(await verifyAudit({ files, publicKey })).toMatchObject({
    problems: [{ what: 'changed', line: 5 }],
  })
})

test('a log in use verifies while it grows', async () => {
  const folder = scratch()
  const audit = openAudit({ folder, segmentBytesMax: 40_000, headEvery: { entries: 3, ms: 1 } })
  const key = readFileSync(join(folder, 'audit.pub'), 'utf8')
  let writing = true
  const writes = (async () => {
    for (let n = 0; writing; n += 1) {
      audit.append(decision({ id: `d${n}` }))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  for (let n = 0; n < 8; n += 1) {
    expect((await verifyAudit({ folder, publicKey: key })).problems).toEqual([])
  }
  writing = false
  await writes
  await audit.close()
})

test('the signed heads between two crashes are enough: an unsigned end is counted, not guessed', async () => {
  const folder = scratch()
  const audit = openAudit({ folder, headEvery: { entries: 10, ms: 60_000 } })
  for (let n = 0; n < 4; n += 1) audit.append(decision({ id: `d${n}` }))
  const key = readFileSync(join(folder, 'audit.pub'), 'utf8')
  expect(await verifyAudit({ folder, publicKey: key })).toMatchObject({ ok: true, unsigned: 4 })
  await audit.close()
})

test('with another key it does not verify', async () => {
  const report = await verifyAudit({ folder: copy(), publicKey: pem('ed25519') })
  expect(report.problems[0]).toMatchObject({ what: 'forged', seq: 1 })
  expect(report).toMatchObject({ ok: false, heads: 0 })
})

test.each([['not a key'], [pem('x25519')]])(
  'a public key of another kind is refused',
  async (key) => {
    await expect(verifyAudit({ folder: original, publicKey: key })).rejects.toThrow(
      'not an Ed25519',
    )
  },
)

test('findings are bounded', async () => {
  const folder = copy()
  for (const name of logFiles(folder)) rewrite(name, (all) => all.flatMap((l) => [l, l, l]))
  expect((await verifyAudit({ folder, publicKey })).problems).toHaveLength(100)
})

function pem(type: 'ed25519' | 'x25519'): string {
  const { publicKey: key } = generateKeyPairSync(type as 'ed25519')
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

function bytes(folder: string, index: number): Buffer {
  return readFileSync(file(folder, index))
}

function name(folder: string, seq: number): string {
  return join(folder, `audit-${String(seq).padStart(15, '0')}.jsonl`)
}

function lines(folder: string, index: number, edit: (lines: string[]) => readonly string[]): void {
  rewrite(file(folder, index), edit)
}

function change(folder: string, at: number, from: string | RegExp, to: string, index = 0): void {
  lines(folder, index, (all) => {
    const changed = (all[at] ?? '').replace(from, to)
    expect(changed).not.toBe(all[at])
    return all.with(at, changed)
  })
}

function swap(a: number, b: number) {
  return (all: string[]) => all.with(a, all[b] ?? '').with(b, all[a] ?? '')
}

function swapFiles(folder: string): void {
  const [a, b] = [file(folder, 0), file(folder, 1)]
  renameSync(a, `${a}.x`)
  renameSync(b, a)
  renameSync(`${a}.x`, b)
}

function renameLast(folder: string): void {
  renameSync(file(folder, -1), name(folder, 900))
}

function removeAll(folder: string): void {
  for (const log of logFiles(folder)) rmSync(log)
}

function addLine(folder: string): void {
  appendFileSync(file(folder, -1), '{"seq":1,"kind":"admin"}\n')
}

function replayHead(folder: string): void {
  writeFileSync(join(folder, 'head.json'), `${linesIn(folder)[11]}\n`)
}

function replayLog(folder: string): void {
  for (const extra of logFiles(folder).slice(1)) rmSync(extra)
  lines(folder, 0, (all) => all.slice(0, 12))
}

function otherKey(folder: string) {
  mkdirSync(join(folder, 'other'))
  return openSigner(join(folder, 'other', 'key'), true)
}

// Changes entry 5, then repairs every link after it and, given a key, every signature.
function chainAnew(folder: string, signer: ReturnType<typeof openSigner> | undefined): void {
  let prev = '0'.repeat(64)
  let line = ''
  for (const log of logFiles(folder)) {
    rewrite(log, (all) =>
      all.map((text) => {
        const { seq, timestamp, prev: _, signature, ...entry } = JSON.parse(text)
        if (seq === 5) entry.decision_id = 'forged'
        const place = { seq, timestamp, prev }
        if (signature === undefined) line = lineOf(place, JSON.stringify(entry))
        else if (signer === undefined) line = lineOf(place, JSON.stringify({ ...entry, signature }))
        else line = signer.line(place, (({ key_id, ...rest }) => rest)(entry))
        prev = hashOf(line)
        return line
      }),
    )
  }
  writeFileSync(join(folder, 'head.json'), `${line}\n`)
}

// The same key keeps a second log; its files take the place of the first one's.
function otherLog(folder: string): void {
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  const audit = openAudit({
    folder: elsewhere,
    keyFile: join(folder, 'audit.key'),
    segmentBytesMax: 12_000,
  })
  for (let n = 0; n < 90; n += 1) audit.append(decision({ id: `e${n}` }))
  void audit.close()
  for (const log of logFiles(folder)) rmSync(log)
  for (const log of logFiles(elsewhere)) cpSync(log, log.replace('/elsewhere', ''))
}

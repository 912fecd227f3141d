/** Decisions of a real record, in a real thread, to a real receiver. */
import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decisionNamed, folderOf, receiving, recordIn, sending } from './kit.ts'

const soon = { timeout: 20_000, interval: 20 }
const ids = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `d${from + n}`)

test('decisions arrive in order, in batches of valid gzip, and nothing else does', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  record.append(decisionNamed('before'))
  const to = await receiving()
  const log = sending(folder, record, to.url)
  for (const id of ids(300)) {
    record.append(decisionNamed(id))
    record.later({ kind: 'outcome', decision_id: id, rows: 1 })
  }
  await expect.poll(() => to.events.length, soon).toBe(300)
  expect(to.events.map((event) => event.decision_id)).toEqual(ids(300))
  expect(to.requests[0]).toMatchObject({
    path: '/logs',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  })
  await expect.poll(() => log.status().sent, soon).toBe(300)
  expect(log.status()).toMatchObject({ lag_s: 0, failures: 0, shrunk: 0, lost: 0, crashes: 0 })
  await record.close()
})

test('an upload is never larger than configured', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  const log = sending(folder, record, to.url, { uploadBytesMax: 4_096 })
  for (const id of ids(200))
    record.append(decisionNamed(id, { session: randomBytes(200).toString('hex') }))
  await expect.poll(() => to.events.length, soon).toBe(200)
  expect(Math.max(...to.requests.map(({ bytes }) => bytes))).toBeLessThanOrEqual(4_096)
  expect(to.requests.length).toBeGreaterThan(10)
  expect(to.events.map((event) => event.decision_id)).toEqual(ids(200))
  await expect.poll(() => log.status().batches, soon).toBe(to.requests.length)
  await record.close()
})

test('what a receiver does not accept is sent again, also when it is silent', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  to.answers = [500, 429, 'silence']
  const receiver = { url: to.url, timeoutMs: 300 }
  const log = sending(folder, record, to.url, { receiver })
  for (const id of ids(5)) record.append(decisionNamed(id))
  await expect.poll(() => log.status().failures, soon).toBe(2)
  expect(log.status()).toMatchObject({
    code: 'decision_log_error',
    message: 'the receiver answered 429',
    http_code: '429',
  })
  expect(JSON.stringify(log.status())).not.toContain('canary')
  await expect.poll(() => to.events.length, { ...soon, timeout: 30_000 }).toBe(5)
  await expect.poll(() => log.status().failures, soon).toBe(3)
  await expect.poll(() => log.status(), soon).not.toHaveProperty('message')
  expect(to.events.map((event) => event.decision_id)).toEqual(ids(5))
  await record.close()
}, 60_000)

test('a receiver that is away and comes back gets everything', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const first = await receiving()
  const port = Number(new URL(first.url).port)
  const log = sending(folder, record, first.url)
  record.append(decisionNamed('d0'))
  await expect.poll(() => first.events.length, soon).toBe(1)
  await first.stop()
  for (const id of ids(50, 1)) record.append(decisionNamed(id))
  await expect.poll(() => log.status().message, soon).toMatch(/cannot be reached: ECONNREFUSED/)
  const again = await receiving(port)
  await expect.poll(() => again.events.length, soon).toBe(50)
  expect(again.events.map((event) => event.decision_id)).toEqual(ids(50, 1))
  await record.close()
}, 60_000)

test('a gate that starts again goes on where delivery ended, over several files of the record', async () => {
  const folder = folderOf()
  const options = { segmentBytesMax: 20_000 }
  let record = recordIn(folder, options)
  const to = await receiving()
  const one = sending(folder, record, to.url)
  for (const id of ids(30)) record.append(decisionNamed(id))
  await expect.poll(() => to.events.length, soon).toBe(30)
  await one.close(5_000)
  for (const id of ids(100, 30)) record.append(decisionNamed(id))
  await record.close()
  record = recordIn(folder, options)
  for (const id of ids(10, 130)) record.append(decisionNamed(id))
  sending(folder, record, to.url)
  await expect.poll(() => to.events.length, soon).toBe(140)
  expect(to.events.map((event) => event.decision_id)).toEqual(ids(140))
  expect(
    readdirSync(join(folder, 'audit')).filter((name) => name.endsWith('.jsonl')).length,
  ).toBeGreaterThan(2)
  await record.close()
})

test('a gate that stops sends what is there, if the receiver takes it', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  const log = sending(folder, record, to.url, { delayMs: 60_000 })
  for (const id of ids(20)) record.append(decisionNamed(id))
  await log.close(10_000)
  expect(to.events.map((event) => event.decision_id)).toEqual(ids(20))
  await record.close()
})

test('a decision that is too large is sent without question and answer, counted and alarmed', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  const log = sending(folder, record, to.url, { uploadBytesMax: 4_096 })
  const text = randomBytes(20_000).toString('hex')
  record.append(decisionNamed('small'))
  record.append(decisionNamed('large', { input: { action: { text } } }))
  record.append(decisionNamed('next'))
  await expect.poll(() => to.events.length, soon).toBe(3)
  expect(to.events.map((event) => event.decision_id)).toEqual(['small', 'large', 'next'])
  expect(to.events[1]).toMatchObject({
    erased: ['/input', '/result', '/custom'],
    path: 'postern/decision',
  })
  expect(to.events[1]).not.toHaveProperty('input')
  await expect.poll(() => log.status().shrunk, soon).toBe(1)
  expect(log.alarms).toEqual([{ text: expect.stringContaining('too large'), decision: 'large' }])
  await record.close()
})

test('a receiver that takes less than configured gets smaller uploads', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  to.answers = [413, 413]
  sending(folder, record, to.url)
  for (const id of ids(400))
    record.append(decisionNamed(id, { session: randomBytes(100).toString('hex') }))
  await expect.poll(() => to.events.length, soon).toBe(400)
  expect(new Set(to.events.map((event) => event.decision_id)).size).toBe(400)
  await record.close()
})

test('decisions that wait too long are an alarm, once', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  to.answers = Array.from({ length: 50 }, () => 503)
  const log = sending(folder, record, to.url, { alarmAfterMs: 500 })
  record.append(decisionNamed('d0'))
  await expect.poll(() => log.alarms.length, soon).toBe(1)
  expect(log.alarms[0]?.text).toMatch(
    /^decisions wait to be delivered since \d+ s: the receiver answered 503/,
  )
  await expect.poll(() => log.status().late, soon).toBe(true)
  expect(log.status().behind_bytes).toBeGreaterThan(0)
  expect(log.alarms).toHaveLength(1)
  await record.close()
})

test('a part of the record that was taken away is counted and alarmed', async () => {
  const folder = folderOf()
  const options = { segmentBytesMax: 5_000 }
  const record = recordIn(folder, options)
  const to = await receiving()
  const one = sending(folder, record, to.url)
  await one.close(5_000)
  for (const id of ids(60)) record.append(decisionNamed(id))
  const files = readdirSync(join(folder, 'audit'))
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
  for (const file of files.slice(0, 2)) renameSync(join(folder, 'audit', file), join(folder, file))
  const two = sending(folder, record, to.url)
  await expect.poll(() => to.events.at(-1)?.decision_id, soon).toBe('d59')
  await expect.poll(() => two.status().lost, soon).toBe(1)
  expect(two.alarms).toEqual([
    {
      text: expect.stringMatching(/^entries \d+ to \d+ of the record are gone$/),
      decision: undefined,
    },
  ])
  await record.close()
})

test('a record that lost its end is read again from that file on: twice, but not never', async () => {
  const folder = folderOf()
  let record = recordIn(folder)
  const to = await receiving()
  const one = sending(folder, record, to.url)
  for (const id of ids(10)) record.append(decisionNamed(id))
  await expect.poll(() => to.events.length, soon).toBe(10)
  await one.close(5_000)
  const { file, file_bytes: bytes } = record.status()
  for (const id of ids(10, 10)) record.append(decisionNamed(id))
  await record.close()
  // As after a power cut: the position is beyond what is left.
  truncateSync(file, bytes - 2_000)
  record = recordIn(folder)
  for (const id of ids(3, 20)) record.append(decisionNamed(id))
  sending(folder, record, to.url)
  await expect.poll(() => to.events.at(-1)?.decision_id, soon).toBe('d22')
  const seen = to.events.map((event) => event.decision_id)
  expect(seen.filter((id) => id === 'd0')).toHaveLength(2)
  for (const id of ids(3, 20)) expect(seen.filter((one) => one === id)).toHaveLength(1)
  await record.close()
})

test('a position that cannot be read is not guessed', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  const one = sending(folder, record, to.url)
  await one.close(5_000)
  writeFileSync(join(folder, 'decision-logs', 'position.json'), '{"segment":')
  expect(() => sending(folder, record, to.url)).toThrow(/holds no position: remove it/)
  await record.close()
})

test('the token is read where it is named, and is nowhere else', async () => {
  const folder = folderOf()
  const record = recordIn(folder)
  const to = await receiving()
  const file = join(folder, 'token')
  writeFileSync(file, 'canary-token\n')
  const receiver = { url: to.url, auth: { kind: 'bearer', token: { file } } } as const
  const log = sending(folder, record, to.url, { receiver })
  record.append(decisionNamed('d0'))
  await expect.poll(() => to.events.length, soon).toBe(1)
  expect(to.requests[0]?.headers.authorization).toBe('Bearer canary-token')
  writeFileSync(file, '')
  record.append(decisionNamed('d1'))
  await expect.poll(() => log.status().message, soon).toMatch(/file .*token/)
  expect(JSON.stringify([log.status(), log.alarms, to.events])).not.toContain('canary-token')
  await record.close()
})

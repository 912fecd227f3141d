import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { holdsCommand } from '../../../pdp/commands/holds.ts'
import { type Io, meant } from '../../../pdp/commands/io.ts'
import { printable, printableJson } from '../../../pdp/commands/printable.ts'
import { statusCommand } from '../../../pdp/commands/status.ts'
import { hold, running } from '../server/kit.ts'

type Ran = { readonly status: number; readonly out: string }
type Command = (args: readonly string[], io: Io) => Promise<number>

async function run(command: Command, args: readonly string[], env: Io['env']): Promise<Ran> {
  let out = ''
  const say = (text: string): void => {
    out += text
  }
  return { status: await command(args, { stdout: say, stderr: say, env }), out }
}

async function gateFor(token: string, options = {}): Promise<Io['env']> {
  const { port } = await running(options)
  return { POSTERN_SERVER: `http://127.0.0.1:${port}`, POSTERN_TOKEN: token }
}

test('holds are listed, shown and answered', async () => {
  const env = await gateFor('token-rita')
  const list = await run(holdsCommand, ['list'], env)
  expect(list).toEqual({
    status: 0,
    out: 'h1  pending  shop  ada  delete from orders where id = $1\n',
  })
  const shown = await run(holdsCommand, ['show', 'h1'], env)
  expect(shown.out).toContain('command   delete from orders where id = $1\n  $1      7\n')
  const approved = await run(holdsCommand, ['approve', 'h1', '--note', 'a test'], env)
  expect(approved.status).toBe(0)
  expect(approved.out).toMatch(/^hold {6}h1 {2}approved\n/)
  expect(approved.out).toContain('approve   rita: a test\n')
  expect(JSON.parse((await run(holdsCommand, ['list', '--json'], env)).out)).toEqual([])
})

test('a token file is as good as the environment', async () => {
  const { POSTERN_SERVER } = await gateFor('')
  const folder = mkdtempSync(join(tmpdir(), 'postern-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), 'token-root\n')
  const args = ['--token-file', join(folder, 'token'), '--server', POSTERN_SERVER ?? '']
  const { status, out } = await run(statusCommand, args, {})
  expect(status).toBe(0)
  expect(JSON.parse(out)).toEqual({ version: '1.2.3' })
})

test('what a hold holds cannot move the cursor or hide', async () => {
  const text = 'select 1 \u001b[2K\u202e-- \u200b\u009b2J\ndrop table x'
  const env = await gateFor('token-rita', { all: [hold('h1', { text })] })
  for (const args of [['list'], ['show', 'h1'], ['list', '--json']]) {
    const { out } = await run(holdsCommand, args, env)
    expect(out).not.toMatch(/[^\n\x20-\x7e]/)
    expect(out).toContain('drop table x')
  }
})

test.each([
  [['approve', 'none'], 'token-rita', 'there is no such hold (hold_unknown)'],
  [['approve', 'h1'], 'token-ada', 'nobody answers their own hold (own_hold)'],
  [['list'], 'token-nobody', 'the token was not accepted (token_invalid)'],
  [['list', '--state', 'x'], 'token-rita', 'bad_request'],
])('holds %j as %s fails with the gate’s own words', async (args, token, message) => {
  const env = await gateFor(token)
  await expect(run(holdsCommand, args, env)).rejects.toThrow(message)
})

test.each([
  [['lsit'], {}, 'did you mean list?'],
  [['approve'], {}, 'which hold?'],
  [['approve', 'a', 'b'], {}, 'one hold at a time'],
  [['list', '--nope'], {}, "Unknown option '--nope'"],
  [['list'], { POSTERN_SERVER: undefined }, 'which gate?'],
  [['list'], { POSTERN_SERVER: 'ftp://x' }, 'no http or https URL'],
  [['list'], { POSTERN_SERVER: 'http://gate.example.com' }, 'unencrypted'],
  [['list'], { POSTERN_SERVER: 'http://127.0.0.1.example.com' }, 'unencrypted'],
  [['list'], { POSTERN_TOKEN: '' }, 'who are you?'],
  [['list'], { POSTERN_TOKEN: 'a\nb' }, 'characters no token has'],
])('holds %j with %j is wrong usage: %s', async (args, more, message) => {
  const env = { POSTERN_SERVER: 'http://127.0.0.1:1', POSTERN_TOKEN: 't', ...more }
  await expect(run(holdsCommand, args, env)).rejects.toMatchObject({
    name: 'Usage',
    message: expect.stringContaining(message),
  })
})

test('a gate that is not there is one clear sentence without the token', async () => {
  const env = { POSTERN_SERVER: 'http://127.0.0.1:1', POSTERN_TOKEN: 'cnry-token' }
  const failing = run(statusCommand, [], env)
  await expect(failing).rejects.toThrow(/^http:\/\/127\.0\.0\.1:1 does not answer: /)
  await expect(failing).rejects.not.toThrow('cnry')
})

test('help is help', async () => {
  for (const command of [holdsCommand, statusCommand]) {
    const { status, out } = await run(command, ['--help'], {})
    expect(status).toBe(0)
    expect(out).toMatch(/^Usage: postern /)
  }
})

test.each([
  ['plain text, ümläut 漢字', 'plain text, ümläut 漢字'],
  ['a\nb\tc\r', 'a\\nb\\tc\\u{d}'],
  ['\u001b]0;x\u0007', '\\u{1b}]0;x\\u{7}'],
  ['\u{e0041}\u2028', '\\u{e0041}\\u{2028}'],
])('%j is printed as %s', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('JSON for a terminal is still the same JSON', () => {
  const value = { text: 'a\u009b\u202e\u{e0041}\n', list: [1, null] }
  expect(JSON.parse(printableJson(value))).toEqual(value)
  expect(printableJson(value)).not.toMatch(/[^\n\x20-\x7e]/)
})

test.each([
  ['serv', 'serve'],
  ['chekc', 'check'],
  ['xyz', undefined],
  ['s'.repeat(10_000), undefined],
])('%s was probably meant as %s', (word, command) => {
  expect(meant(word, ['serve', 'check', 'decide'])).toBe(command)
})

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { type CredentialParts, credentials } from '../../pdp/credential.ts'
import { secret } from '../../pdp/secret.ts'
import { canary, clock, refusalFrom } from './kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-credential-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string): string => join(folder, name)

const reveal = async (given: ReturnType<typeof credentials>): Promise<string> =>
  (await given.credential()).secret.reveal()
const from = (source: CredentialParts['source'], rest: Partial<CredentialParts> = {}) =>
  credentials({ username: 'gate', source, ...rest })
const script = (body: string): [string, ...string[]] => [process.execPath, '-e', body]

test('a secret shows itself to nobody who does not ask', () => {
  const hidden = secret(canary)
  const shown = [
    `${hidden}`,
    JSON.stringify({ hidden }),
    inspect({ hidden }, { showHidden: true, depth: 9 }),
  ]
  expect(shown.join()).not.toContain(canary)
  expect(shown.every((text) => text.includes('[secret]'))).toBe(true)
  expect(Object.keys(hidden)).toEqual([])
  expect(() => structuredClone(hidden).reveal()).toThrow()
  expect(hidden.reveal()).toBe(canary)
})

describe('from the environment', () => {
  test('is read each time', async () => {
    const env: Record<string, string> = { PASSWORD: 'one' }
    const given = from({ env: 'PASSWORD' }, { env })
    expect((await given.credential()).username).toBe('gate')
    expect(await reveal(given)).toBe('one')
    env['PASSWORD'] = 'two'
    expect(await reveal(given)).toBe('two')
  })

  test.each([undefined, '', '\n'])('%j is no credential', async (PASSWORD) => {
    const refusal = await refusalFrom(() =>
      from({ env: 'PASSWORD' }, { env: { PASSWORD } }).credential(),
    )
    expect(refusal).toMatchObject({
      code: 'credential_unavailable',
      message: 'the gate has no credential: environment variable PASSWORD is empty',
    })
  })
})

describe('from a file', () => {
  test.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    [' secret \n\n', ' secret \n'],
    ['sécrèt', 'sécrèt'],
  ])('%j is %j', async (text, read) => {
    writeFileSync(path('plain'), text)
    expect(await reveal(from({ file: path('plain') }))).toBe(read)
  })

  test('is read again when it is written or replaced', async () => {
    const given = from({ file: path('changing') })
    writeFileSync(path('changing'), 'one')
    expect(await reveal(given)).toBe('one')
    writeFileSync(path('changing'), 'two!')
    expect(await reveal(given)).toBe('two!')
    writeFileSync(path('next'), 'six!')
    renameSync(path('next'), path('changing'))
    expect(await reveal(given)).toBe('six!')
    rmSync(path('changing'))
    expect(await refusalFrom(() => given.credential())).toMatchObject({
      code: 'credential_unavailable',
    })
  })

  test.each([
    ['that is empty', ''],
    ['that holds an empty line', '\n'],
    ['that is too large', canary.repeat(5000)],
    ['with a NUL', `${canary}\0`],
  ])('%s is no credential', async (_, text) => {
    writeFileSync(path('bad'), text)
    const refusal = await refusalFrom(() => from({ file: path('bad') }).credential())
    expect(refusal.code).toBe('credential_unavailable')
    expect(inspect(refusal)).not.toContain(canary)
  })
})

describe('from a command', () => {
  test('is what it prints, kept for a while and asked once by many', async () => {
    const { now, pass } = clock()
    const count = path('count')
    const command = script(
      `require('fs').appendFileSync(${JSON.stringify(count)}, 'x'); console.log(require('fs').readFileSync(${JSON.stringify(count)}, 'utf8'))`,
    )
    const given = from({ command, cacheMs: 1000 }, { now })
    expect(await Promise.all([reveal(given), reveal(given)])).toEqual(['x', 'x'])
    expect(await reveal(given)).toBe('x')
    pass(1000)
    expect(await reveal(given)).toBe('xx')
  })

  test('takes its arguments as they are', async () => {
    const command = [...script('console.log(process.argv.at(-1))'), '$(echo no); `no`'] as const
    expect(await reveal(from({ command: [...command] as never }))).toBe('$(echo no); `no`')
  })

  test.each<[string, [string, ...string[]]]>([
    ['that fails', script(`console.log('${canary}'); console.error('${canary}'); process.exit(1)`)],
    ['that prints nothing', script('')],
    ['that prints too much', script(`console.log('${canary}'.repeat(10000))`)],
    ['that takes too long', script('setInterval(() => {}, 1000)')],
    ['that is not there', [path('nothing'), canary]],
  ])('%s is no credential, and tried again next time', async (_, command) => {
    const given = from({ command, timeoutMs: 300 })
    for (const _again of [1, 2]) {
      const refusal = await refusalFrom(() => given.credential())
      expect(refusal.code).toBe('credential_unavailable')
      expect(inspect(refusal)).not.toContain(canary)
    }
  })
})

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { watched } from '../../pdp/file.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-file-'))
const path = join(folder, 'file')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const later = (): number => Date.now() + 60_000

test('a file is parsed once for as long as it stays the same', async () => {
  let parsed = 0
  const count = (text: string): string => `${text} ${++parsed}`
  writeFileSync(path, 'one')
  const read = watched(path, 100, count, later)
  expect([await read(), await read()]).toEqual(['one 1', 'one 1'])
  writeFileSync(path, 'longer')
  expect([await read(), await read()]).toEqual(['longer 2', 'longer 2'])
  writeFileSync(`${path}.next`, 'sevens')
  renameSync(`${path}.next`, path)
  expect(await read()).toBe('sevens 3')
})

test('a file that has just been written is not believed to stay', async () => {
  let parsed = 0
  writeFileSync(path, 'one')
  const read = watched(path, 100, () => ++parsed)
  expect([await read(), await read()]).toEqual([1, 2])
})

test('what was read before is not used when the file cannot be read any more', async () => {
  writeFileSync(path, '1')
  const read = watched(path, 5, JSON.parse, later)
  expect(await read()).toBe(1)
  for (const text of ['{', '123456']) {
    writeFileSync(path, text)
    await expect(read()).rejects.toThrow()
  }
  rmSync(path)
  await expect(read()).rejects.toThrow('ENOENT')
})

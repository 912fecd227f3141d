import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { archiveBytesMax } from '../../bundles/archive.ts'
import { fileSource } from '../../bundles/file.ts'
import { scratch } from './kit.ts'

const forever = new AbortController().signal

async function tagOf(source: ReturnType<typeof fileSource>): Promise<string | undefined> {
  const fetched = await source.fetch(undefined, forever)
  return fetched.kind === 'bundle' ? fetched.tag : undefined
}

test('a file is read once, and again when it was replaced', async () => {
  const path = join(scratch(), 'b.tar.gz')
  writeFileSync(path, 'one')
  const source = fileSource(path)
  const tag = await tagOf(source)
  expect(await source.fetch(tag, forever)).toEqual({ kind: 'unchanged' })
  writeFileSync(`${path}.new`, 'two')
  renameSync(`${path}.new`, path)
  const next = await source.fetch(tag, forever)
  expect(next).toMatchObject({ kind: 'bundle', bytes: Buffer.from('two') })
})

test('a file that is written, replaced, or relinked is noticed', async () => {
  const folder = scratch()
  const path = join(folder, 'b.tar.gz')
  writeFileSync(path, 'one')
  const source = fileSource(path)
  for (const change of [() => writeFileSync(path, 'two'), () => renameSync(path, `${path}.old`)]) {
    const noticed = source.changed(forever)
    change()
    await noticed
  }
  mkdirSync(join(folder, 'v2'))
  writeFileSync(join(folder, 'v2', 'b.tar.gz'), 'three')
  const noticed = source.changed(forever)
  symlinkSync('v2', join(folder, '..data'))
  symlinkSync('..data/b.tar.gz', path)
  await noticed
  expect(await source.fetch(undefined, forever)).toMatchObject({ bytes: Buffer.from('three') })
})

test('a folder that is not there is looked for again', async () => {
  const source = fileSource(join(scratch(), 'not', 'yet.tar.gz'))
  await expect(source.fetch(undefined, forever)).rejects.toThrow('ENOENT')
  await expect(source.changed(forever)).resolves.toBeUndefined()
})

test('a folder or a pipe in its place is an error and nothing waits', async () => {
  const folder = scratch()
  await expect(fileSource(folder).fetch(undefined, forever)).rejects.toThrow('not a file')
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const pipe = fileSource(join(folder, 'pipe'))
  await expect(pipe.fetch(undefined, forever)).rejects.toThrow('not a file')
})

test('a file larger than any bundle is not read', async () => {
  const path = join(scratch(), 'b.tar.gz')
  writeFileSync(path, '')
  truncateSync(path, archiveBytesMax + 1)
  await expect(fileSource(path).fetch(undefined, forever)).rejects.toThrow('are accepted')
})

test('an abort ends the wait', async () => {
  const stop = new AbortController()
  const waiting = fileSource(join(scratch(), 'b')).changed(stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(fileSource('b').changed(stop.signal)).rejects.toThrow('enough')
})

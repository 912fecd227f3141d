import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { contentBytesMax, readArchive, writeArchive } from '../../bundles/archive.ts'
import { readTar, writeTar } from '../../bundles/tar.ts'
import { end, entry, file, packed, scratch } from './kit.ts'

const some = [
  file('.manifest', '{}'),
  file('data.json', ''),
  file('a/exactly.block', Buffer.alloc(512, 7)),
  file(`${'deep/'.repeat(30)}${'n'.repeat(90)}.rego`, 'x'),
]

test('what is written reads back the same', async () => {
  const read = await readArchive(await writeArchive(some))
  expect(new Map(read.map((one) => [one.name, one.content]))).toEqual(
    new Map(some.map((one) => [one.name, one.content])),
  )
})

test('the order of files does not change the bytes', async () => {
  expect(await writeArchive([...some].reverse())).toEqual(await writeArchive(some))
})

test('tar itself reads what is written', async () => {
  const folder = scratch()
  writeFileSync(join(folder, 'b.tar.gz'), await writeArchive(some))
  const listed = execFileSync('tar', ['tzPf', 'b.tar.gz'], { cwd: folder, encoding: 'utf8' })
  expect(listed.trim().split('\n').sort()).toEqual(some.map(({ name }) => `/${name}`).sort())
})

test.each(['ustar', 'gnu', 'pax'])('an archive that tar packed as %s is read', async (format) => {
  const folder = scratch()
  mkdirSync(join(folder, 'in', 'sub'), { recursive: true })
  writeFileSync(join(folder, 'in', '.manifest'), '{}')
  writeFileSync(join(folder, 'in', 'sub', 'x.rego'), 'package x')
  execFileSync('tar', ['czf', 'b.tar.gz', `--format=${format}`, '-C', 'in', '.'], { cwd: folder })
  const read = await readArchive(readFileSync(join(folder, 'b.tar.gz')))
  expect(read.map(({ name }) => name).sort()).toEqual(['.manifest', 'sub/x.rego'])
})

test('a name beyond ASCII comes through the pax header', async () => {
  const folder = scratch()
  writeFileSync(join(folder, 'größe.rego'), 'package x')
  execFileSync('tar', ['czf', 'b.tar.gz', '--format=pax', 'größe.rego'], { cwd: folder })
  const [read] = await readArchive(readFileSync(join(folder, 'b.tar.gz')))
  expect(read?.name).toBe('größe.rego')
})

const pax = (record: string) => `${record.length + 3 + (record.length + 3 > 9 ? 1 : 0)} ${record}\n`

test.each([
  ['a symbolic link', entry('data.json', '', '2'), 'not a regular file'],
  ['a hard link', entry('data.json', '', '1'), 'not a regular file'],
  ['a device', entry('data.json', '', '3'), 'not a regular file'],
  ['a pipe', entry('data.json', '', '6'), 'not a regular file'],
  ['a GNU long name', entry('././@LongLink', 'x', 'L'), 'not a regular file'],
  ['a global pax header', entry('g', pax('path=x'), 'g'), 'not a regular file'],
  ['a folder with content', entry('d/', 'x', '5'), 'not a regular file'],
  ['a path upwards', entry('../data.json', 'x'), 'unsafe'],
  ['a path upwards inside', entry('a/../../data.json', 'x'), 'unsafe'],
  ['a doubled slash', entry('a//b', 'x'), 'unsafe'],
  ['two leading slashes', entry('//data.json', 'x'), 'unsafe'],
  ['a dot segment', entry('a/./b', 'x'), 'unsafe'],
  ['a backslash', entry('a\\b', 'x'), 'unsafe'],
  ['a control character', entry('a\nb', 'x'), 'unsafe'],
  ['an empty name', entry('', 'x'), '0 bytes'],
  ['a trailing slash', entry('a/', 'x'), 'unsafe'],
  ['the same name twice', Buffer.concat([entry('a', '1'), entry('a', '2')]), 'twice'],
  ['the same name with a slash', Buffer.concat([entry('a', '1'), entry('/a', '2')]), 'twice'],
  ['the same name with a dot', Buffer.concat([entry('a', '1'), entry('./a', '2')]), 'twice'],
  ['a pax size', Buffer.concat([entry('p', pax('size=1'), 'x'), entry('a', '1')]), '"size"'],
  ['a pax traversal', Buffer.concat([entry('p', pax('path=../x'), 'x'), entry('a')]), 'unsafe'],
  ['a broken pax header', Buffer.concat([entry('p', '99 path=x\n', 'x'), entry('a')]), 'pax'],
  ['a pax header of nothing', entry('p', pax('path=x'), 'x'), 'pax'],
  ['two pax headers', Buffer.concat([entry('p', '', 'x'), entry('p', '', 'x')]), 'two pax'],
])('%s is refused', async (_what, bytes, why) => {
  await expect(readArchive(packed(bytes))).rejects.toThrow(why)
})

test('a real symbolic link is refused', async () => {
  const folder = scratch()
  symlinkSync('/etc/passwd', join(folder, 'data.json'))
  execFileSync('tar', ['czf', 'b.tar.gz', '--format=ustar', 'data.json'], { cwd: folder })
  await expect(readArchive(readFileSync(join(folder, 'b.tar.gz')))).rejects.toThrow('regular')
})

test('a gzip bomb stops at the limit', async () => {
  const bomb = gzipSync(Buffer.alloc(contentBytesMax + 1), { level: 1 })
  expect(bomb.length).toBeLessThan(1024 * 1024)
  await expect(readArchive(bomb)).rejects.toThrow('when decompressed')
})

test('more entries than allowed are refused, folders counted', async () => {
  const folders = Array.from({ length: 4_097 }, (_, at) => entry(`d${at}/`, '', '5'))
  await expect(readArchive(packed(...folders))).rejects.toThrow('entries')
})

test('a name that is too long is refused', async () => {
  const long = `path=${'a/'.repeat(300)}b`
  const header = entry('p', `${long.length + 5} ${long}\n`, 'x')
  await expect(readArchive(packed(header, entry('a')))).rejects.toThrow('bytes')
  expect(() => writeTar([file('n'.repeat(101), '')])).toThrow('too long')
})

test.each([
  ['no gzip', Buffer.from('hello')],
  ['nothing', Buffer.alloc(0)],
  ['gzip of something else', gzipSync('hello')],
  ['something after the end', gzipSync(Buffer.concat([entry('a'), end, entry('b')]))],
])('%s is refused', async (_what, bytes) => {
  await expect(readArchive(bytes)).rejects.toThrow(Error)
})

test('an archive cut anywhere is refused', async () => {
  const whole = await writeArchive(some)
  for (let length = 0; length < whole.length; length++)
    await expect(readArchive(whole.subarray(0, length))).rejects.toThrow(Error)
})

test('a tar cut anywhere is refused, or lost only padding', () => {
  const tar = writeTar(some)
  for (let length = 0; length < tar.length - 1024; length++)
    expect(() => readTar(tar.subarray(0, length)), `${length} bytes`).toThrow(Error)
})

test('a changed byte is noticed in a header, and changes nothing else than content otherwise', () => {
  const tar = writeTar(some)
  for (let at = 0; at < 512; at++) {
    const changed = Buffer.from(tar)
    changed[at] = (changed[at] ?? 0) ^ 0x55
    // The checksum field ends in padding that no reader looks at.
    if (at === 155 || at === 154) continue
    expect(() => readTar(changed), `byte ${at}`).toThrow(Error)
  }
})

test('random bytes never do more than throw an Error', () => {
  let seed = 42
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed / 0x7fffffff
  }
  const tar = gunzipSync(packed(entry('p', pax('path=x'), 'x'), entry('a', 'content')))
  for (let round = 0; round < 3_000; round++) {
    const changed = Buffer.from(tar)
    for (let n = 0; n < 4; n++) changed[Math.floor(random() * tar.length)] = random() * 256
    try {
      expect(Array.isArray(readTar(changed))).toBe(true)
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
      expect(error).not.toBeInstanceOf(RangeError)
      expect(error).not.toBeInstanceOf(TypeError)
    }
  }
})

/** POSIX tar (ustar, and the pax header for long names), as far as a bundle needs it: regular files only. */

/** One file of a bundle; its name has no leading slash. */
export type BundleFile = { readonly name: string; readonly content: Buffer }

const block = 512
const nameBytesMax = 512
const entriesMax = 4_096
/** Records a pax header may carry besides the name: they change nothing that is read here. */
const ignored = /^(mtime|atime|ctime|comment|uid|gid|uname|gname|SCHILY\..*|LIBARCHIVE\..*)$/

type Header = { readonly type: string; readonly name: string; readonly size: number }

/** Every regular file in order. Throws on links, devices, doubled or unsafe names, bad checksums, and too much. */
export function readTar(tar: Buffer): BundleFile[] {
  const files = new Map<string, BundleFile>()
  let renamed: string | undefined
  for (const { header, content } of entries(tar)) {
    if (header.type === 'x') {
      if (renamed !== undefined) throw new Error('the archive has two pax headers for one entry')
      renamed = paxName(content)
      continue
    }
    add(files, { ...header, name: renamed || header.name }, content)
    renamed = undefined
  }
  if (renamed !== undefined) throw new Error('the archive ends after a pax header')
  return [...files.values()]
}

/** Writes the files in the given order, reproducibly: mode 0600, no owner, no time, as `opa build` does. */
export function writeTar(files: readonly BundleFile[]): Buffer {
  const parts = files.flatMap(({ name, content }) => [
    writeHeader(safeName(name), content.length),
    content,
    Buffer.alloc(-content.length & (block - 1)),
  ])
  return Buffer.concat([...parts, Buffer.alloc(2 * block)])
}

function* entries(tar: Buffer): Generator<{ readonly header: Header; readonly content: Buffer }> {
  let at = 0
  for (let count = 0; ; count++) {
    const head = tar.subarray(at, at + block)
    if (head.length < block) throw new Error('the tar archive is cut off: it has no end mark')
    if (head.every((byte) => byte === 0)) break
    if (count >= entriesMax) throw new Error(`the archive has more than ${entriesMax} entries`)
    const header = readHeader(head)
    const content = tar.subarray(at + block, at + block + header.size)
    if (content.length < header.size) throw new Error('the tar archive is cut off inside a file')
    yield { header, content }
    at += block + Math.ceil(header.size / block) * block
  }
  if (!tar.subarray(at).every((byte) => byte === 0))
    throw new Error('something follows the end of the archive')
}

function add(files: Map<string, BundleFile>, header: Header, content: Buffer): void {
  // `tar` writes its folders too: they hold nothing, and nothing is ever extracted.
  if (header.type === '5' && header.size === 0) return
  if (header.type !== '0')
    throw new Error(
      `${shown(header.name)} is not a regular file but of tar type ${shown(header.type)}: a bundle holds only regular files`,
    )
  const name = safeName(header.name)
  if (files.has(name)) throw new Error(`the archive holds ${shown(name)} twice`)
  files.set(name, { name, content: Buffer.from(content) })
}

/** A name without its leading slash or dot; throws unless every segment is an ordinary one. */
function safeName(raw: string): string {
  const name = raw.replace(/^\.?\//, '')
  const length = Buffer.byteLength(name)
  if (length === 0 || length > nameBytesMax)
    throw new Error(`a file name has ${length} bytes; 1 to ${nameBytesMax} are accepted`)
  const odd = (segment: string) => segment === '' || segment === '.' || segment === '..'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\u0000-\u001f\u007f\\\ufffd]/.test(name) || name.split('/').some(odd))
    throw new Error(`the archive holds a file with the unsafe name ${shown(name)}`)
  return name
}

function readHeader(head: Buffer): Header {
  if (octal(head, 148, 8) !== checksum(head)) throw new Error('a tar header has a wrong checksum')
  if (head.toString('latin1', 257, 262) !== 'ustar')
    throw new Error(
      'the archive is not in ustar format: pack it with `postern bundle build` or `opa build`',
    )
  const type = head[156] === 0 ? '0' : String.fromCharCode(head[156] ?? 0)
  // GNU tar uses the same bytes for something else.
  const prefix = head[263] === 0x30 ? text(head, 345, 155) : ''
  const name = text(head, 0, 100)
  return { type, name: prefix === '' ? name : `${prefix}/${name}`, size: octal(head, 124, 12) }
}

function writeHeader(name: string, size: number): Buffer {
  const head = Buffer.alloc(block)
  const { prefix, base } = split(`/${name}`)
  head.write(base, 0)
  head.write('0000600\0' + '0000000\0' + '0000000\0', 100, 'latin1')
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  head.write(`${'0'.repeat(11)}\0`, 136, 'latin1')
  head.write('0', 156, 'latin1')
  head.write('ustar\x0000', 257, 'latin1')
  head.write(prefix, 345)
  head.write(`${checksum(head).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return head
}

/** A long name is cut at a slash into a prefix of at most 155 and a rest of at most 100 bytes. */
function split(name: string): { readonly prefix: string; readonly base: string } {
  if (Buffer.byteLength(name) <= 100) return { prefix: '', base: name }
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    const [prefix, base] = [name.slice(0, at), name.slice(at + 1)]
    if (Buffer.byteLength(base) > 100) break
    if (Buffer.byteLength(prefix) <= 155) return { prefix, base }
  }
  throw new Error(`${shown(name)} is too long a name for an archive: shorten the path`)
}

/** The `path` record of a pax header, or an empty string. A record that would change more is refused. */
function paxName(content: Buffer): string {
  let path = ''
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at)
    const length = Number(content.toString('latin1', at, space))
    const record = content.subarray(space + 1, at + length - 1).toString()
    const equals = record.indexOf('=')
    if (space < 0 || !(length > space - at + 2) || at + length > content.length || equals < 1)
      throw new Error('a pax header cannot be read')
    const key = record.slice(0, equals)
    if (key === 'path') path = record.slice(equals + 1)
    else if (!ignored.test(key))
      throw new Error(`a pax header sets ${shown(key)}, which is not accepted`)
    at += length
  }
  return path
}

/** Sum of the header's bytes, its own field counted as spaces (POSIX.1-2017 pax, ustar interchange format). */
function checksum(head: Buffer): number {
  return head.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
}

function octal(head: Buffer, at: number, length: number): number {
  const digits = text(head, at, length).trim()
  if (!/^[0-7]{1,11}$/.test(digits))
    throw new Error('a tar header holds a number that is not octal')
  return Number.parseInt(digits, 8)
}

function text(head: Buffer, at: number, length: number): string {
  const field = head.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

function shown(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}...` : name)
}

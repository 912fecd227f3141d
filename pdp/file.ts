import type { BigIntStats } from 'node:fs'
import { open } from 'node:fs/promises'

/** File times are coarse: a file that has just been written may change again without showing it. */
const settledMs = 2000

/**
 * A file's text through `parse`, read again only when the file changed: another inode, size or time.
 * The function it returns throws what the file system or `parse` throws; nothing old is used then.
 */
export function watched<Parsed>(
  path: string,
  bytesMax: number,
  parse: (text: string) => Parsed,
  now: () => number = Date.now,
): () => Promise<Parsed> {
  let known: { readonly mark: string; readonly parsed: Parsed } | undefined

  return async () => {
    // Looked at and read through one handle, so that nothing can be swapped in between.
    await using file = await open(path, 'r')
    const stats = await file.stat({ bigint: true })
    const mark = markOf(stats)
    if (known?.mark === mark) return known.parsed
    known = undefined
    const settled = now() - Number(stats.ctimeMs) > settledMs
    const bytes = Buffer.alloc(bytesMax + 1)
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    if (length > bytesMax) throw new Error(`the file is larger than ${bytesMax} bytes`)
    const parsed = parse(bytes.toString('utf8', 0, length))
    if (settled) known = { mark, parsed }
    return parsed
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { run } from './build.ts'

/** The commit a folder is at, with `-dirty` when it differs from that. Throws when the folder is in no git repository. */
export async function gitRevision(folder: string): Promise<string> {
  const git = (...args: string[]) =>
    run('git', args, folder).catch(() => {
      throw new Error(`${folder} is in no git repository with a commit: name a --revision`)
    })
  const commit = await git('rev-parse', 'HEAD')
  const changes = await git('status', '--porcelain', '--', '.')
  return changes === '' ? commit : `${commit}-dirty`
}

/** A name for what is in a folder: the first 12 hex digits of a hash over all that goes into its bundle. */
export async function contentRevision(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile() && bundled(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const name of names) {
    // One after the other, because the order is part of the hash.
    const content = await readFile(join(folder, name))
    hash.update(`${name}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 12)
}

function bundled(name: string): boolean {
  const policy = name.endsWith('.rego') && !name.endsWith('_test.rego')
  return policy || /^data\.(json|ya?ml)$/.test(name)
}

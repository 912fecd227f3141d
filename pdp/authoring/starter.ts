import { existsSync } from 'node:fs'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '../commands/io.ts'

const project = fileURLToPath(new URL('../../', import.meta.url))

/** What a policy repository starts with, and where in this project it comes from. */
const parts: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'deploy/starter', to: '.' },
  { from: 'rego/postern', to: 'rego/postern' },
  { from: 'rego/examples_test.rego', to: 'rego/examples_test.rego' },
  ...['input', 'decision', 'catalog', 'code'].map((name) => ({
    from: `rego/contract/${name}.json`,
    to: `rego/contract/${name}.json`,
  })),
]

const namedMax = 5

/**
 * Writes a policy repository into a folder, which may hold other things, and returns what it wrote.
 * Throws Failure, before anything is written, where a file is there already.
 */
export async function writeStarter(folder: string): Promise<readonly string[]> {
  const files = (await Promise.all(parts.map(filesOf))).flat()
  const there = files.map(({ to }) => to).filter((to) => existsSync(join(folder, to)))
  if (there.length > 0) {
    const more = there.length > namedMax ? ` and ${there.length - namedMax} more` : ''
    const named = there.slice(0, namedMax).join(', ')
    throw new Failure(`${folder} has ${named}${more} already; nothing was written`)
  }
  for (const { from, to } of files) {
    await mkdir(dirname(join(folder, to)), { recursive: true })
    // Whoever was faster keeps what they wrote.
    await cp(from, join(folder, to), { errorOnExist: true, force: false })
  }
  return files.map(({ to }) => to).sort()
}

type Copied = { readonly from: string; readonly to: string }

async function filesOf({ from, to }: Copied): Promise<readonly Copied[]> {
  const source = join(project, from)
  if (from.endsWith('.rego') || from.endsWith('.json')) return [{ from: source, to }]
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ from: path, to: join(to, relative(source, path)) }))
}

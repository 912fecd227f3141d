import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Opa } from './opa.ts'
import type { OpaTest } from './tests.ts'

/** A test, and the path under which it can be compiled on its own. */
export type Entry = { readonly test: OpaTest; readonly path: string }

/**
 * Gives every test a path of its own. Where several of one package have the same name, as opa allows, they are
 * renamed in a copy of the folder, which is gone when `use` returns.
 */
export async function withPaths<Result>(
  from: Opa,
  tests: readonly OpaTest[],
  use: (from: Opa, entries: readonly Entry[]) => Promise<Result>,
): Promise<Result> {
  const again = tests.filter(({ name }) => repeated.test(name))
  const entries = tests.map((test) => ({ test, path: pathOf(test) }))
  if (again.length === 0) return use(from, entries)
  const folder = await mkdtemp(join(tmpdir(), 'postern-tests-'))
  try {
    await cp(from.folder, folder, { recursive: true })
    // From the end of each file, so that places further up stay what they are. One after the other: same files.
    for (const test of again.toReversed()) await rename(folder, test)
    return await use({ ...from, folder }, entries)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const repeated = /#(\d+)$/

async function rename(folder: string, { file, row, col, name }: OpaTest): Promise<void> {
  const path = join(folder, file)
  const lines = (await readFile(path, 'utf8')).split('\n')
  const line = Buffer.from(lines[row - 1] ?? '')
  // A column of opa counts bytes.
  const before = line.subarray(0, col - 1).toString()
  const rest = line.subarray(col - 1).toString()
  const old = name.replace(repeated, '')
  if (!rest.startsWith(old)) return
  lines[row - 1] = `${before}${fresh(name)}${rest.slice(old.length)}`
  await writeFile(path, lines.join('\n'))
}

function fresh(name: string): string {
  return name.replace(repeated, '_postern_$1')
}

/** `data.a["b-c"].test_x` is `a/b-c/test_x`. */
function pathOf(test: OpaTest): string {
  const parts = `${test.package}.${fresh(test.name)}`.match(/"(?:[^"\\]|\\.)*"|[^.[\]]+/g) ?? []
  return parts.slice(1).map(segment).join('/')
}

function segment(part: string): string {
  return part.startsWith('"') ? String(JSON.parse(part)) : part
}

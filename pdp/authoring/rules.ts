import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Failure } from '../commands/io.ts'
import { nameOf, type SetName, sets } from './members.ts'
import { complaint, type Opa, opa } from './opa.ts'

/** One rule of a policy that adds a member to a set. */
export type Rule = {
  readonly policy: string
  readonly set: SetName
  /** As in Member; undefined where the rule works it out. */
  readonly name: string | undefined
  readonly file: string
  readonly row: number
  readonly col: number
  /** What every member it adds has: the fields that are written out. */
  readonly fixed: Readonly<Record<string, string | number | boolean>>
}

type Term = { readonly type: string; readonly value: unknown }
type Parsed = {
  readonly package: { readonly path: readonly Term[] }
  readonly rules?: readonly {
    readonly location: { readonly row: number; readonly col: number }
    readonly head: { readonly name?: string; readonly key?: Term; readonly value?: Term }
  }[]
}

/** The rules of every policy in a folder, tests left out, by file and row. Throws Failure. */
export async function rulesIn(from: Opa): Promise<readonly Rule[]> {
  const entries = await readdir(from.folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(
      (entry) => entry.isFile() && /\.rego$/.test(entry.name) && !/_test\.rego$/.test(entry.name),
    )
    .map((entry) => relative(from.folder, join(entry.parentPath, entry.name)))
    .sort()
  const found: Rule[] = []
  // One after the other: each is a process.
  for (const file of files)
    if (policy.test(await readFile(join(from.folder, file), 'utf8')))
      found.push(...rulesOf(await parsed(from, file), file))
  return found
}

const policy = /^package\s+policies\b/m

async function parsed(from: Opa, file: string): Promise<Parsed> {
  const said = await opa(from, ['parse', '--format', 'json', '--json-include', 'locations', file])
  if (said.status !== 0) throw new Failure(complaint(said))
  return JSON.parse(said.stdout) as Parsed
}

function rulesOf({ package: { path }, rules = [] }: Parsed, file: string): readonly Rule[] {
  const [, root, policy, ...below] = path.map(({ value }) => value)
  if (root !== 'policies' || typeof policy !== 'string' || below.length > 0) return []
  return rules.flatMap(({ location, head }) => {
    const set = sets.find((one) => one === head.name)
    if (set === undefined) return []
    const fixed = fixedOf(head.key)
    const name = nameOf(set, fixed, '')
    const { row, col } = location
    return [{ policy, set, name: name === '' ? undefined : name, file, row, col, fixed }]
  })
}

function fixedOf(term: Term | undefined): Rule['fixed'] {
  if (term?.type !== 'object' || !Array.isArray(term.value)) return {}
  const members = term.value as readonly (readonly [Term, Term])[]
  return Object.fromEntries(
    members.flatMap(([key, { type, value }]) =>
      typeof key.value === 'string' && ['string', 'number', 'boolean'].includes(type)
        ? [[key.value, value as string | number | boolean] as const]
        : [],
    ),
  )
}

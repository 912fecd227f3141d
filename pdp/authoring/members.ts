import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readArchive } from '../../bundles/archive.ts'
import { Failure } from '../commands/io.ts'
import { compiled } from './module.ts'
import type { Opa } from './opa.ts'

/** The sets that a policy adds members to. */
export const sets = ['allow', 'deny', 'hold', 'mask', 'limit', 'quota', 'obligation'] as const
export type SetName = (typeof sets)[number]

/** One thing that a policy said about a question. */
export type Member = {
  readonly policy: string
  readonly set: SetName
  /** What tells it from its neighbours: a code, a name, a column, a metric. */
  readonly name: string
}

/** A member with all that it said. */
export type Said = Member & { readonly member: unknown }

/** Tells what every policy says about a question at that time, whether or not it counts in the end. */
export type Listen = (input: unknown, atMs: number) => readonly Said[]

/** Compiles the policies of a folder. Throws Failure. */
export async function listening(from: Opa): Promise<Listen> {
  const policies = await compiled(from, { entrypoints: ['policies'], ignore: '*_test.rego' })
  return (input, atMs) => {
    const { value, problem } = policies.query('policies', input, {
      nowNs: BigInt(atMs) * 1_000_000n,
    })
    if (problem !== undefined) throw new Failure(`the policies failed: ${problem}`)
    return membersIn(value)
  }
}

/** The same for the policies in an archive, which OPA keeps beside the module. Throws an Error. */
export async function listeningTo(archive: Buffer, command?: string): Promise<Listen> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bundle-'))
  try {
    for (const { name, content } of await readArchive(archive)) {
      // Only what opa itself writes into a bundle; never above the folder.
      if (!/^(?!.*\.\.)[\w-][\w./-]*$/.test(name) || !/\.rego$|^data\.json$/.test(name)) continue
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    return await listening({ folder, command })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The name by which a member is known in a decision; `unnamed` is what the library calls it where it has none. */
export function nameOf(
  set: SetName,
  member: unknown,
  unnamed: string = fallbacks[set] ?? '',
): string {
  const { code, name, metric, column, entity, path } = fieldsOf(member)
  const target = column ?? entity ?? path
  const found = { mask: target, limit: metric, quota: name, obligation: name }
  const named = set in found ? found[set as keyof typeof found] : code
  return typeof named === 'string' && named !== '' ? named : unnamed
}

/** What the library calls a member that does not name itself: rego/postern/members.rego. */
const fallbacks: Readonly<Record<string, string>> = {
  allow: 'allowed',
  deny: 'denied',
  hold: 'held',
}

function membersIn(policies: unknown): readonly Said[] {
  return Object.entries(fieldsOf(policies)).flatMap(([policy, said]) =>
    sets.flatMap((set) =>
      listOf(fieldsOf(said)[set]).map((member) => ({
        policy,
        set,
        name: nameOf(set, member),
        member,
      })),
    ),
  )
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

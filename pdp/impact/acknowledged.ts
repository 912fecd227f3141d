import { parseDocument } from 'yaml'
import { z } from 'zod'
import type { Group } from './tally.ts'

/** One weakening that somebody looked at and wants. */
export type Acknowledgement = {
  readonly change: string
  readonly resource: string
  readonly before: string
  readonly after: string
  readonly because: string
  /** The day it ends, as 2027-01-31; without it never. */
  readonly until?: string | undefined
}

/** Which weakenings are covered by a reviewed file. */
export type Reviewed = {
  readonly open: readonly Group[]
  readonly acknowledged: readonly (Group & { readonly because: string })[]
  /** Entries of the file that cover nothing, or not any more: to be removed. */
  readonly unused: readonly Acknowledgement[]
}

const entriesMax = 1000
const textMax = 64 * 1024
const any = '*'

const line = z.string('give a text').min(1, 'give a text').max(2000)
const entry = z.strictObject({
  change: line,
  resource: line,
  before: line,
  after: line,
  because: line,
  until: z.iso.date('give a day, as in 2027-01-31').optional(),
})
const file = z.strictObject({ acknowledged: z.array(entry).max(entriesMax) })

/** Reads the file, YAML of `acknowledged: [{change, resource, before, after, because, until}]`. Throws an Error that names every mistake. */
export function acknowledgementsIn(text: string, name: string): readonly Acknowledgement[] {
  if (text.length > textMax) throw new Error(`${name} is larger than 64 KiB`)
  const yaml = parseDocument(text, { prettyErrors: true, schema: 'core' })
  const [broken] = [...yaml.errors, ...yaml.warnings]
  if (broken !== undefined) throw new Error(`${name}: ${broken.message}`)
  const parsed = file.safeParse(yaml.toJS({ maxAliasCount: 0 }))
  if (parsed.success) return parsed.data.acknowledged
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`${name} cannot be used: ${problems.join('; ')}`)
}

/** Divides the weakenings among `groups` by whether an entry that still counts on this day covers them. */
export function reviewed(
  groups: readonly Group[],
  entries: readonly Acknowledgement[],
  nowMs: number,
): Reviewed {
  const today = new Date(nowMs).toISOString().slice(0, 10)
  const valid = entries.filter(({ until }) => until === undefined || today <= until)
  const used = new Set<Acknowledgement>()
  const open: Group[] = []
  const acknowledged: (Group & { readonly because: string })[] = []
  for (const group of groups) {
    if (group.direction !== 'weaker') continue
    const match = valid.find((one) => covers(one, group))
    if (match === undefined) open.push(group)
    else {
      used.add(match)
      acknowledged.push({ ...group, because: match.because })
    }
  }
  return { open, acknowledged, unused: entries.filter((one) => !used.has(one)) }
}

/** Exactly, but for resource and policies, where a star stands for every one: a change is never meant by accident. */
function covers(entry: Acknowledgement, group: Group): boolean {
  const fits = (wanted: string, found: string) => wanted === any || wanted === found
  return (
    entry.change === group.change &&
    fits(entry.resource, group.resource) &&
    fits(entry.before, group.before) &&
    fits(entry.after, group.after)
  )
}

import { printable } from '../commands/printable.ts'
import type { Reviewed } from './acknowledged.ts'
import type { Replayed } from './replay.ts'
import type { Group } from './tally.ts'

/** What `postern impact` found, in one object: printed as it is with --json. */
export type Impact = Replayed & {
  readonly bundle: { readonly revision: string; readonly digest: string }
  readonly review: Reviewed
  /** Whether the candidate may go ahead. */
  readonly ok: boolean
}

const rowsMax = 50

/** The report for a terminal. */
export function reportText(impact: Impact): string {
  const { review, groups } = impact
  const rest = groups.filter(({ direction }) => direction !== 'weaker')
  return [
    `${summary(impact)}\n`,
    section('Weaker, and not acknowledged', review.open),
    section('Weaker, acknowledged', review.acknowledged),
    section('Stronger and other', rest),
    unusedText(review),
    `${verdict(impact)}\n`,
  ].join('')
}

/** The same for a candidate that nobody reviewed yet. */
export function comparisonText(report: Replayed): string {
  const { groups } = report
  const weaker = groups.filter(({ direction }) => direction === 'weaker')
  const rest = groups.filter(({ direction }) => direction !== 'weaker')
  return [
    `${countsText(report)}\n`,
    section('Weaker', weaker),
    section('Stronger and other', rest),
  ].join('')
}

/** The report as Markdown, fit for a comment on a pull request. */
export function reportMarkdown(impact: Impact): string {
  const { review, groups } = impact
  const rest = groups.filter(({ direction }) => direction !== 'weaker')
  return [
    `## Policy impact: ${impact.ok ? 'nothing got weaker unnoticed' : 'needs a look'}\n\n`,
    `${summary(impact)}\n`,
    table('Weaker, and not acknowledged', review.open),
    table('Weaker, acknowledged', review.acknowledged),
    table('Stronger and other', rest),
    `\n${verdict(impact)}\n`,
  ].join('')
}

/** What to paste into the file of acknowledgements for these weakenings. */
export function acknowledgementsText(groups: readonly Group[]): string {
  const entries = groups.map((group) =>
    [
      `  - change: ${JSON.stringify(group.change)}`,
      `    resource: ${JSON.stringify(group.resource)}`,
      `    before: ${JSON.stringify(group.before)}`,
      `    after: ${JSON.stringify(group.after)}`,
      '    because: ""\n',
    ].join('\n'),
  )
  return `acknowledged:\n${entries.join('')}`
}

function summary(impact: Impact): string {
  const revision = printable(impact.bundle.revision) || 'none'
  return `Candidate: revision ${revision}. ${countsText(impact)}`
}

function countsText({ replayed, same, weaker, stronger, other, failed, unused }: Replayed): string {
  const left = Object.values(unused).reduce((sum, count) => sum + count, 0)
  return (
    `${replayed} decisions replayed: ${same} the same, ${weaker} weaker, ${stronger} stronger, ` +
    `${other} other, ${failed} failed; ${left} other entries left out.`
  )
}

function verdict({ ok, replayed, failed, failure, review, unlisted }: Impact): string {
  if (ok) return 'The candidate may go ahead.'
  if (replayed === 0) return 'Nothing was replayed: a record without decisions proves nothing.'
  if (failed > 0)
    return `The candidate failed on ${failed} questions that have an answer: ${printable(failure ?? '')}.`
  if (review.open.length === 0)
    return `${unlisted} differences are of too many kinds to list: replay a shorter stretch.`
  const { length } = review.open
  const kinds = length === 1 ? '1 kind of weakening needs' : `${length} kinds of weakening need`
  return (
    `${kinds} a person: change the policy, or acknowledge it in a reviewed file ` +
    '(--acknowledgements prints the entries).'
  )
}

function section(title: string, groups: readonly Group[]): string {
  if (groups.length === 0) return ''
  const rows = groups
    .slice(0, rowsMax)
    .map(
      ({ count, resource, change, before, after, example }) =>
        `  ${String(count).padStart(7)}  ${printable(resource)}: ${printable(change)}\n` +
        `           ${printable(before)} -> ${printable(after)}\n` +
        `           e.g. ${example.decision_id} ${printable(example.subject)}: ${printable(example.command)}\n`,
    )
  return `\n${title}\n${rows.join('')}${more(groups)}`
}

function table(title: string, groups: readonly Group[]): string {
  if (groups.length === 0) return ''
  const rows = groups
    .slice(0, rowsMax)
    .map(({ count, resource, change, before, after, example }) => {
      const cells = [count, resource, change, `${before} → ${after}`, example.decision_id]
      return `| ${cells.map((cell) => escaped(String(cell))).join(' | ')} |\n`
    })
  return (
    `\n### ${title}\n\n| count | resource | change | policies | example |\n|---:|---|---|---|---|\n` +
    `${rows.join('')}${more(groups)}`
  )
}

function more({ length }: readonly Group[]): string {
  return length > rowsMax ? `\n${length - rowsMax} more kinds are in --json.\n` : ''
}

function unusedText({ unused }: Reviewed): string {
  const lines = unused.map(
    ({ change, resource }) => `  ${printable(resource)}: ${printable(change)}\n`,
  )
  return unused.length === 0 ? '' : `\nAcknowledged, but not needed any more\n${lines.join('')}`
}

/** A record's text must not become markup: commands are left out of Markdown altogether, names are escaped. */
function escaped(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>()#+!|~@]/g, '\\$&')
}

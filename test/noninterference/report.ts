/** What came out, in words and tables for people. */
import type { Outcome, Share } from './outcome.ts'

/** One line about everything, then what was refused by its reason, and how each feature fared. */
export function report(name: string, { all, ...found }: Outcome): string {
  const of = (count: number): string => percent(count, all.statements)
  return [
    `${name}: ${found.statements} statements, ${found.leaks.length} leaks, ${found.drifted} drifted; ` +
      `${of(found.differing)} differ past the gate, ${of(found.failing)} fail there; ${of(all.passed)} as they are, ` +
      `${of(all.refused)} refused (${of(all.refusedNeedlessly)} without need), ` +
      `${of(all.masked)} masked (${of(all.maskedNeedlessly)} without need)`,
    ...table('refused because', ['statements', 'without need'], reasons(found.byReason)),
    ...table(
      'feature',
      ['statements', 'as it is', 'masked', 'refused', 'without need'],
      features(found.byFeature),
    ),
  ].join('\n')
}

type Row = readonly [name: string, ...cells: readonly (string | number)[]]

function reasons(map: ReadonlyMap<string, Share>): readonly Row[] {
  return sorted(map).map(([name, one]) => [name, one.statements, one.refusedNeedlessly])
}

function features(map: ReadonlyMap<string, Share>): readonly Row[] {
  return sorted(map).map(([name, one]) => {
    const of = (count: number): string => percent(count, one.statements)
    return [
      name,
      one.statements,
      of(one.passed),
      of(one.masked),
      of(one.refused),
      of(one.refusedNeedlessly),
    ]
  })
}

const sorted = (map: ReadonlyMap<string, Share>): readonly (readonly [string, Share])[] =>
  [...map].sort(([, a], [, b]) => b.statements - a.statements)

function table(first: string, heads: readonly string[], rows: readonly Row[]): readonly string[] {
  const wide = Math.max(first.length, ...rows.map(([name]) => name.length)) + 2
  const line = ([name, ...cells]: Row): string =>
    name.padEnd(wide) + cells.map((cell) => String(cell).padStart(13)).join('')
  return ['', line([first, ...heads]), ...rows.map(line)]
}

const percent = (count: number, all: number): string => `${((100 * count) / all).toFixed(1)} %`

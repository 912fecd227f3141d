import { printable } from '../commands/printable.ts'
import type { Ending } from './tests.ts'
import type { Tried } from './trial.ts'

/** Counts of endings, and whether all is well. snake_case: it is printed as JSON. */
export type Summary = Readonly<Record<Ending, number>> & {
  readonly total: number
  readonly disagrees: number
  /** Nothing failed, everything ran, and opa agrees. */
  readonly ok: boolean
}

/** What `postern test` found, in numbers. */
export function summaryOf(tests: readonly Tried[]): Summary {
  const of = (ending: Ending): number => tests.filter((test) => test.ending === ending).length
  const counts = { pass: of('pass'), fail: of('fail'), error: of('error'), skipped: of('skipped') }
  const untried = of('untried')
  const disagrees = tests.filter((test) => test.disagrees).length
  const ok = counts.fail + counts.error + untried + disagrees === 0
  return { ...counts, untried, total: tests.length, disagrees, ok }
}

/** The report for a terminal, as `opa test` writes it. */
export function testsText(tests: readonly Tried[], verbose: boolean): string {
  const shown = tests.filter(({ ending, disagrees }) => verbose || ending !== 'pass' || disagrees)
  const line = shown.length === 0 ? '' : `${'-'.repeat(80)}\n`
  return `${shown.map(testText).join('')}${line}${countsText(summaryOf(tests))}`
}

const words: Readonly<Record<Ending, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  error: 'ERROR',
  skipped: 'SKIPPED',
  untried: 'NOT ON WASM',
}

function testText(test: Tried): string {
  const { file, row, id, ending, ns, message, disagrees, output = '', cases } = test
  const took = ending === 'skipped' || ending === 'untried' ? '' : ` (${duration(ns)})`
  const lines = [
    `${file}:${row}:`,
    `${id}: ${words[ending]}${took}`,
    ...cases.map(({ path, ending: end }) => `  ${path.join('/')}: ${words[end]}`),
    ...(message?.trim().split('\n') ?? []).map((text) => `  ${text}`),
    ...(disagrees ? [`  opa says ${words[test.opa]}: ${advice}`] : []),
    ...output.split('\n').flatMap((text) => (text === '' ? [] : [`  printed: ${text}`])),
  ]
  return lines.map((text) => `${printable(text)}\n`).join('')
}

const advice = 'a gate would not decide what this test promises'

function countsText({ total, ok: _, ...counts }: Summary): string {
  const rows: readonly (readonly [string, number])[] = [
    [words.pass, counts.pass],
    [words.fail, counts.fail],
    [words.error, counts.error],
    [words.skipped, counts.skipped],
    [words.untried, counts.untried],
    ['DISAGREES WITH OPA', counts.disagrees],
  ]
  return rows
    .filter(([word, count]) => count > 0 || word === words.pass)
    .map(([word, count]) => `${word}: ${count}/${total}\n`)
    .join('')
}

function duration(ns: number): string {
  return ns < 1_000_000 ? `${(ns / 1000).toFixed(1)}µs` : `${(ns / 1_000_000).toFixed(1)}ms`
}

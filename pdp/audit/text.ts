import { printable } from '../commands/printable.ts'
import { termsOf } from './terms.ts'
import type { Report } from './verify.ts'

type Entry = Readonly<Record<string, unknown>>

const textWidth = 60
const cellWidth = 24

/** What verifying found, for people. */
export function reportText(report: Report): string {
  const { ok, entries, files, heads, unsigned, last_seq, last_hash, problems, notes } = report
  const [first] = problems
  const lines = [
    ok
      ? `OK: ${entries} entries in ${files} files, ${heads} signed heads of key ${report.key_id}`
      : `NOT OK: ${problems.length}${problems.length === 100 ? ' or more' : ''} problems; the first bad entry:`,
    ...(first === undefined ? [] : problems.map(problemText)),
    ...(unsigned > 0 ? [`${unsigned} entries at the end are not signed yet`] : []),
    ...notes.map((note) => `note: ${note}`),
    ...(last_hash === undefined ? [] : [`head: ${last_seq}:${last_hash}`]),
  ]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

function problemText({ what, file, line, seq, message }: Report['problems'][number]): string {
  const where = [
    file,
    line === undefined ? '' : `line ${line}`,
    seq === undefined ? '' : `entry ${seq}`,
  ].filter((part) => part !== '')
  return `  ${where.join(', ')}: ${what}: ${message}`
}

/** Entries as a table, one line each. */
export function tableText(entries: readonly Entry[]): string {
  if (entries.length === 0) return 'Nothing on record matches.\n'
  const rows = [head, ...entries.map(rowOf)]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

const head = ['time', 'kind', 'subject', 'resource', 'effect', 'rule', 'decision', 'text']

function rowOf(entry: Entry): readonly string[] {
  const { terms, text, decision } = termsOf(entry)
  const all = (field: string): string =>
    terms
      .filter(([name]) => name === field)
      .map(([, value]) => value)
      .join(' ')
  const first = (field: string): string => terms.find(([name]) => name === field)?.[1] ?? ''
  return [
    cut(String(entry['timestamp'] ?? ''), cellWidth),
    cut(first('kind'), cellWidth),
    cut(all('subject'), cellWidth),
    cut(first('resource'), cellWidth),
    cut(effectOf(entry, first('effect')), cellWidth),
    cut(first('rule'), cellWidth),
    cut(decision ?? '', 40),
    cut(text ?? summary(entry), textWidth),
  ]
}

function effectOf(entry: Entry, effect: string): string {
  // Somebody asked through the API what would be: nothing happened because of it.
  if (entry['advisory'] === true) return effect === '' ? 'advisory' : `${effect}, advisory`
  return entry['refused'] === undefined ? effect : `${effect}, refused`
}

// What the other kinds have to say, in few words.
function summary(entry: Entry): string {
  const names = ['action', 'state', 'rows', 'error', 'code', 'peer', 'refused']
  const parts = names.filter((name) => entry[name] !== undefined && typeof entry[name] !== 'object')
  return parts.map((name) => `${name}=${entry[name]}`).join(' ')
}

/** Everything on record of one decision, in the order it happened. */
export function storyText(entries: readonly Entry[]): string {
  return entries.map(chapter).join('\n')
}

const chain = new Set(['seq', 'timestamp', 'prev', 'kind'])

function chapter(entry: Entry): string {
  const title = `${entry['timestamp']}  ${entry['kind']}  (entry ${entry['seq']})`
  const lines = Object.entries(entry)
    .filter(([name]) => !chain.has(name))
    .flatMap(([name, value]) => detail(name, value))
  return [title, ...lines].map((line) => `${printable(line)}\n`).join('')
}

// Two levels are enough to read by; what lies deeper stays on one line.
function detail(name: string, value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`  ${name.padEnd(12)} ${shown(value)}`]
  }
  return [
    `  ${name}`,
    ...Object.entries(value).map(([inner, item]) => `    ${inner.padEnd(12)} ${shown(item)}`),
  ]
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function cut(text: string, width: number): string {
  const safe = printable(text)
  return safe.length <= width ? safe : `${safe.slice(0, width - 3)}...`
}

import {
  type Coverage,
  type Covered,
  coveredByTests,
  merged,
  production,
} from '../authoring/coverage.ts'
import { listening } from '../authoring/members.ts'
import { folderAt } from '../authoring/opa.ts'
import { linesAt } from '../authoring/questions.ts'
import { rulesIn } from '../authoring/rules.ts'
import { exits, Failure, type Given, given, type Io, textOf, Usage } from './io.ts'
import { printable, printableJson } from './printable.ts'

const help = `Usage: postern coverage --from RECORD [--tests FOLDER] [--threshold PERCENT]

Lists the rules of policies that never had a say in production, in their tests, or in either. What was asked in
production is asked again, so that what was outvoted, or said beside a hold, counts as well.

  --from RECORD       the folder of a record, or an export of one as JSON lines
  --tests FOLDER      the policies with their tests (default rego)
  --threshold PERCENT fail when fewer of the rules fired, in production or in tests
  --json              everything, for machines
  --opa PATH          the opa to compile with; found on PATH otherwise
`

/** `postern coverage`: which rules ever fire. */
export async function coverageCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, {
    from: 'string',
    tests: 'string',
    threshold: 'string',
    opa: 'string',
    json: 'boolean',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  if (options.words.length > 0) throw new Usage(`${options.words.join(' ')} is too much`)
  const least = thresholdOf(options)
  const found = await coverageOf(options)
  io.stdout(options.values['json'] === true ? `${printableJson(found)}\n` : text(found))
  if (least === undefined || found.either_percent >= least) return exits.done
  io.stderr(`${found.either_percent} % of the rules fired, ${least} % are wanted\n`)
  return exits.failed
}

async function coverageOf(options: Given): Promise<Coverage> {
  const record = textOf(options, 'from')
  if (record === undefined) throw new Usage('which record? give --from FOLDER or --from FILE')
  const lines = linesAt(record)
  const folder = folderAt(textOf(options, 'tests') ?? 'rego')
  const from = { folder, command: textOf(options, 'opa') }
  const rules = await rulesIn(from)
  if (rules.length === 0) throw new Failure(`${folder} has no rule of a package policies.<name>`)
  const tested = await coveredByTests(from, rules)
  const asked = production(rules, await listening(from))
  for await (const { bytes } of lines.toEnd()) asked.line(bytes.toString())
  return merged(rules, asked.counts(), tested)
}

function thresholdOf(options: Given): number | undefined {
  const given = textOf(options, 'threshold')
  if (given === undefined) return undefined
  const least = Number(given)
  if (given.trim() === '' || !(least >= 0 && least <= 100))
    throw new Usage('--threshold is a number from 0 to 100')
  return least
}

function text(found: Coverage): string {
  const { rules, decisions, failed } = found
  const neither = rules.filter((rule) => !rule.in_tests && rule.in_production === 0)
  const untested = rules.filter((rule) => !rule.in_tests && rule.in_production > 0)
  const unused = rules.filter((rule) => rule.in_tests && rule.in_production === 0)
  const trouble = failed === 0 ? '' : `, the policies failed on ${failed}`
  return [
    `${rules.length} rules, ${decisions} decisions${trouble}: ${found.production_percent} % fired in production, `,
    `${found.tests_percent} % in tests, ${found.either_percent} % in either.\n`,
    section('Never fired at all', neither),
    section('Never in tests', untested),
    section('Never in production', unused),
  ].join('')
}

function section(title: string, rules: readonly Covered[]): string {
  if (rules.length === 0) return ''
  const rows = rules.map(({ file, row, policy, set, name, in_production: count }) => {
    const times = count === 0 ? '' : `, ${count} times in production`
    return `  ${file}:${row}: policies.${policy} ${set} ${name ?? '(named by the question)'}${times}`
  })
  return `\n${title}\n${rows.map((row) => `${printable(row)}\n`).join('')}`
}

import { folderAt } from '../authoring/opa.ts'
import { summaryOf, testsText } from '../authoring/testing.ts'
import { opaTests } from '../authoring/tests.ts'
import { tryTests } from '../authoring/trial.ts'
import { exits, Failure, given, type Io, textOf, Usage } from './io.ts'
import { printableJson } from './printable.ts'

const help = `Usage: postern test [FOLDER] [--run REGEX] [--verbose] [--json]

Runs the test_ rules of a folder (default rego) on the WebAssembly that gates run, and with opa test, and fails where
a test fails, cannot run there, or ends differently. Rules named todo_test_ are skipped.

  --run REGEX         only tests whose full name, as data.tests.orders.test_x, matches
  --verbose           tests that passed too
  --json              everything, for machines
  --opa PATH          the opa to compile with; found on PATH otherwise
`

/** `postern test`: the tests of policies, on what production runs. */
export async function testCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, {
    run: 'string',
    verbose: 'boolean',
    json: 'boolean',
    opa: 'string',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const [folder = 'rego', ...more] = options.words
  if (more.length > 0) throw new Usage(`one folder at a time: ${more.join(' ')} is too much`)
  const from = { folder: folderAt(folder), command: textOf(options, 'opa') }
  const run = textOf(options, 'run')
  const found = await opaTests(from, run)
  if (found.length === 0)
    throw new Failure(`${folder} has no test${run === undefined ? '' : ` that matches ${run}`}`)
  const tests = await tryTests(from, found)
  const summary = summaryOf(tests)
  const json = options.values['json'] === true
  const verbose = options.values['verbose'] === true
  io.stdout(json ? `${printableJson({ ...summary, tests })}\n` : testsText(tests, verbose))
  return summary.ok ? exits.done : exits.failed
}

/** Formats nothing, checks everything: what `make rego` says about the policies, one line per check. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Check = {
  readonly name: string
  readonly args: readonly string[]
  /** What the line says when all is well. */
  readonly done: (printed: string) => string
  readonly remedy: string
}

const coverageMin = 95
const project = fileURLToPath(new URL('../../', import.meta.url))
const opa = `${project}.tools/opa`

// `-b` reads data.json and policies alone: without it opa takes the schemas for data and finds them in conflict.
const checks: readonly Check[] = [
  {
    name: 'format',
    args: ['fmt', '--fail', '--diff', 'rego'],
    done: () => 'as opa fmt writes it',
    remedy: 'run make format',
  },
  {
    name: 'check',
    args: ['check', '--strict', '-s', 'rego/contract', '-b', 'rego'],
    done: () => 'strict, against the schemas in rego/contract',
    remedy: 'correct the names above: rego/contract/input.json lists what an input holds',
  },
  {
    name: 'test',
    args: ['test', '-b', 'rego'],
    done: (printed) => `${/PASS: \d+\/(\d+)/.exec(printed)?.[1] ?? '?'} passed`,
    remedy: 'see one test closely with .tools/opa test -b rego -v --run <name>',
  },
  {
    name: 'coverage',
    args: ['test', '-b', 'rego', '--coverage', '--threshold', String(coverageMin)],
    done: (printed) => `${coverage(printed)} % of lines, at least ${coverageMin} wanted`,
    remedy: 'list the lines no test reaches with .tools/opa test -b rego --coverage',
  },
]

if (!existsSync(opa)) fail('opa is not in .tools: run make setup')
for (const check of checks) run(check)

function run({ name, args, done, remedy }: Check): void {
  const { status, stdout, stderr, error } = spawnSync(opa, args, { cwd: project, encoding: 'utf8' })
  if (error !== undefined) fail(`rego ${name}: opa did not start: ${error.message}`)
  if (status !== 0) fail(`${stdout}${stderr}\nrego ${name}: failed; ${remedy}`)
  process.stdout.write(`rego ${name}: ${done(stdout)}\n`)
}

/** `opa test --coverage` prints JSON with one number for everything at its end. */
function coverage(printed: string): string {
  const { coverage } = JSON.parse(printed) as { readonly coverage: number }
  return coverage.toFixed(1)
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

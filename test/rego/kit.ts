/** The policies as production runs them (WASM), and as OPA itself evaluates them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import type { Decision } from '../../pdp/contract.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const opaBinary = join(root, '.tools/opa')

/** A Wednesday at noon in Berlin, and the night that follows. */
export const noon = 1_806_490_800_000
export const night = noon + 12 * 3_600_000

const opaBytesMax = 256 * 1024 * 1024
const pages = { initial: 64, maximum: 1024 }

export type Policies = {
  /** What the policies decide at that time, in milliseconds; undefined where they leave it undefined. */
  decide(input: unknown, atMs?: number): Decision | undefined
}

/** Runs opa and gives what it printed. Throws with what it complained about. */
export function opa(args: readonly string[], input?: string): string {
  return execFileSync(opaBinary, args, {
    input,
    encoding: 'utf8',
    maxBuffer: opaBytesMax,
    cwd: root,
    stdio: 'pipe',
  })
}

/** A fresh folder, gone when `use` returns. */
export async function folder<T>(use: (path: string) => T | Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'postern-rego-'))
  try {
    return await use(path)
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** Builds the library with the policies in rego/, or with other ones given as name and text. */
export function build(others?: Readonly<Record<string, string>>): Promise<Policies> {
  return folder(async (path) => {
    const archive = join(path, 'bundle.tar.gz')
    const source = others === undefined ? ['-b', 'rego'] : ['rego/postern', write(path, others)]
    const target = ['-t', 'wasm', '-e', 'postern/decision']
    opa(['build', ...target, '--ignore', '*_test.rego', '-o', archive, ...source])
    execFileSync('tar', ['-xzf', archive, '-C', path, '--transform', 's,^/,,'])
    const data: unknown = JSON.parse(readFileSync(join(path, 'data.json'), 'utf8'))
    return load(readFileSync(join(path, 'policy.wasm')), data)
  })
}

function write(path: string, others: Readonly<Record<string, string>>): string {
  const policies = join(path, 'policies')
  mkdirSync(policies)
  for (const [name, text] of Object.entries(others)) writeFileSync(join(policies, name), text)
  return policies
}

async function load(wasm: Buffer, data: unknown): Promise<Policies> {
  let nowMs = noon
  const clock = {
    'time.now_ns': () => nowMs * 1e6,
    'time.weekday': ([, zone]: [number, string]) => part(nowMs, zone, { weekday: 'long' }),
    'time.clock': ([, zone]: [number, string]) =>
      (['hour', 'minute', 'second'] as const).map((unit) =>
        Number(part(nowMs, zone, { [unit]: 'numeric', hourCycle: 'h23' })),
      ),
  }
  const policy = await loadPolicy(wasm, pages, clock)
  policy.setData(data as object)
  return {
    decide(input, atMs = noon) {
      nowMs = atMs
      const answers = policy.evaluate(input) as readonly { readonly result: Decision }[]
      return answers[0]?.result
    },
  }
}

function part(nowMs: number, timeZone: string, unit: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, ...unit }).format(nowMs)
}

export type Answer = {
  readonly decision?: Decision
  readonly inputFits: boolean
  readonly decisionFits: boolean
}

/** What OPA itself decides at noon about each question, and whether question and decision fit their schemas. */
export function evaluate(inputs: readonly unknown[]): readonly Answer[] {
  const schema = (name: string): unknown =>
    JSON.parse(readFileSync(join(root, `rego/contract/${name}.json`), 'utf8'))
  const asked = { inputs, input: schema('input'), decision: schema('decision') }
  const query = `all := input
    answers := [{"decision": decision, "inputFits": input_fits, "decisionFits": decision_fits} |
      some question in all.inputs
      decision := data.postern.decision with input as question with time.now_ns as ${noon * 1e6}
      input_fits := json.match_schema(question, all.input)[0]
      decision_fits := json.match_schema(decision, all.decision)[0]]`
  const sources = ['rego/postern', 'rego/policies', 'rego/data.json'].flatMap((path) => [
    '-d',
    path,
  ])
  const printed = opa(
    ['eval', '--stdin-input', '--ignore', '*_test.rego', ...sources, query],
    JSON.stringify(asked),
  )
  return (JSON.parse(printed) as Evaluated).result[0].bindings.answers
}

type Evaluated = {
  readonly result: readonly [{ readonly bindings: { readonly answers: Answer[] } }]
}

/** The question without one key or element, for every one there is. */
export function* deletions(value: unknown): Generator<{ path: string; without: unknown }> {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    yield { path: key, without: removed(value, key) }
    const below = (value as Record<string, unknown>)[key]
    for (const { path, without } of deletions(below))
      yield { path: `${key}.${path}`, without: replaced(value, key, without) }
  }
}

function removed(value: object, key: string): unknown {
  if (Array.isArray(value)) return value.toSpliced(Number(key), 1)
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
}

function replaced(value: object, key: string, below: unknown): unknown {
  return Array.isArray(value) ? value.with(Number(key), below) : { ...value, [key]: below }
}

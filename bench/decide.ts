/**
 * What one decision costs: ours of a new question, of a known one with another text, and of a known one; the plain SDK;
 * and `opa run --server` on loopback. On the policies of rego/, and with patterns.
 */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { buildBundle } from '../bundles/build.ts'
import type { Input } from '../pdp/contract.ts'
import { builtins } from '../pdp/engine/builtins.ts'
import { engine, type ManagedEngine } from '../pdp/engine/engine.ts'
import { plain } from '../pdp/engine/text.ts'
import type { Value } from '../pdp/engine/value.ts'
import type { PolicyBundle } from '../pdp/parts.ts'
import { type Case, patterns, retold, sizes, typical } from './questions.ts'
import { type OpaServer, opaServer } from './server.ts'

export type Cost = {
  readonly name: string
  readonly bytes: number
  readonly who: (typeof names)[number]
  readonly p50Us: number
  readonly p99Us: number
}

type Sdk = {
  setData(data: unknown): void
  evaluate(input: unknown): { readonly result: unknown }[]
}
type Loader = {
  loadPolicySync(
    wasm: Buffer,
    memory: { readonly initial: number },
    custom: Readonly<Record<string, (...args: Value[]) => unknown>>,
  ): Sdk
}

const entrypoint = 'postern/decision'
const rounds = 3
const warmUp = 300
/** Characters of input that one round may take, about: fewer questions of the large ones. */
const roundChars = 4_000_000
const questionsMax = 2000
/** A server takes so long that fewer questions must do. */
const servedMax = 300

/** Measures in interleaved rounds and prints a table. */
export async function decide(): Promise<readonly Cost[]> {
  line('\nOne decision, microseconds')
  line(
    `${'question'.padEnd(24)}${'input'.padStart(8)}  ${'who'.padEnd(14)}${'p50'.padStart(9)}${'p99'.padStart(9)}`,
  )
  const ofShop = await measureAll('../rego', [...sizes, ...typical])
  return [...ofShop, ...(await measureAll('./patterns', [patterns]))]
}

async function measureAll(source: string, cases: readonly Case[]): Promise<readonly Cost[]> {
  const bundle = await built(source)
  const ours = engine()
  await ours.activate(bundle)
  const sdk = sdkOf(bundle)
  const server = await opaServer(fileURLToPath(new URL(source, import.meta.url)))
  try {
    const all: Cost[] = []
    for (const one of cases) all.push(...report(await measure(ours, sdk, server, one)))
    return all
  } finally {
    await server.stop()
  }
}

function report(costs: readonly Cost[]): readonly Cost[] {
  for (const { name, bytes, who, p50Us, p99Us } of costs)
    line(
      `${name.padEnd(24)}${`${(bytes / 1000).toFixed(1)} KB`.padStart(8)}  ${who.padEnd(14)}${p50Us.toFixed(1).padStart(9)}${p99Us.toFixed(1).padStart(9)}`,
    )
  return costs
}

async function measure(
  ours: ManagedEngine,
  sdk: Sdk,
  server: OpaServer,
  one: Case,
): Promise<readonly Cost[]> {
  const { name, ask } = one
  const spent = new Map(names.map((who) => [who, [] as number[]]))
  const known = ask(0)
  const bytes = JSON.stringify(known).length
  const times = Math.min(questionsMax, Math.ceil(roundChars / bytes))
  let asked = 0
  for (let round = -1; round < rounds; round++) {
    const count = round < 0 ? warmUp : times
    // Commands never seen before: nothing about them is remembered by identity either.
    const fresh = (): Input[] => Array.from({ length: count }, () => ask(++asked))
    const other = Array.from({ length: count }, () => retold(one, ++asked))
    const again = Array.from({ length: count }, () => ({ ...known, counts: { ...known.counts } }))
    const taken = {
      ours: timed(fresh(), (input) => ours.evaluate(input)),
      'ours, new text': timed(other, (input) => ours.evaluate(input)),
      'ours, cached': timed(again, (input) => ours.evaluate(input)),
      'plain SDK': timed(fresh(), (input) => sdk.evaluate(input)),
      'opa server': await served(fresh().slice(0, servedMax), server),
    }
    if (round >= 0) for (const who of names) spent.get(who)?.push(...taken[who])
  }
  const { decision } = ours.evaluate(known)
  if (unwanted.has(decision.reasons[0]?.code ?? 'none'))
    throw new Error(`${name}: ${decision.reasons[0]?.message}`)
  // A hold is never remembered.
  const held = decision.effect === 'hold'
  const whos = names.filter((who) => !held || !remembered.has(who))
  return whos.map((who) => ({ name, bytes, who, ...percentiles(spent.get(who) ?? []) }))
}

async function served(questions: readonly Input[], server: OpaServer): Promise<readonly number[]> {
  const spent: number[] = []
  for (const input of questions) {
    const start = performance.now()
    // What a client of the server pays includes writing the question down.
    await server.decide(JSON.stringify({ input }))
    spent.push((performance.now() - start) * 1000)
  }
  return spent
}

/** Answers that would mean the question itself is wrong. */
const unwanted: ReadonlySet<string> = new Set([
  'unsupported_input',
  'unsupported_obligation',
  'no_matching_allow',
  'policy_failed',
  'none',
])

const names = ['ours', 'ours, new text', 'ours, cached', 'plain SDK', 'opa server'] as const
const remembered: ReadonlySet<string> = new Set(['ours, new text', 'ours, cached'])

function timed(
  questions: readonly Input[],
  evaluate: (asked: Input) => unknown,
): readonly number[] {
  return questions.map((asked) => {
    const start = performance.now()
    evaluate(asked)
    return (performance.now() - start) * 1000
  })
}

function percentiles(spent: readonly number[]): { readonly p50Us: number; readonly p99Us: number } {
  const inOrder = spent.toSorted((a, b) => a - b)
  const at = (part: number): number => inOrder[Math.floor((inOrder.length - 1) * part)] ?? 0
  return { p50Us: at(0.5), p99Us: at(0.99) }
}

/** The bundle of a folder of policies. */
export async function built(folder: string): Promise<PolicyBundle> {
  const opa = fileURLToPath(new URL('../.tools/opa', import.meta.url))
  const source = fileURLToPath(new URL(folder, import.meta.url))
  const files = await buildBundle({ source, revision: 'bench', opa })
  const content = (name: string): Buffer => {
    const found = files.find((file) => file.name.replace(/^\//, '') === name)
    if (found === undefined) throw new Error(`the built bundle has no ${name}`)
    return found.content
  }
  const wasm = content('policy.wasm')
  const data: unknown = JSON.parse(content('data.json').toString())
  const digest = createHash('sha256').update(wasm).digest('hex')
  return { name: 'bench', revision: 'bench', digest, entrypoint, wasm, data }
}

function sdkOf({ wasm, data }: PolicyBundle): Sdk {
  const loader = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as Loader
  const custom = Object.entries(builtins).map(([name, { call }]) => {
    const plainCall = (...args: Value[]): unknown =>
      plain(call(args, { nowNs: BigInt(Date.now()) * 1_000_000n }) ?? null)
    return [name, plainCall] as const
  })
  const sdk = loader.loadPolicySync(wasm, { initial: 64 }, Object.fromEntries(custom))
  sdk.setData(data)
  return sdk
}

function line(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (import.meta.main) await decide()

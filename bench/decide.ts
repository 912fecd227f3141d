/** What one decision costs on the policies of this repository: ours uncached, ours cached, and the plain SDK. */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { buildBundle } from '../bundles/build.ts'
import type { Command, Input } from '../pdp/contract.ts'
import { builtins } from '../pdp/engine/builtins.ts'
import { engine, type ManagedEngine } from '../pdp/engine/engine.ts'
import { plain } from '../pdp/engine/text.ts'
import type { Value } from '../pdp/engine/value.ts'
import type { PolicyBundle } from '../pdp/parts.ts'

export type Cost = {
  readonly bytes: number
  readonly who: 'ours' | 'ours, cached' | 'plain SDK'
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
/** Columns read, chosen so that the inputs have about 0.6 (the least there is), 1, 3 and 30 KB. */
const sizes = [
  { columns: 0, times: 2000 },
  { columns: 5, times: 2000 },
  { columns: 30, times: 1000 },
  { columns: 360, times: 300 },
]

/** Measures in interleaved rounds and prints a table. */
export async function decide(): Promise<readonly Cost[]> {
  const bundle = await built()
  const ours = engine()
  await ours.activate(bundle)
  const sdk = sdkOf(bundle)
  const costs = sizes.flatMap(({ columns, times }) => measure(ours, sdk, columns, times))
  line('\nOne decision on the policies of rego/, microseconds')
  line(`${'input'.padStart(8)}  ${'who'.padEnd(14)}${'p50'.padStart(9)}${'p99'.padStart(9)}`)
  for (const { bytes, who, p50Us, p99Us } of costs)
    line(
      `${`${(bytes / 1000).toFixed(1)} KB`.padStart(8)}  ${who.padEnd(14)}${p50Us.toFixed(1).padStart(9)}${p99Us.toFixed(1).padStart(9)}`,
    )
  return costs
}

function measure(ours: ManagedEngine, sdk: Sdk, columns: number, times: number): readonly Cost[] {
  const spent = {
    ours: [] as number[],
    'ours, cached': [] as number[],
    'plain SDK': [] as number[],
  }
  const known = question(columns, 0)
  let asked = 0
  for (let round = -1; round < rounds; round++) {
    const count = round < 0 ? warmUp : times
    // Commands never seen before: nothing about them is remembered by identity either.
    const fresh = (): Input[] => Array.from({ length: count }, () => question(columns, ++asked))
    const again = Array.from({ length: count }, () => ({ ...known, counts: { ...known.counts } }))
    const taken = {
      ours: timed(fresh(), (input) => ours.evaluate(input)),
      'ours, cached': timed(again, (input) => ours.evaluate(input)),
      'plain SDK': timed(fresh(), (input) => sdk.evaluate(input)),
    }
    if (round >= 0) for (const who of names) spent[who].push(...taken[who])
  }
  const bytes = JSON.stringify(known).length
  if (ours.evaluate(known).decision.effect !== 'allow')
    throw new Error('the question is not allowed')
  return names.map((who) => ({ bytes, who, ...percentiles(spent[who]) }))
}

const names = ['ours', 'ours, cached', 'plain SDK'] as const

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

async function built(): Promise<PolicyBundle> {
  const opa = fileURLToPath(new URL('../.tools/opa', import.meta.url))
  const source = fileURLToPath(new URL('../rego', import.meta.url))
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

const subject: Input['subject'] = {
  id: 'ann@example.com',
  type: 'human',
  issuer: 'https://issuer.example.com',
  groups: ['engineers'],
  claims: {},
  actor: null,
}
const resource: Input['resource'] = { id: 'shop', protocol: 'postgres', labels: {} }
const context: Input['context'] = {
  peer: '127.0.0.1:50000',
  tls: true,
  database: 'shop',
  user: 'ann',
  application: 'psql',
  state: {},
  grants: [],
  capabilities: ['mask:null', 'mask:redact', 'mask:partial', 'limit:rows', 'limit:bytes'],
}

function question(columns: number, index: number): Input {
  const list = Array.from({ length: columns }, (_, at) => `public.orders.column_${at}`)
  const action: Command = {
    name: 'select',
    effects: ['read'],
    objects: [
      {
        kind: 'table',
        name: 'public.orders',
        access: 'read',
        ...(columns > 0 ? { columns: list } : {}),
      },
    ],
    ...(columns > 0
      ? { outputs: list.map((name) => ({ name, sources: [name], exact: true })) }
      : {}),
    text: `select * from public.orders where id = ${index}`,
  }
  const counts = {
    groups: subject.groups.length,
    claims: 0,
    labels: 0,
    effects: 1,
    objects: 1,
    columns,
    outputs: columns,
    predicates: 0,
    grants: 0,
    incomplete: 0,
  }
  return { v: 1, phase: 'command', subject, resource, action, context, counts }
}

function line(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (import.meta.main) await decide()

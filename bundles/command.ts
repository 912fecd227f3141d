/** `postern bundle build|sign|verify|inspect`. */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { buildBundle } from './build.ts'
import { describeBundle, type Inspection, inspectBundle } from './inspect.ts'
import { gitRevision } from './revision.ts'
import { addSignature, defaultKeyId, packSigned, type SignOptions, signBundle } from './sign.ts'
import { trustSet } from './trust.ts'
import { verifyBundle } from './verify.ts'

/** What the command may touch besides files. */
export type CommandIo = {
  stdout(text: string): void
  stderr(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
}

const help = `postern bundle: from policies to a bundle that a gate trusts

  postern bundle build --source rego --output policy.tar.gz --key key.pem [signing options] [--revision R] [--opa PATH]
      compiles the folder with opa (tests left out) and signs it; the revision is the git commit unless given
  postern bundle sign --bundle in.tar.gz --output out.tar.gz --key key.pem [signing options]
      signs a bundle anew, e.g. one that \`opa build -t wasm -e postern/decision\` made
  postern bundle sign --add --bundle in.tar.gz --output out.tar.gz --key second.pem --key-id ID
      signs it besides who did already, with their sequence, expiry and scope: for gates that ask for several signers
  postern bundle verify --bundle policy.tar.gz --key public.pem [--key-id ID] [--algorithm A] [--scope S] [--demo]
      checks it as a gate would; --demo trusts the published demo key
  postern bundle inspect --bundle policy.tar.gz
      prints what is in it, without checking anything

Signing options
  --key FILE        private key in PEM form, or env:NAME for an environment variable that holds one
  --key-id ID       the name gates know the key by (default: ${defaultKeyId})
  --algorithm A     RS, PS or ES with 256, 384 or 512 (default: what fits the key)
  --sequence N      must grow from bundle to bundle (default: milliseconds since 1970)
  --expires 30d     when gates stop using it: minutes (m), hours (h) or days (d) from now
  --scope S         the scope gates may ask for

Exit status: 0 done, 1 refused or failed, 2 wrong usage.
`

const options = {
  source: { type: 'string' },
  bundle: { type: 'string' },
  output: { type: 'string' },
  key: { type: 'string' },
  'key-id': { type: 'string' },
  algorithm: { type: 'string' },
  sequence: { type: 'string' },
  expires: { type: 'string' },
  scope: { type: 'string' },
  add: { type: 'boolean' },
  revision: { type: 'string' },
  opa: { type: 'string' },
  demo: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
type Name = keyof Values
type Verb = {
  readonly needs: readonly Name[]
  readonly takes: readonly Name[]
  run(values: Values, io: CommandIo): Promise<void>
}

const signing = ['key-id', 'algorithm', 'sequence', 'expires', 'scope'] as const
const verbs: Readonly<Record<string, Verb>> = {
  build: { needs: ['source', 'output', 'key'], takes: [...signing, 'revision', 'opa'], run: build },
  sign: { needs: ['bundle', 'output', 'key'], takes: [...signing, 'add'], run: sign },
  verify: {
    needs: ['bundle', 'key'],
    takes: ['key-id', 'algorithm', 'scope', 'demo'],
    run: verify,
  },
  inspect: { needs: ['bundle'], takes: [], run: inspect },
}

/** Runs one command line (without `postern bundle`) and returns its exit status. Never throws. */
export async function bundleCommand(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    const asked = usage(args)
    if (asked === undefined) io.stdout(help)
    else await asked.verb.run(asked.values, io)
    return 0
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const wrong = error instanceof Usage
    io.stderr(`postern bundle: ${message}${wrong ? '\nTry: postern bundle --help' : ''}\n`)
    return wrong ? 2 : 1
  }
}

class Usage extends Error {}

async function build(values: Values, io: CommandIo): Promise<void> {
  const source = text(values, 'source')
  const signed = await signOptions(values, io)
  const revision = values.revision ?? (await gitRevision(source))
  const opa = values.opa === undefined ? {} : { opa: values.opa }
  const files = await buildBundle({ source, revision, ...opa })
  await write(await packSigned(files, signed), values, io)
}

async function sign(values: Values, io: CommandIo): Promise<void> {
  const said = (['sequence', 'expires', 'scope'] as const).find(
    (name) => values[name] !== undefined,
  )
  if (values.add === true && said !== undefined)
    throw new Usage(`--add takes no --${said}: all signers say the same`)
  const signed = await signOptions(values, io)
  const bundle = await read(text(values, 'bundle'))
  const add = values.add === true ? addSignature : signBundle
  await write(await add(bundle, signed), values, io)
}

async function verify(values: Values, io: CommandIo): Promise<void> {
  const { algorithm, scope, demo = false } = values
  const pem = await pemOf(text(values, 'key'), io)
  const id = values['key-id'] ?? defaultKeyId
  const key = { id, pem, ...(algorithm === undefined ? {} : { algorithm }) }
  const trust = trustSet({ keys: [key], demo, ...(scope === undefined ? {} : { scope }) })
  const bundle = await verifyBundle(await read(text(values, 'bundle')), trust, { name: 'bundle' })
  const { revision, digest, sequence, expiresMs } = bundle
  const expires = expiresMs === undefined ? 'never' : new Date(expiresMs).toISOString()
  io.stdout(
    `verified: revision ${revision || 'none'}, sequence ${sequence ?? 'none'}, expires ${expires}, ` +
      `sha256 ${digest}\n`,
  )
}

async function inspect(values: Values, io: CommandIo): Promise<void> {
  io.stdout(shown(await inspectBundle(await read(text(values, 'bundle')))))
}

function shown({ files, ...facts }: Inspection): string {
  const lines = [
    `revision     ${facts.revision || 'none'}`,
    `sha256       ${facts.digest}`,
    `signature    ${facts.signature}${facts.signature === 'none' ? '' : ' (not checked)'}`,
    `roots        ${facts.roots.map((root) => JSON.stringify(root)).join(' ')}`,
    `entrypoints  ${facts.entrypoints.join(' ') || 'none'}`,
    `builtins     ${facts.builtins.join(' ') || 'none'}`,
    'files',
    ...files.map(({ name, bytes }) => `${String(bytes).padStart(12)}  ${name}`),
  ]
  return `${lines.join('\n')}\n`
}

/** The verb and its options; undefined when help was asked for. Throws Usage. */
function usage(args: readonly string[]) {
  const { values, positionals } = parsed(args)
  const [name] = positionals
  if (values.help === true || name === 'help') return undefined
  if (name === undefined) throw new Usage('say what to do: build, sign, verify or inspect')
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined) throw new Usage(`there is no command ${JSON.stringify(name)}`)
  if (positionals.length > 1)
    throw new Usage(
      `${JSON.stringify(positionals[1])} is not an option; files are named by options`,
    )
  const given = Object.keys(options).filter((one) => Object.hasOwn(values, one))
  const accepted: readonly string[] = [...verb.needs, ...verb.takes]
  const stray = given.find((one) => !accepted.includes(one))
  if (stray !== undefined) throw new Usage(`${name} takes no --${stray}`)
  const missing = verb.needs.filter((one) => !given.includes(one))
  if (missing.length > 0) throw new Usage(`${name} needs --${missing.join(', --')}`)
  return { verb, values }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : 'unreadable options')
  }
}

async function signOptions(values: Values, io: CommandIo): Promise<SignOptions> {
  const { algorithm, scope } = values
  const id = values['key-id']
  const sequence = sequenceOf(values.sequence)
  const expiresMs = expiryOf(values.expires)
  return {
    pem: await pemOf(text(values, 'key'), io),
    ...(id === undefined ? {} : { id }),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(scope === undefined ? {} : { scope }),
  }
}

function sequenceOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const sequence = Number(given)
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(sequence))
    throw new Usage(`--sequence ${given} is not a whole number`)
  return sequence
}

function expiryOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(given) ?? []
  const minutes = { m: 1, h: 60, d: 24 * 60 }[unit ?? '']
  if (count === undefined || minutes === undefined)
    throw new Usage(`--expires ${given} is not a time like 90m, 12h or 30d`)
  return Date.now() + Number(count) * minutes * 60_000
}

async function pemOf(where: string, io: CommandIo): Promise<string> {
  if (!where.startsWith('env:')) return (await read(where)).toString('utf8')
  const name = where.slice('env:'.length)
  const pem = io.env[name]
  if (pem === undefined || pem === '') throw new Error(`the environment has no ${name}`)
  return pem
}

async function write(bundle: Buffer, values: Values, io: CommandIo): Promise<void> {
  const output = text(values, 'output')
  await writeFile(output, bundle).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${output} cannot be written (${error.code ?? error.message})`)
  })
  io.stdout(`${output}: ${await describeBundle(bundle)}\n`)
}

function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path} cannot be read (${error.code ?? error.message})`)
  })
}

function text(values: Values, name: 'source' | 'bundle' | 'output' | 'key'): string {
  return values[name] ?? ''
}

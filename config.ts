import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  type Document as Yaml,
} from 'yaml'
import { crossFindings, pathText } from './config/cross.ts'
import { schemaFindings } from './config/findings.ts'
import type { Finding } from './config/look.ts'
import { type Env, referenceFindings } from './config/references.ts'
import { type Config, resolved } from './config/resolve.ts'
import { schemaFor } from './config/schema.ts'

export type { SecretRef } from './config/places.ts'
export type { Config, ListenerConfig, TlsFiles } from './config/resolve.ts'

/** One mistake in the file. */
export type Problem = {
  /** `listeners[0].upstream.port`; empty for the file as a whole. */
  readonly path: string
  readonly line?: number
  readonly problem: string
  readonly fix: string
}

export type Parsed =
  | { readonly config: Config; readonly problems?: undefined }
  | { readonly config?: undefined; readonly problems: readonly Problem[] }

export type ParseOptions = {
  /** The file's path: what is relative in it is relative to its folder. */
  readonly file: string
  /** What `protocol` may be. */
  readonly protocols: readonly string[]
  /** Where given, files and variables that are named must be there. */
  readonly env?: Env
}

/** The settings cannot be used; the message lists every mistake. */
export class ConfigInvalid extends Error {
  override readonly name = 'Failure'
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    const many = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super(`${file} has ${many}:\n${problems.map(problemText).join('\n')}`)
    this.problems = problems
  }
}

const fileCharsMax = 1024 * 1024
const aliasesMax = 100

/** Reads postern.yaml and, given `env`, checks that what it names is there. Throws ConfigInvalid with every mistake at once. */
export function loadConfig(path: string, protocols: readonly string[], env?: Env): Config {
  const file = resolve(path)
  const { config, problems } = parseConfig(textOf(file), {
    file,
    protocols,
    ...(env !== undefined && { env }),
  })
  if (problems !== undefined) throw new ConfigInvalid(path, problems)
  return config
}

/** Turns the text of postern.yaml into settings, or into a list of every mistake in it. */
export function parseConfig(text: string, { file, protocols, env }: ParseOptions): Parsed {
  if (text.length > fileCharsMax) return { problems: [whole('is larger than 1 MiB')] }
  const lines = new LineCounter()
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const broken = [...yaml.errors, ...yaml.warnings]
  if (broken.length > 0) {
    return {
      problems: broken.map(({ message, pos }) => ({
        ...whole(message),
        line: lines.linePos(pos[0]).line,
      })),
    }
  }
  const place = (finding: Finding): Problem => placed(finding, yaml, lines)
  const raw = plainOf(yaml)
  const schema = schemaFor(protocols)
  const parsed = schema.safeParse(raw)
  const findings = parsed.success ? [] : schemaFindings(parsed.error, raw, schema)
  const between = crossFindings(raw)
  if (!parsed.success || between.length > 0)
    return { problems: inOrder([...findings, ...between].map(place)) }
  const config = resolved(parsed.data, dirname(file))
  const absent = env === undefined ? [] : referenceFindings(config, env)
  return absent.length > 0 ? { problems: inOrder(absent.map(place)) } : { config }
}

/** The settings as they were understood, for people: names as in the file, no secret, no argument of a command. */
export function describe(config: Config): Readonly<Record<string, unknown>> {
  return described(config) as Readonly<Record<string, unknown>>
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new ConfigInvalid(file, [whole('cannot be read')])
  }
}

function plainOf(yaml: Yaml): unknown {
  try {
    return yaml.toJS({ maxAliasCount: aliasesMax })
  } catch {
    return undefined
  }
}

function whole(problem: string): Problem {
  return { path: '', problem, fix: 'see deploy/postern.example.yaml' }
}

function placed({ path, problem, fix }: Finding, yaml: Yaml, lines: LineCounter): Problem {
  const offset = offsetOf(yaml, path)
  const line = offset === undefined ? {} : { line: lines.linePos(offset).line }
  return { path: pathText(path), ...line, problem, fix }
}

// The key where there is one, for that is where the eye goes; what is missing is missing in its parent.
function offsetOf(yaml: Yaml, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? yaml.contents : yaml.getIn(path.slice(0, length - 1), true)
    const name = path[length - 1]
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && key.value === name)
      : undefined
    const node = isPair(pair) ? pair.key : yaml.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return yaml.contents?.range?.[0]
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((one, two) => (one.line ?? 0) - (two.line ?? 0))
}

function problemText({ path, line, problem, fix }: Problem): string {
  const where = [line === undefined ? '' : `line ${line}: `, path === '' ? '' : `${path} `].join('')
  return `  ${where}${problem}; ${fix}`
}

function described(value: unknown, name = ''): unknown {
  if (name === 'command' && Array.isArray(value))
    return [value[0], ...value.slice(1).map(() => '...')]
  if (Array.isArray(value)) return value.map((item) => described(item))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(
    entries.map(([key, inner]) => [name === 'labels' ? key : snake(key), described(inner, key)]),
  )
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readArchive } from './archive.ts'
import { entrypoint, readContent } from './manifest.ts'
import type { BundleFile } from './tar.ts'

/** What `opa build` may use: exactly what the engine provides. */
const capabilities = fileURLToPath(new URL('../pdp/engine/capabilities.json', import.meta.url))
const buildMsMax = 120_000
const outputBytesMax = 1024 * 1024

/** What to build. */
export type BuildOptions = {
  /** The folder with policies and data. */
  readonly source: string
  readonly revision: string
  /** The `opa` command; found on PATH unless given. */
  readonly opa?: string
}

/**
 * Compiles a folder with `opa build`, without its tests, and returns the files of the unsigned bundle.
 * Throws an Error with what opa said; a builtin that gates do not provide is an error here already.
 */
export async function buildBundle(options: BuildOptions): Promise<BundleFile[]> {
  const { source, revision } = options
  // A path is the caller's, not relative to the folder that opa runs in.
  const opa = options.opa?.includes('/') ? resolve(options.opa) : (options.opa ?? 'opa')
  const found = await stat(source).catch(() => undefined)
  if (found?.isDirectory() !== true) throw new Error(`there is no folder ${source} to build from`)
  const folder = await mkdtemp(join(tmpdir(), 'postern-bundle-'))
  const output = join(folder, 'bundle.tar.gz')
  const target = ['--bundle', '.', '--target', 'wasm', '--entrypoint', entrypoint]
  const ignored = ['--ignore', '*_test.rego']
  const rest = ['--capabilities', capabilities, '--revision', revision, '--output', output]
  try {
    await run(opa, ['build', ...target, ...ignored, ...rest], source)
    const files = await readArchive(await readFile(output))
    readContent(files)
    return files
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs a command to its end and returns what it printed. Throws an Error with what it said instead. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const limits = { timeout: buildMsMax, maxBuffer: outputBytesMax }
  const ran = promisify(execFile)(command, args, { cwd, encoding: 'utf8', ...limits })
  const { stdout } = await ran.catch((error: ExecError) => failed(command, error))
  return stdout.trim()
}

type ExecError = Error & {
  readonly code?: string | number
  readonly stdout?: string
  readonly stderr?: string
}

function failed(command: string, error: ExecError): never {
  if (error.code === 'ENOENT')
    throw new Error(`${command} was not found: \`make setup\` installs it, --opa names another one`)
  const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim()
  const unknown = /undefined function ([\w.]+)/.exec(said)?.[1]
  const fix =
    unknown === undefined ? '' : `\nGates do not provide ${unknown}: a policy cannot use it.`
  throw new Error(`${command} refused the policy:\n${said === '' ? error.message : said}${fix}`)
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Secret } from './contract.ts'
import { watched } from './file.ts'
import type { Credentials } from './parts.ts'
import { Refusal } from './refusal.ts'
import { secret } from './secret.ts'

/** Where a secret comes from. A command is an argument list, never a line for a shell. */
export type SecretSource =
  | { readonly env: string }
  | { readonly file: string }
  | {
      readonly command: readonly [string, ...string[]]
      /** How long it may take: 10 s unless given. */
      readonly timeoutMs?: number
      /** How long its answer is used: 60 s unless given. */
      readonly cacheMs?: number
    }

export type CredentialParts = {
  readonly username: string
  /** Which setting named this login, for errors about it. */
  readonly setting?: string
  readonly source: SecretSource
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly now?: () => number
}

const secretBytesMax = 64 * 1024
const commandMs = 10_000
const cacheMs = 60_000
const run = promisify(execFile)

/** The gate's login to a datastore, read anew when its source changes. Throws Refusal `credential_unavailable` without saying what it read. */
export function credentials(parts: CredentialParts): Credentials {
  const { username, setting, source, env = process.env, now = Date.now } = parts
  const read = reader(source, env, now)
  return {
    async credential() {
      return { username, secret: await read(), ...(setting !== undefined && { setting }) }
    },
  }
}

function reader(
  source: SecretSource,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number,
): () => Promise<Secret> {
  if ('env' in source) {
    const where = `environment variable ${source.env}`
    return async () => usable(env[source.env] ?? '', where)
  }
  if ('file' in source) return fromFile(source.file)
  return fromCommand(source, now)
}

function fromFile(path: string): () => Promise<Secret> {
  const where = `file ${path}`
  const read = watched(path, secretBytesMax, (text) => usable(text, where))
  return async () => {
    try {
      return await read()
    } catch (error) {
      throw error instanceof Refusal ? error : unavailable(`${where} cannot be read`)
    }
  }
}

/** Runs the command once for all who ask at the same time. */
function fromCommand(
  source: Extract<SecretSource, { readonly command: unknown }>,
  now: () => number,
): () => Promise<Secret> {
  let known: { readonly secret: Secret; readonly untilMs: number } | undefined
  let asking: Promise<Secret> | undefined

  async function ask(): Promise<Secret> {
    const fresh = await output(source)
    known = { secret: fresh, untilMs: now() + (source.cacheMs ?? cacheMs) }
    return fresh
  }

  return async () => {
    if (known !== undefined && now() < known.untilMs) return known.secret
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}

async function output({
  command: [program, ...args],
  timeoutMs = commandMs,
}: Extract<SecretSource, { readonly command: unknown }>): Promise<Secret> {
  const where = `command ${program}`
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: secretBytesMax } as const
  try {
    return usable((await run(program, args, limits)).stdout, where)
  } catch (error) {
    if (error instanceof Refusal) throw error
    // The error holds the arguments and what the command printed: neither may be shown.
    throw unavailable(`${where} failed, or took longer than ${timeoutMs} ms`)
  }
}

/** A last line end belongs to the file, not to the secret. */
function usable(text: string, where: string): Secret {
  const trimmed = text.replace(/\r?\n$/, '')
  if (trimmed === '') throw unavailable(`${where} is empty`)
  if (trimmed.includes('\0')) throw unavailable(`${where} holds a NUL, which no login can carry`)
  return secret(trimmed)
}

/** Names the source and never what it held. */
function unavailable(why: string): Refusal {
  return new Refusal('credential_unavailable', `the gate has no credential: ${why}`)
}

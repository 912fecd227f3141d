import { Failure, fileBytes, type Given, type Io, type Options, textOf, Usage } from './io.ts'
import { printable } from './printable.ts'

/** A running gate's HTTP API. Every method throws Failure with what the gate said. */
export interface Remote {
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
  /** Sends bytes as they are. */
  put(path: string, bytes: Buffer): Promise<unknown>
}

/** Options every command that talks to a gate takes. */
export const remoteOptions = { server: 'string', 'token-file': 'string' } as const satisfies Options

/** The lines of a help text that explain `remoteOptions`. */
export const remoteHelp = `  --server URL        the gate's HTTP address (or POSTERN_SERVER)
  --token-file FILE   where your OIDC token is (or POSTERN_TOKEN)`

const answerMsMax = 30_000
const answerBytesMax = 32 * 1024 * 1024

/** Finds the gate and the token. Throws Usage when either is missing. */
export function remote(given: Given, io: Io): Remote {
  const base = baseOf(textOf(given, 'server') ?? io.env['POSTERN_SERVER'])
  const token = tokenOf(textOf(given, 'token-file'), io)
  return {
    get: (path) => asked(base, path, { headers: { authorization: `Bearer ${token}` } }),
    post: (path, body) =>
      asked(base, path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    put: (path, bytes) =>
      asked(base, path, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/gzip' },
        body: new Uint8Array(bytes),
      }),
  }
}

function baseOf(server: string | undefined): URL {
  if (server === undefined || server === '') {
    throw new Usage('which gate? give --server URL or set POSTERN_SERVER')
  }
  const url = URL.parse(server)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Usage(`--server ${printable(server)} is no http or https URL`)
  }
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    throw new Usage(`a token is not sent unencrypted to ${url.hostname}: use https`)
  }
  return url
}

function tokenOf(file: string | undefined, io: Io): string {
  const token = file === undefined ? io.env['POSTERN_TOKEN'] : fileBytes(file).toString()
  const trimmed = token?.trim() ?? ''
  if (trimmed === '') throw new Usage('who are you? give --token-file FILE or set POSTERN_TOKEN')
  // A header with anything else in it would make fetch quote the token in its error.
  if (!/^[\w.~+/=-]+$/.test(trimmed)) throw new Usage('the token has characters no token has')
  return trimmed
}

async function asked(base: URL, path: string, request: RequestInit): Promise<unknown> {
  const url = new URL(path, base)
  const signal = AbortSignal.timeout(answerMsMax)
  const answer = await fetch(url, { ...request, signal, redirect: 'error' }).catch(
    (error: unknown) => {
      throw new Failure(`${base.origin} does not answer: ${reason(error)}`)
    },
  )
  const body = jsonOf(await bounded(answer))
  if (answer.ok && body !== undefined) return body
  throw new Failure(problem(body) ?? `${base.origin} answered ${answer.status} and no JSON`)
}

async function bounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Failure('the answer is larger than 32 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** problem+json in one line for a person. */
function problem(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { code, detail, remedy, instance }: Readonly<Record<string, unknown>> = { ...body }
  if (typeof code !== 'string' || typeof detail !== 'string') return undefined
  const more = [remedy, instance].filter((part) => typeof part === 'string')
  return printable([`${detail} (${code})`, ...more].join('; '))
}

/** fetch says only "fetch failed"; the cause has the reason, as a code. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  const cause: unknown = error.cause
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  if (typeof code === 'string') return code
  return error.name === 'TimeoutError' ? 'no answer in time' : error.message
}

import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { createSecureContext } from 'node:tls'
import { shelf } from '../../bundles/server/shelf.ts'
import { refuseRollback } from '../../bundles/store.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import type { Credential, Upstream } from '../contract.ts'
import { engine } from '../engine/engine.ts'
import { maskCapabilities } from '../mask.ts'
import type { Credentials, PolicyBundle } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { type Check, checklist } from './checklist.ts'
import { type Granting, saidOf } from './grants.ts'
import { Failure, type Io } from './io.ts'
import {
  credentialsOf,
  identityOf,
  pemOf,
  secretAt,
  sourceOf,
  storeOf,
  trustOf,
  upstreamOf,
} from './parts.ts'
import type { ListenerSettings, PolicySettings, Settings, TlsFiles } from './settings.ts'

/** What the composition root adds: everything that knows a protocol. */
export type Checking = {
  readonly settings: Settings
  /** Logs in to a datastore once. Throws Refusal. */
  probe(listener: ListenerSettings, upstream: Upstream, credential: Credential): Promise<void>
  /** What the role of sealed sessions may do that it must not, or lacks, in words for people. Throws Refusal. */
  verify(listener: ListenerSettings, granting: Granting): Promise<readonly string[]>
  /** The database in which the rights of that role are looked at. */
  readonly database?: string | undefined
}

const fetchMsMax = 30_000

/** Tries everything the settings name without serving; prints one line for each and fails when any is wrong. */
export async function check(checking: Checking, io: Io): Promise<number> {
  const { settings, probe } = checking
  const { server, masking, listeners } = settings
  const key = masking.key
  return checklist(
    [
      { about: 'state', run: () => writable(settings.state) },
      { about: 'bundle', run: () => usableBundle(settings) },
      { about: 'issuer', run: () => reachableIssuer(settings) },
      ...tlsCheck('server.tls', server.tls),
      ...(key === undefined ? [] : [{ about: 'masking.key', run: () => longEnough(key, io.env) }]),
      ...listeners.flatMap((listener) => [
        ...tlsCheck(`${listener.id}.tls`, listener.tls),
        { about: `${listener.id}.upstream`, run: () => login(listener, probe, io.env) },
        ...sealedCheck(checking, listener, io.env),
      ]),
    ],
    io,
  )
}

/** The newest bundle of the source, verified as a gate would. Throws an Error that says what is wrong. */
export async function currentBundle(settings: PolicySettings): Promise<PolicyBundle> {
  const source = sourceOf(settings)
  const fetched = await source.fetch(undefined, AbortSignal.timeout(fetchMsMax))
  if (fetched.kind !== 'bundle') throw new Failure(`${source.place} has no bundle`)
  return verifyBundle(fetched.bytes, trustOf(settings), { name: settings.name })
}

async function usableBundle(settings: Settings): Promise<string> {
  const { source } = settings.bundle
  if (source.kind === 'published' && settings.listeners.length === 0) {
    const { stable } = await shelf(source.folder, source.name).read()
    if (stable === undefined) return `nothing is published as ${source.name} yet: postern push`
  }
  const bundle = await currentBundle(settings.bundle)
  refuseRollback(bundle, await storeOf(settings).memory())
  await engine().activate(bundle)
  const demo = settings.bundle.demo ? '; the demo key is trusted, so anybody can sign policy' : ''
  return `revision ${bundle.revision || 'none'}, verified and loaded${demo}`
}

/** Asks about a token that nobody signed: the keys must be there to refuse it. */
async function reachableIssuer({ identity }: Settings): Promise<string> {
  const header = { alg: identity.algorithms[0], kid: 'postern-check' }
  const token = `${base64(header)}.${base64({})}.AAAA`
  const refusal = await identityOf(identity)
    .identify(token)
    .then(
      () => new Refusal('internal_error', 'a token that nobody signed was accepted'),
      (error: unknown) => error,
    )
  if (refusal instanceof Refusal && refusal.code === 'token_invalid') {
    return `${identity.jwks ?? identity.issuer} gives keys`
  }
  throw refusal
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function tlsCheck(about: string, files: TlsFiles | undefined): readonly Check[] {
  if (files === undefined) return []
  return [{ about, run: () => matching(files) }]
}

function matching(files: TlsFiles): string {
  try {
    createSecureContext(pemOf(files))
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${files.key} and ${files.cert} are not a key and its certificate in PEM`)
  }
  return 'key and certificate belong together'
}

async function longEnough(place: Parameters<typeof secretAt>[0], env: Io['env']): Promise<string> {
  maskCapabilities(await secretAt(place, env))
  return 'readable and long enough'
}

async function login(
  listener: ListenerSettings,
  probe: Checking['probe'],
  env: Io['env'],
): Promise<string> {
  const credential = await credentialsOf(listener.credential, env).credential()
  await probe(listener, upstreamOf(listener), credential)
  const { host, port, tls } = listener.upstream
  return `logged in to ${host}:${port} ${tls === undefined ? 'without TLS' : 'with TLS'}`
}

function sealedCheck(
  checking: Checking,
  listener: ListenerSettings,
  env: Io['env'],
): readonly Check[] {
  const { sealedCredential } = listener
  if (sealedCredential === undefined) return []
  const run = () =>
    sealed(checking, listener, credentialsOf(sealedCredential, env, 'sealed_credential'))
  return [{ about: `${listener.id}.sealed`, run }]
}

/** Looks at the rights of the role itself: whoever granted them may have forgotten something. */
async function sealed(
  { settings, probe, verify, database }: Checking,
  listener: ListenerSettings,
  credentials: Credentials,
): Promise<string> {
  const credential = await credentials.credential()
  const upstream = upstreamOf(listener)
  if (database === undefined) {
    await probe(listener, upstream, credential)
    return 'logged in; its rights were not looked at: give --database NAME'
  }
  const { data } = await currentBundle(settings.bundle)
  const granting = { upstream, credential, database, ...saidOf(data, listener.id) }
  const problems = await verify(listener, granting)
  if (problems.length === 0) return `sees no protected column of ${database}`
  throw new Failure(`${problems.join('; ')}. postern grants prints what mends it`)
}

/** The folder, or the nearest one above it that is there. */
function writable(folder: string): string {
  const there = existsSync(folder) ? folder : dirname(folder)
  if (there !== folder && !existsSync(there)) return writable(there)
  try {
    accessSync(there, constants.W_OK | constants.X_OK)
  } catch {
    throw new Failure(`${there} cannot be written to`)
  }
  return `${there} can be written to`
}

import { join } from 'node:path'
import { fileSource } from '../../bundles/file.ts'
import { httpSource } from '../../bundles/http.ts'
import { folderPermits, type Permits } from '../../bundles/rollback.ts'
import { publishedSource } from '../../bundles/server/own.ts'
import type { Source } from '../../bundles/source.ts'
import { folderStore, type Store } from '../../bundles/store.ts'
import { type Trust, trustSet } from '../../bundles/trust.ts'
import type { Secret, Upstream } from '../contract.ts'
import { credentials } from '../credential.ts'
import { identity } from '../identity.ts'
import type { Credentials, Identity } from '../parts.ts'
import { fileBytes, type Io } from './io.ts'
import { placeOf, reachOf, readerOf } from './reach.ts'
import type {
  BundlePlace,
  ListenerSettings,
  Login,
  PolicySettings,
  SecretPlace,
  Settings,
  TlsFiles,
} from './settings.ts'

/** Settings turned into parts, one function per part: `serve` runs them, `check` tries them. */

/** Where bundles come from; a bundle server is told which gate asks, should there be a canary. */
export function sourceOf(place: BundlePlace, gate?: Settings['gate']): Source {
  const { source, pollMs, auth } = place
  if (source.kind === 'file') return fileSource(source.path)
  if (source.kind === 'published') return publishedSource(source.folder, source.name)
  return httpSource({
    ...reachOf(source.url, place),
    // Who stores files has no use for it.
    headers: auth?.kind === 'aws' ? undefined : gate && gateHeaders(gate),
    delayMsMin: pollMs / 2,
    delayMsMax: pollMs,
  })
}

function gateHeaders({ name, labels }: NonNullable<Settings['gate']>) {
  const pairs = Object.entries(labels).map((pair) => pair.join('='))
  return { 'postern-gate': name, ...(pairs.length > 0 && { 'postern-labels': pairs.join(',') }) }
}

/** Whose bundles are believed. Throws one Error with every bad key. */
export function trustOf({ keys, scope, demo, signaturesMin }: PolicySettings): Trust {
  return trustSet({
    keys: keys.map(({ id, algorithm, file }) => ({
      id,
      pem: fileBytes(file).toString(),
      ...(algorithm !== undefined && { algorithm }),
    })),
    demo,
    signaturesMin,
    ...(scope !== undefined && { scope }),
  })
}

/** Where the last good bundle and its sequence are kept. */
export function storeOf({ state, bundle }: Settings): Store {
  return folderStore(join(state, 'bundles'), bundle.name)
}

/** Which older bundle somebody allowed to come back. */
export function permitsOf({ state, bundle }: Settings): Permits {
  return folderPermits(join(state, 'bundles'), bundle.name)
}

/** Who verifies tokens. Throws on settings that would accept too much. */
export function identityOf(settings: Settings['identity']): Identity {
  const { issuer, audience, algorithms, jwks, claims, clockSkewS } = settings
  const { groups, type, run, pass } = claims
  return identity({
    issuer,
    audience,
    algorithms,
    clockSkewS,
    claims: {
      groups,
      pass,
      ...(type !== undefined && { type }),
      ...(run !== undefined && { run }),
    },
    ...(jwks !== undefined && { jwksFile: jwks }),
  })
}

/** One of the gate's logins to a datastore. */
export function credentialsOf(
  { username, secret }: Login,
  env: Io['env'],
  setting = 'credential',
): Credentials {
  return credentials({ username, setting, source: placeOf(secret), env })
}

/** Reads a secret once. Throws Refusal without saying what it read. */
export async function secretAt(place: SecretPlace, env: Io['env']): Promise<Secret> {
  return readerOf(place, env)()
}

/** The address of a datastore and, in PEM, whom to believe that it is the one. */
export function upstreamOf({ upstream: { host, port, tls } }: ListenerSettings): Upstream {
  if (tls === undefined) return { host, port }
  const { ca, servername } = tls
  const authority = ca === undefined ? {} : { ca: fileBytes(ca).toString() }
  return { host, port, tls: { servername, ...authority } }
}

/** Certificate and key in PEM. */
export function pemOf({ cert, key }: TlsFiles): { readonly cert: string; readonly key: string } {
  return { cert: fileBytes(cert).toString(), key: fileBytes(key).toString() }
}

import { resolve } from 'node:path'
import { addressOf } from './loopback.ts'
import type { Document, SecretReference } from './schema.ts'

/** Where a secret is to be found. */
export type SecretRef =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly string[] }

export type TlsFiles = { readonly cert: string; readonly key: string }

/** Everything postern.yaml says, with defaults, absolute paths and no secret. */
export type Config = ReturnType<typeof resolved>
export type ListenerConfig = Config['listeners'][number]

/** Paths are relative to `folder`, which holds the file. */
export function resolved(document: Document, folder: string) {
  const at = (path: string): string => resolve(folder, path)
  const { identity, audit, holds, limits } = document
  const state = at(document.state)
  return {
    state,
    server: {
      ...addressOf(document.server.listen),
      hosts: document.server.hosts,
      tls: document.server.tls && tlsFiles(document.server.tls, at),
    },
    identity: {
      issuer: identity.issuer,
      audience: identity.audience,
      algorithms: identity.algorithms,
      jwks: identity.jwks === undefined ? undefined : at(identity.jwks),
      claims: identity.claims,
      clockSkewS: identity.clock_skew_s,
      onTokenExpiry: identity.on_token_expiry,
    },
    bundle: bundleOf(document, at),
    audit: {
      folder: resolve(state, 'audit'),
      durability: audit.durability,
      key: audit.key === undefined ? undefined : at(audit.key),
      segmentBytesMax: audit.segment_mb * 1024 * 1024,
    },
    holds: {
      pendingMax: holds.pending_max,
      pendingPerSubjectMax: holds.pending_per_subject_max,
    },
    masking: { key: document.masking.key && secretRef(document.masking.key, at) },
    log: document.log,
    limits: {
      sessionsMax: limits.sessions_max,
      sessionsPerSubjectMax: limits.sessions_per_subject_max,
      connectionsMax: limits.connections_max,
      frameBytesMax: limits.frame_bytes_max,
    },
    listeners: document.listeners.map((listener) => listenerOf(listener, at)),
    admin: document.admin,
  } as const
}

type At = (path: string) => string

function bundleOf({ bundle }: Document, at: At) {
  return {
    name: bundle.name,
    ...placeOf(bundle, at),
    keys: bundle.keys.map((key) => ({ ...key, file: at(key.file) })),
    scope: bundle.scope,
    maxStaleMs: bundle.max_stale_s === undefined ? undefined : bundle.max_stale_s * 1000,
    demo: bundle.demo,
    shadow: bundle.shadow && placeOf(bundle.shadow, at),
  }
}

/** Where bundles come from, and how often to ask. */
function placeOf({ source, poll_s }: { readonly source: string; readonly poll_s: number }, at: At) {
  const remote = /^https?:/i.test(source)
  return {
    source: remote
      ? ({ kind: 'http', url: source } as const)
      : ({ kind: 'file', path: at(source) } as const),
    pollMs: poll_s * 1000,
  }
}

function listenerOf(listener: Document['listeners'][number], at: At) {
  const { host, port, tls } = listener.upstream
  return {
    id: listener.id,
    protocol: listener.protocol,
    ...addressOf(listener.listen),
    tls: listener.tls && tlsFiles(listener.tls, at),
    labels: listener.labels,
    upstream: {
      host,
      port,
      tls: tls && {
        ca: tls.ca === undefined ? undefined : at(tls.ca),
        servername: tls.servername ?? host,
      },
    },
    credential: loginOf(listener.credential, at),
    sealedCredential: listener.sealed_credential && loginOf(listener.sealed_credential, at),
  }
}

function loginOf({ username, secret }: Document['listeners'][number]['credential'], at: At) {
  return { username, secret: secretRef(secret, at) }
}

function tlsFiles(tls: TlsFiles, at: At): TlsFiles {
  return { cert: at(tls.cert), key: at(tls.key) }
}

// A program is looked for in PATH unless it is written as a path.
function secretRef({ env, file, command = [] }: SecretReference, at: At): SecretRef {
  if (env !== undefined) return { env }
  if (file !== undefined) return { file: at(file) }
  const [program = '', ...rest] = command
  return { command: [program.startsWith('.') ? at(program) : program, ...rest] }
}

import { resolve } from 'node:path'
import { decisionLogsOf } from './decision-logs.ts'
import { addressOf } from './loopback.ts'
import { type At, bundleOf, bundleServerOf, gateOf, secretRef } from './places.ts'
import type { Document } from './schema.ts'

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
      opaApi: document.server.opa_api,
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
    gate: gateOf(document, at),
    bundle: bundleOf(document, state, at),
    bundleServer: bundleServerOf(document, state, at),
    decisionLogs: decisionLogsOf(document, state, at),
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

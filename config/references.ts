import { accessSync, constants, statSync } from 'node:fs'
import type { Finding } from './look.ts'
import type { SecretRef } from './places.ts'
import type { Config } from './resolve.ts'

type Path = readonly (string | number)[]
export type Env = Readonly<Record<string, string | undefined>>

/**
 * Files and variables the settings name that are not there. What a start may create is not asked for, nor is the
 * bundle: while its source is away the last good one decides, and without any the gate refuses.
 */
export function referenceFindings(config: Config, env: Env): readonly Finding[] {
  const { server, identity, gate, bundle, bundleServer, masking, listeners } = config
  const pull = bundleServer?.pull
  return [
    ...tlsFindings(server.tls, ['server', 'tls']),
    ...fileFindings(identity.jwks, ['identity', 'jwks']),
    ...bundle.keys.flatMap(({ file }, index) =>
      fileFindings(file, ['bundle', 'keys', index, 'file']),
    ),
    ...reachFindings(bundle, ['bundle'], env),
    ...reachFindings(bundle.shadow, ['bundle', 'shadow'], env),
    ...reachFindings(gate?.report, ['gate', 'report'], env),
    ...reachFindings(config.decisionLogs, ['decision_logs'], env),
    ...secretFindings(pull?.token, ['bundle_server', 'pull', 'token'], env),
    ...fileFindings(pull?.clientCa, ['bundle_server', 'pull', 'client_ca']),
    ...secretFindings(masking.key, ['masking', 'key'], env),
    ...listeners.flatMap(({ tls, upstream, credential, sealedCredential }, index) => [
      ...tlsFindings(tls, ['listeners', index, 'tls']),
      ...fileFindings(upstream.tls?.ca, ['listeners', index, 'upstream', 'tls', 'ca']),
      ...secretFindings(credential.secret, ['listeners', index, 'credential', 'secret'], env),
      ...secretFindings(
        sealedCredential?.secret,
        ['listeners', index, 'sealed_credential', 'secret'],
        env,
      ),
    ]),
  ]
}

type Reach = {
  readonly auth?: NonNullable<NonNullable<Config['gate']>['report']>['auth']
  readonly ca?: string | undefined
}

/** How we show a server who we are, and whom we believe that it is the one. */
function reachFindings({ auth, ca }: Reach = {}, path: Path, env: Env): readonly Finding[] {
  const at = [...path, 'auth']
  const authority = fileFindings(ca, [...path, 'ca'])
  switch (auth?.kind) {
    case undefined:
      return authority
    case 'bearer':
      return [...authority, ...secretFindings(auth.token, [...at, 'bearer'], env)]
    case 'basic':
      return [...authority, ...secretFindings(auth.password, [...at, 'basic', 'password'], env)]
    case 'tls':
      return [...authority, ...tlsFindings(auth, [...at, 'tls'])]
    case 'aws':
      return [
        ...authority,
        ...secretFindings(auth.accessKey, [...at, 'aws', 'access_key'], env),
        ...secretFindings(auth.secretKey, [...at, 'aws', 'secret_key'], env),
        ...secretFindings(auth.sessionToken, [...at, 'aws', 'session_token'], env),
      ]
  }
}

function tlsFindings(
  tls: { readonly cert: string; readonly key: string } | undefined,
  path: Path,
): readonly Finding[] {
  return [
    ...fileFindings(tls?.cert, [...path, 'cert']),
    ...fileFindings(tls?.key, [...path, 'key']),
  ]
}

function secretFindings(ref: SecretRef | undefined, path: Path, env: Env): readonly Finding[] {
  if (ref === undefined || 'command' in ref) return []
  if ('file' in ref) return fileFindings(ref.file, [...path, 'file'])
  if (env[ref.env]) return []
  const problem = `names the variable ${ref.env}, which is not set`
  return [{ path: [...path, 'env'], problem, fix: 'set it in the environment of the gate' }]
}

function fileFindings(file: string | undefined, path: Path): readonly Finding[] {
  if (file === undefined) return []
  try {
    accessSync(file, constants.R_OK)
    if (!statSync(file).isDirectory()) return []
  } catch {
    return [
      { path, problem: `names ${file}, which cannot be read`, fix: 'check path and permissions' },
    ]
  }
  return [{ path, problem: `names ${file}, which is a folder`, fix: 'name the file in it' }]
}

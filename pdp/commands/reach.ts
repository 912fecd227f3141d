import { type Authorize, aws, basic, bearer } from '../../bundles/authorization.ts'
import type { Reach } from '../../bundles/client.ts'
import type { Secret } from '../contract.ts'
import { credentials, type SecretSource } from '../credential.ts'
import { fileBytes, type Io } from './io.ts'
import type { Auth, ReachSettings, SecretPlace } from './settings.ts'

/** How a server of bundles is reached; its secrets are read when they are needed. */
export function reachOf(url: string, { auth, ca }: ReachSettings, env?: Io['env']): Reach {
  const tls = auth?.kind === 'tls' ? auth : undefined
  return {
    url,
    authorize: auth && authorizeOf(auth, env),
    ca: ca === undefined ? undefined : fileBytes(ca).toString(),
    tls: tls && { cert: fileBytes(tls.cert).toString(), key: fileBytes(tls.key).toString() },
  }
}

/** Reads a secret anew whenever it may have changed. Rejects with Refusal without saying what it read. */
export function readerOf(place: SecretPlace, env?: Io['env']): () => Promise<Secret> {
  const source = placeOf(place)
  const { credential } = credentials({
    username: 'none',
    source,
    ...(env !== undefined && { env }),
  })
  return async () => (await credential()).secret
}

/** Where a secret is, as `credentials` takes it. */
export function placeOf(place: SecretPlace): SecretSource {
  if (!('command' in place)) return place
  const [program = '', ...args] = place.command
  return { command: [program, ...args] }
}

function authorizeOf(auth: Auth, env: Io['env'] | undefined): Authorize | undefined {
  switch (auth.kind) {
    case 'bearer':
      return bearer(readerOf(auth.token, env))
    case 'basic':
      return basic(auth.username, readerOf(auth.password, env))
    case 'aws':
      return aws({
        region: auth.region,
        service: auth.service,
        accessKey: readerOf(auth.accessKey, env),
        secretKey: readerOf(auth.secretKey, env),
        sessionToken: auth.sessionToken && readerOf(auth.sessionToken, env),
      })
    case 'tls':
      return undefined
  }
}

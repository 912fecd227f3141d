/** A real OpenID Connect issuer for the demo: one client per person or agent, all with the secret `demo`. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider, { type Adapter, type Configuration } from 'oidc-provider'

export type Issuer = {
  readonly url: string
  /** A fresh access token of somebody in `people`. */
  token(who: Person): Promise<string>
  stop(): Promise<void>
}

export type Person = keyof typeof people

/** Who exists in the demo, and what the issuer says of them. */
export const people = {
  alice: { kind: 'human', groups: ['engineers'] },
  bob: { kind: 'human', groups: ['engineers', 'data-owners', 'security'] },
  'support-bot': { kind: 'agent', groups: ['agents'] },
} as const

const secret = 'demo'
const audience = 'postern'
const lifeS = 8 * 60 * 60

/** Serves discovery, keys and the token endpoint on a loopback port. */
export async function startIssuer(port: number): Promise<Issuer> {
  const url = `http://127.0.0.1:${port}`
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: 'demo', alg: 'ES256', use: 'sig' }
  const provider = new Provider(url, configuration(key))
  const server: Server = provider.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url,
    token: (who) => token(url, who),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Asks the token endpoint of the issuer at `url` (RFC 6749 section 4.4). */
export async function token(url: string, who: Person): Promise<string> {
  const answer = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${who}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const body = (await answer.json()) as { access_token?: string; error_description?: string }
  if (body.access_token === undefined) throw new Error(`no token: ${body.error_description}`)
  return body.access_token
}

function configuration(key: object): Configuration {
  return {
    jwks: { keys: [key] },
    adapter: memory,
    ttl: { ClientCredentials: lifeS },
    clients: Object.keys(people).map((name) => ({
      client_id: name,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    })),
    extraTokenClaims: (_context, issued) =>
      issued.clientId !== undefined && issued.clientId in people
        ? people[issued.clientId as Person]
        : {},
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `urn:${audience}`,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenTTL: lifeS,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

/** The demo's tokens are self-contained, so there is nothing to find again. */
function memory(): Adapter {
  const nothing = async (): Promise<undefined> => undefined
  return {
    upsert: nothing,
    find: nothing,
    findByUserCode: nothing,
    findByUid: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  }
}

/** How a source shows who asks. Secrets are read anew for every question. */
import type { Secret } from '../pdp/contract.ts'
import { type AwsScope, signedHeaders } from './sigv4.ts'

/** The headers that authorise one question. Rejects when a secret cannot be read. */
export type Authorize = (url: URL) => Promise<Readonly<Record<string, string>>>

type Read = () => Promise<Secret>

/** RFC 6750. */
export function bearer(token: Read): Authorize {
  return async () => ({ authorization: `Bearer ${(await token()).reveal()}` })
}

/** RFC 7617. */
export function basic(username: string, password: Read): Authorize {
  return async () => {
    const pair = Buffer.from(`${username}:${(await password()).reveal()}`).toString('base64')
    return { authorization: `Basic ${pair}` }
  }
}

export type AwsLogin = AwsScope & {
  readonly accessKey: Read
  readonly secretKey: Read
  readonly sessionToken?: Read | undefined
}

/** A GET as S3 and what speaks like it want it signed (AWS Signature Version 4). */
export function aws({ accessKey, secretKey, sessionToken, ...scope }: AwsLogin): Authorize {
  return async (url) =>
    signedHeaders({
      ...scope,
      url,
      method: 'GET',
      accessKey: (await accessKey()).reveal(),
      secretKey: (await secretKey()).reveal(),
      ...(sessionToken !== undefined && { sessionToken: (await sessionToken()).reveal() }),
      nowMs: Date.now(),
    })
}

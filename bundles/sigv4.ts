/** AWS Signature Version 4 for requests without a body, by its specification (AWS IAM user guide, "Create a signed request"). */
import { createHash, createHmac } from 'node:crypto'

/** Whose keys these are. */
export type AwsScope = { readonly region: string; readonly service: string }

export type Signable = AwsScope & {
  readonly method: string
  readonly url: URL
  readonly accessKey: string
  readonly secretKey: string
  readonly sessionToken?: string
  /** Further headers that are sent and shall be signed; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly nowMs: number
}

const algorithm = 'AWS4-HMAC-SHA256'
const emptyHash = createHash('sha256').digest('hex')

/** The headers to send; the host header is sent by the client and is signed too. */
export function signedHeaders(signable: Signable): Readonly<Record<string, string>> {
  const { region, service, accessKey, secretKey, nowMs, sessionToken, url } = signable
  const stamp = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const sent = {
    ...signable.headers,
    'x-amz-date': stamp,
    // Other services hash an empty body without saying so.
    ...(service === 's3' && { 'x-amz-content-sha256': emptyHash }),
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const headers = Object.entries({ ...sent, host: url.host }).sort(byName)
  const names = headers.map(([name]) => name).join(';')
  const request = canonicalRequest(signable, headers, names)
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const toSign = [algorithm, stamp, scope, sha256(request)].join('\n')
  const key = signingKey(secretKey, scope)
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  const authorization = `${algorithm} Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { ...sent, authorization }
}

/** The key of a day, region and service: `scope` is `20150830/us-east-1/iam/aws4_request`. */
export function signingKey(secretKey: string, scope: string): Buffer {
  return scope
    .split('/')
    .reduce<Buffer>(
      (key, part) => createHmac('sha256', key).update(part).digest(),
      Buffer.from(`AWS4${secretKey}`),
    )
}

function canonicalRequest(
  { method, url, service }: Signable,
  headers: readonly (readonly [string, string])[],
  names: string,
): string {
  return [
    method,
    canonicalPath(url.pathname, service),
    canonicalQuery(url),
    ...headers.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, ' ')}`),
    '',
    names,
    emptyHash,
  ].join('\n')
}

/** S3 takes the path encoded once, as it is sent; every other service encodes it again. */
function canonicalPath(path: string, service: string): string {
  const segments = path.split('/').map((segment) => encoded(decodeURIComponent(segment)))
  return service === 's3'
    ? segments.join('/')
    : segments.map((segment) => encoded(segment)).join('/')
}

function canonicalQuery({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort((one, two) => byName(one, two) || (one[1] < two[1] ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&')
}

/** RFC 3986 unreserved characters stay; `encodeURIComponent` leaves five more. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function byName([one]: readonly [string, string], [two]: readonly [string, string]): number {
  return one < two ? -1 : Number(one > two)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

import { z } from 'zod'
import { algorithms as bundleAlgorithms } from '../bundles/keys.ts'
import { isLoopback } from './loopback.ts'

/** Algorithms a token may be signed with: asymmetric only, for who can check an HMAC could forge it. */
export const tokenAlgorithms = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
] as const

/** The file as it is written: snake_case, with defaults. Each error text says what to write instead. */
export type Document = z.output<ReturnType<typeof schemaFor>>

export type SecretReference = z.output<typeof secret>

const listenersMax = 200
const path = text('give a path', 4096)
const name = text('give a name', 500)
const id = pattern(
  /^[a-z][a-z0-9_-]{0,62}$/,
  'give a short name: a-z, 0-9, _ and -, a letter first',
)
const groups = z.array(name, 'give a list of group names').max(100)
const port = number(1, 65_535, 'give a port from 1 to 65535')
const host = pattern(/^[A-Za-z0-9.:-]{1,253}$/, 'give a host name or an IP address')
const address = pattern(
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/,
  'give host:port, as in 127.0.0.1:6432 or [::1]:6432 (port 0 takes any free one)',
)
const plain = z.literal(true, 'write plain: true, or leave it out and configure tls')
const serverTls = z.strictObject({ cert: path, key: path }, 'give { cert: file, key: file }')

const secret = z.strictObject(
  {
    env: pattern(/^[A-Za-z_]\w{0,254}$/, 'give the name of an environment variable').optional(),
    file: path.optional(),
    command: z
      .array(name, 'give a list: the program, then its arguments')
      .min(1, 'give a list: the program, then its arguments')
      .max(100)
      .optional(),
  },
  'say where the secret is, never the secret itself: { env: NAME }, { file: path } or { command: [program, argument] }',
)

const server = z.strictObject(
  {
    listen: address.default('127.0.0.1:8471'),
    tls: serverTls.optional(),
    hosts: z.array(host, 'give a list of host names').max(20).default([]),
  },
  'give listen, tls, hosts',
)

const identity = z.strictObject(
  {
    issuer: z
      .string('give the URL of the OIDC issuer')
      .refine(
        isIssuer,
        'give an https URL without user, query or fragment (http on loopback only)',
      ),
    audience: name,
    algorithms: z
      .array(
        z.enum(tokenAlgorithms, `use asymmetric ones: ${tokenAlgorithms.join(', ')}`),
        'give a list of algorithms, as in [ES256]',
      )
      .min(1, 'name at least one algorithm')
      .max(tokenAlgorithms.length),
    jwks: path.optional(),
    claims: z
      .strictObject(
        {
          groups: name.default('groups'),
          type: name.optional(),
          run: name.optional(),
          pass: z.array(name, 'give a list of claim names').max(50).default([]),
        },
        'give groups, type, run, pass',
      )
      .prefault({}),
    clock_skew_s: number(0, 300, 'give seconds from 0 to 300').default(30),
    on_token_expiry: z.enum(['end', 'keep'], 'write end or keep').default('end'),
  },
  'give issuer, audience and algorithms',
)

const source = z
  .string('give a file or a URL')
  .min(1, 'give a file or a URL')
  .max(4096)
  .refine(isSource, 'give a file or an https URL without user (http on loopback only)')
const poll = number(1, 86_400, 'give seconds from 1 to 86400').default(60)

const bundle = z.strictObject(
  {
    name: id.default('postern'),
    source,
    keys: z
      .array(
        z.strictObject(
          {
            id: name,
            algorithm: z.enum(bundleAlgorithms, `use one of ${bundleAlgorithms.join(', ')}`),
            file: path,
          },
          'give { id, algorithm, file }',
        ),
        'give a list of public keys',
      )
      .min(1, 'name at least one public key: an unsigned bundle is never used')
      .max(20),
    scope: name.optional(),
    poll_s: poll,
    max_stale_s: number(1, 31_536_000, 'give seconds from 1 to 31536000').optional(),
    demo: z.boolean('write true or false').default(false),
    shadow: z.strictObject({ source, poll_s: poll }, 'give source and poll_s').optional(),
  },
  'give source and keys',
)

const audit = z.strictObject(
  {
    durability: z.enum(['os', 'disk'], 'write os or disk').default('os'),
    key: path.optional(),
    segment_mb: number(1, 1024, 'give megabytes from 1 to 1024').default(64),
  },
  'give durability, key, segment_mb',
)

const holds = z.strictObject(
  {
    pending_max: number(1, 100_000, 'give a number from 1 to 100000').default(1000),
    pending_per_subject_max: number(1, 10_000, 'give a number from 1 to 10000').default(20),
  },
  'give pending_max, pending_per_subject_max',
)

const limits = z.strictObject(
  {
    sessions_max: number(1, 100_000, 'give a number from 1 to 100000').default(10_000),
    sessions_per_subject_max: number(1, 100_000, 'give a number from 1 to 100000').default(1000),
    connections_max: number(1, 100_000, 'give a number from 1 to 100000').default(10_000),
    frame_bytes_max: number(65_536, 268_435_456, 'give bytes from 65536 to 268435456').default(
      16_777_216,
    ),
  },
  'give sessions_max, sessions_per_subject_max, connections_max, frame_bytes_max',
)

const credential = z.strictObject(
  { username: name, secret },
  'give { username: name, secret: { env: NAME } }',
)

const upstream = z.strictObject(
  {
    host,
    port,
    tls: z
      .strictObject(
        { ca: path.optional(), servername: host.optional() },
        'give { ca: file, servername: name }, or {} for the authorities the system trusts',
      )
      .optional(),
    plain: plain.optional(),
  },
  'give host, port and tls',
)

/** The schema of postern.yaml for these protocols. */
export function schemaFor(protocols: readonly string[]) {
  const listener = z.strictObject(
    {
      id,
      protocol: z.enum(protocols, `use one of ${protocols.join(', ')}`),
      listen: address,
      tls: serverTls.optional(),
      plain: plain.optional(),
      labels: z.record(id, name, 'give labels, as in { env: production }'),
      upstream,
      credential,
      sealed_credential: credential.optional(),
    },
    'give id, protocol, listen, tls, labels, upstream, credential, sealed_credential',
  )
  return z.strictObject({
    version: z.literal(1, 'write version: 1'),
    state: path.default('./state'),
    server: server.prefault({}),
    identity,
    bundle,
    audit: audit.prefault({}),
    holds: holds.prefault({}),
    masking: z.strictObject({ key: secret.optional() }, 'give key').prefault({}),
    log: z
      .strictObject(
        {
          level: z
            .enum(['error', 'warn', 'info', 'debug'], 'write error, warn, info or debug')
            .default('info'),
        },
        'give level',
      )
      .prefault({}),
    limits: limits.prefault({}),
    listeners: z
      .array(listener, 'give a list of listeners')
      .min(1, 'give at least one listener')
      .max(listenersMax, `give at most ${listenersMax} listeners`),
    admin: z.strictObject({ groups: groups.default([]) }, 'give groups').prefault({}),
  })
}

function text(fix: string, max: number) {
  return z.string(fix).min(1, fix).max(max, fix)
}

function number(min: number, max: number, fix: string) {
  return z.int(fix).min(min, fix).max(max, fix)
}

function pattern(form: RegExp, fix: string) {
  return z.string(fix).regex(form, fix)
}

function isIssuer(given: string): boolean {
  const url = URL.parse(given)
  return isSafe(url) && url?.search === '' && url.hash === ''
}

function isSource(given: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:/i.test(given) || isSafe(URL.parse(given))
}

function isSafe(url: URL | null): boolean {
  if (url === null || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

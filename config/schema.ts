import { z } from 'zod'
import { bundle, bundleServer, gate } from './bundles.ts'
import { decisionLogs } from './decision-logs.ts'
import { id, isSafe, name, number, path, pattern, secret, serverTls } from './words.ts'

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

const listenersMax = 200
const groups = z.array(name, 'give a list of group names').max(100)
const port = number(1, 65_535, 'give a port from 1 to 65535')
const host = pattern(/^[A-Za-z0-9.:-]{1,253}$/, 'give a host name or an IP address')
const address = pattern(
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/,
  'give host:port, as in 127.0.0.1:6432 or [::1]:6432 (port 0 takes any free one)',
)
const plain = z.literal(true, 'write plain: true, or leave it out and configure tls')

const server = z.strictObject(
  {
    listen: address.default('127.0.0.1:8471'),
    tls: serverTls.optional(),
    hosts: z.array(host, 'give a list of host names').max(20).default([]),
    opa_api: z
      .enum(['authenticated', 'open_on_loopback'], 'write authenticated or open_on_loopback')
      .default('authenticated'),
  },
  'give listen, tls, hosts, opa_api',
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
    gate: gate.optional(),
    bundle,
    bundle_server: bundleServer.optional(),
    decision_logs: decisionLogs.optional(),
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
      .max(listenersMax, `give at most ${listenersMax} listeners`)
      .default([]),
    admin: z.strictObject({ groups: groups.default([]) }, 'give groups').prefault({}),
  })
}

function isIssuer(given: string): boolean {
  const url = URL.parse(given)
  return isSafe(url) && url?.search === '' && url.hash === ''
}

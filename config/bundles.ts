/** The settings of bundles: where they come from, who is believed, and what is published here. */
import { z } from 'zod'
import { algorithms } from '../bundles/keys.ts'
import { id, isSafe, name, number, path, pattern, secret, serverTls } from './words.ts'

const label = pattern(/^[\w.-]{1,100}$/, 'give letters, digits, "." "_" "-", at most 100')
const labels = z.record(label, label, 'give labels, as in { env: staging }').default({})
const words = z.array(name, 'give a list of names').max(100).default([])

/** How we show a server who we are. */
export const auth = z.strictObject(
  {
    bearer: secret.optional(),
    basic: z
      .strictObject({ username: name, password: secret }, 'give { username, password }')
      .optional(),
    tls: serverTls.optional(),
    aws: z
      .strictObject(
        {
          region: name,
          service: name.default('s3'),
          access_key: secret,
          secret_key: secret,
          session_token: secret.optional(),
        },
        'give { region, access_key, secret_key }',
      )
      .optional(),
  },
  'give one of bearer, basic, tls, aws',
)

const source = z
  .string('give a file or a URL')
  .min(1, 'give a file or a URL')
  .max(4096)
  .refine(isSource, 'give a file or an https URL without user (http on loopback only)')

const place = {
  auth: auth.optional(),
  ca: path.optional(),
  poll_s: number(1, 86_400, 'give seconds from 1 to 86400').default(60),
}

/** `bundle`: the policy of this gate. */
export const bundle = z.strictObject(
  {
    name: id.default('postern'),
    source: source.optional(),
    ...place,
    keys: z
      .array(
        z.strictObject(
          {
            id: name,
            algorithm: z.enum(algorithms, `use one of ${algorithms.join(', ')}`),
            file: path,
          },
          'give { id, algorithm, file }',
        ),
        'give a list of public keys',
      )
      .min(1, 'name at least one public key: an unsigned bundle is never used')
      .max(20),
    signatures_min: number(1, 16, 'give a number from 1 to 16').default(1),
    scope: name.optional(),
    max_stale_s: number(1, 31_536_000, 'give seconds from 1 to 31536000').optional(),
    demo: z.boolean('write true or false').default(false),
    shadow: z.strictObject({ source, ...place }, 'give source, auth, ca, poll_s').optional(),
  },
  'give source and keys',
)

/** `bundle_server`: what is published here, by whom and for whom. */
export const bundleServer = z.strictObject(
  {
    names: z.array(id, 'give a list of names').min(1, 'give at least one name').max(50).optional(),
    keep: number(1, 1000, 'give a number from 1 to 1000').default(20),
    gates_max: number(1, 10_000, 'give a number from 1 to 10000').default(500),
    push: z
      .strictObject({ groups: words, subjects: words }, 'give groups or subjects')
      .prefault({}),
    pull: z
      .strictObject(
        {
          groups: words,
          token: secret.optional(),
          client_ca: path.optional(),
          open: z.boolean('write true or false').default(false),
        },
        'give groups, token, client_ca or open',
      )
      .prefault({}),
  },
  'give push and pull',
)

/** `gate`: how this process calls itself, and to whom. */
export const gate = z.strictObject(
  {
    name: label,
    labels,
    report: z
      .strictObject(
        {
          url: z
            .string('give the URL of the bundle server')
            .refine(isServer, 'give an https URL without user (http on loopback only)'),
          auth: auth.optional(),
          ca: path.optional(),
        },
        'give url and auth',
      )
      .optional(),
  },
  'give name, labels, report',
)

export type AuthReference = z.output<typeof auth>

function isSource(given: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:/i.test(given) || isServer(given)
}

/** Whether it is the address of a server that may be told something. */
export function isServer(given: string): boolean {
  return isSafe(URL.parse(given))
}

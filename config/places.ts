/** Where bundles come from and go to, with absolute paths. */
import { resolve } from 'node:path'
import type { AuthReference } from './bundles.ts'
import type { Document } from './schema.ts'
import type { SecretReference } from './words.ts'

/** Where a secret is to be found. */
export type SecretRef =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly string[] }

export type At = (path: string) => string

type Published = { readonly folder: string; readonly name: string }

type Place = {
  readonly source?: string | undefined
  readonly auth?: AuthReference | undefined
  readonly ca?: string | undefined
  readonly poll_s: number
}

/** `bundle`, with paths below `state` for what this process publishes itself. */
export function bundleOf({ bundle }: Document, state: string, at: At) {
  const { name, scope, demo, shadow } = bundle
  const published = { folder: publishedFolder(state), name }
  return {
    name,
    ...placeOf(bundle, at, published),
    keys: bundle.keys.map((key) => ({ ...key, file: at(key.file) })),
    signaturesMin: bundle.signatures_min,
    scope,
    maxStaleMs: bundle.max_stale_s === undefined ? undefined : bundle.max_stale_s * 1000,
    demo,
    shadow: shadow && placeOf(shadow, at, published),
  }
}

/** `bundle_server`. */
export function bundleServerOf({ bundle, bundle_server }: Document, state: string, at: At) {
  if (bundle_server === undefined) return undefined
  const { names = [bundle.name], keep, gates_max, push, pull } = bundle_server
  return {
    folder: publishedFolder(state),
    names,
    keep,
    gatesMax: gates_max,
    push,
    pull: {
      groups: pull.groups,
      token: pull.token && secretRef(pull.token, at),
      clientCa: pull.client_ca === undefined ? undefined : at(pull.client_ca),
      open: pull.open,
    },
  }
}

/** `gate`. */
export function gateOf({ gate }: Document, at: At) {
  if (gate === undefined) return undefined
  const { name, labels, report } = gate
  if (report === undefined) return { name, labels, report }
  const { url, auth, ca } = report
  return { name, labels, report: { url, ...reachOf({ auth, ca }, at) } }
}

// A program is looked for in PATH unless it is written as a path.
export function secretRef({ env, file, command = [] }: SecretReference, at: At): SecretRef {
  if (env !== undefined) return { env }
  if (file !== undefined) return { file: at(file) }
  const [program = '', ...rest] = command
  return { command: [program.startsWith('.') ? at(program) : program, ...rest] }
}

function publishedFolder(state: string): string {
  return resolve(state, 'published')
}

/** Where bundles come from, and how often to ask; without a source, from what is published here. */
function placeOf(place: Place, at: At, published: Published) {
  const { source, poll_s } = place
  return { source: sourceOf(source, at, published), pollMs: poll_s * 1000, ...reachOf(place, at) }
}

type SourceRef =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'published'; readonly folder: string; readonly name: string }

function sourceOf(source: string | undefined, at: At, published: Published): SourceRef {
  if (source === undefined) return { kind: 'published', ...published }
  if (/^https?:/i.test(source)) return { kind: 'http', url: source }
  return { kind: 'file', path: at(source) }
}

/** How we show a server who we are, and whom we believe. */
export function reachOf({ auth, ca }: Pick<Place, 'auth' | 'ca'>, at: At) {
  return { auth: auth && authOf(auth, at), ca: ca === undefined ? undefined : at(ca) }
}

/** One of the ways; cross.ts has seen to it that there is exactly one. */
function authOf({ bearer, basic, tls, aws }: AuthReference, at: At) {
  if (bearer !== undefined) return { kind: 'bearer', token: secretRef(bearer, at) } as const
  if (basic !== undefined) {
    const { username, password } = basic
    return { kind: 'basic', username, password: secretRef(password, at) } as const
  }
  if (aws !== undefined) {
    const { region, service, access_key, secret_key, session_token } = aws
    return {
      kind: 'aws',
      region,
      service,
      accessKey: secretRef(access_key, at),
      secretKey: secretRef(secret_key, at),
      sessionToken: session_token && secretRef(session_token, at),
    } as const
  }
  return { kind: 'tls', cert: at(tls?.cert ?? ''), key: at(tls?.key ?? '') } as const
}

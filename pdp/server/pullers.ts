import { createHash, timingSafeEqual } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { Request } from 'express'
import type { Secret } from '../contract.ts'
import type { Identity } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { bearerOf } from './caller.ts'
import { near } from './guard.ts'

/** How gates show that they may fetch bundles: any of these will do. */
export type Pulling = {
  readonly identity: Identity
  /** Groups whose members may, with a token of the issuer. */
  readonly groups: readonly string[]
  /** A token that all gates share. */
  readonly token?: (() => Promise<Secret>) | undefined
  /** A client certificate that the server's authority for gates signed. */
  readonly certificates: boolean
  /** Anybody on this machine. */
  readonly open: boolean
}

/** Who a gate is: the same text for the same credential. Throws Refusal for everybody else. */
export async function pullerOf(pulling: Pulling, request: Request): Promise<string> {
  const certified = pulling.certificates ? certificateOf(request) : undefined
  if (certified !== undefined) return certified
  const token = bearerOf(request)
  if (token !== undefined) return tokenHolder(pulling, token)
  if (pulling.open && near(request)) return 'this machine'
  throw new Refusal('token_missing', undefined, {
    remedy:
      'gates say who they are as bundle_server.pull of the server asks: bundle.auth of the gate',
  })
}

async function tokenHolder({ token, groups, identity }: Pulling, given: string): Promise<string> {
  if (token !== undefined && same(given, await token())) return 'the shared token'
  // Without groups nobody's token opens anything, so none is looked at.
  if (groups.length === 0) throw new Refusal('token_invalid')
  const { subject } = await identity.identify(given)
  if (subject.groups.some((group) => groups.includes(group)))
    return `${subject.issuer} ${subject.id}`
  throw new Refusal('not_permitted', undefined, {
    remedy: 'this needs membership in one of the groups in bundle_server.pull.groups',
  })
}

function certificateOf({ socket }: Request): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  return `certificate ${socket.getPeerCertificate().fingerprint256}`
}

/** Takes as long whichever byte differs. */
function same(given: string, wanted: Secret): boolean {
  return timingSafeEqual(hashed(given), hashed(wanted.reveal()))
}

function hashed(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

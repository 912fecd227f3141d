import type { Request, RequestHandler } from 'express'
import type { Subject } from '../../contract.ts'
import type { Identity } from '../../parts.ts'
import { authenticate, caller, membersOf } from '../caller.ts'
import { near } from '../guard.ts'

export type AskerParts = {
  readonly identity: Identity
  readonly adminGroups: readonly string[]
  /** Whether programs on this machine may ask without a token. */
  readonly openOnLoopback: boolean
}

/** Lets nobody pass without a token, except from this machine where that was configured. */
export function askers({ identity, openOnLoopback }: AskerParts): RequestHandler {
  const known = authenticate(identity)
  return (request, response, next) =>
    openOnLoopback && anonymous(request) && near(request) ? next() : known(request, response, next)
}

/** Who asks; undefined for whoever is on this machine and needs no token. */
export function askerOf(request: Request): Subject | undefined {
  return anonymous(request) ? undefined : caller(request)
}

/** Lets administrators pass, and whoever needs no token. */
export function administrators(groups: readonly string[]): RequestHandler {
  const members = membersOf(groups)
  return (request, response, next) =>
    anonymous(request) ? next() : members(request, response, next)
}

/** Whether a caller may read the data of the bundle, which tells what is protected. */
export function mayRead(request: Request, groups: readonly string[]): boolean {
  const asker = askerOf(request)
  return asker === undefined || asker.groups.some((group) => groups.includes(group))
}

// Behind `askers` only requests that were let in without a token are without one.
function anonymous({ headers }: Request): boolean {
  return headers.authorization === undefined
}

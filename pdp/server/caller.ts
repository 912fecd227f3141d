import type { Request, RequestHandler } from 'express'
import type { Subject } from '../contract.ts'
import type { Identity } from '../parts.ts'
import { Refusal } from '../refusal.ts'

const tokenBytesMax = 16 * 1024
/** RFC 6750 section 2.1. */
const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

const callers = new WeakMap<object, Subject>()

/** Lets nobody pass without a valid token; after it, `caller` knows who asks. */
export function authenticate(identity: Identity): RequestHandler {
  return async (request, _response, next) => {
    const token = bearerOf(request)
    if (token === undefined) {
      throw new Refusal('token_missing', undefined, {
        remedy: 'send the token as: Authorization: Bearer <token>',
      })
    }
    const { subject } = await identity.identify(token)
    callers.set(request, subject)
    next()
  }
}

/** The bearer token of a request; undefined when there is none. Throws Refusal when it is too long to be one. */
export function bearerOf({ headers }: Pick<Request, 'headers'>): string | undefined {
  const { authorization } = headers
  const token = authorization === undefined ? undefined : bearer.exec(authorization)?.[1]
  if (token !== undefined && token.length > tokenBytesMax) throw new Refusal('token_invalid')
  return token
}

/** Who asks. Throws where `authenticate` did not run: an unprotected route cannot be written by mistake. */
export function caller(request: object): Subject {
  const subject = callers.get(request)
  if (subject === undefined) throw new Refusal('token_missing')
  return subject
}

/** Lets only members of `groups` pass; nobody when there are none. */
export function membersOf(groups: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    if (caller(request).groups.some((group) => groups.includes(group))) return next()
    throw new Refusal('not_permitted', undefined, {
      remedy: 'this needs membership in one of the groups in admin.groups of the configuration',
    })
  }
}

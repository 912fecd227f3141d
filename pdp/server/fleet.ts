import { json, type Request, Router } from 'express'
import { reportShape } from '../../bundles/fleet/report.ts'
import type { Fleet } from '../../bundles/server/fleet.ts'
import { Refusal } from '../refusal.ts'
import { membersOf } from './caller.ts'
import { parsed } from './parse.ts'
import { type Pulling, pullerOf } from './pullers.ts'

export type FleetParts = {
  readonly fleet: Fleet
  readonly pulling: Pulling
  readonly adminGroups: readonly string[]
}

const reportBytesMax = 16 * 1024
const gateName = /^[\w.-]{1,100}$/

/** `PUT /v1/fleet/<gate>`: a gate says what it runs, with the credential it fetches bundles with. */
export function reportRoutes({ fleet, pulling }: FleetParts): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const body = json({ limit: reportBytesMax, inflate: false })
  router.put(
    '/v1/fleet/:gate',
    async (request, _response, next) => {
      puller.set(request, await pullerOf(pulling, request))
      next()
    },
    body,
    (request: Request<{ gate: string }>, response) => {
      const { gate } = request.params
      if (!gateName.test(gate))
        throw new Refusal('bad_request', 'gate.name is letters, digits, "." "_" "-", at most 100')
      fleet.report(gate, puller.get(request) ?? '', parsed(reportShape, request.body))
      response.status(204).end()
    },
  )
  return router
}

/** `GET /v1/fleet`: all gates and how they differ from what is published, for administrators. */
export function fleetRoutes({ fleet, adminGroups }: FleetParts): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/v1/fleet', membersOf(adminGroups), (_request, response) => {
    response.json({ gates: fleet.gates() })
  })
  return router
}

const puller = new WeakMap<object, string>()

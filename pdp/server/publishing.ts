import { Router } from 'express'
import type { Audit } from '../parts.ts'
import { type BundleApiParts, bundleApiRoutes } from './bundle-api.ts'
import { type FleetParts, fleetRoutes, reportRoutes } from './fleet.ts'
import { type PushParts, pushRoutes } from './push.ts'

/** What a bundle server adds to the HTTP API. */
export type Publishing = BundleApiParts & Pick<FleetParts, 'fleet'> & Pick<PushParts, 'pushers'>

type Common = { readonly audit: Audit; readonly adminGroups: readonly string[] }

/** What gates ask for: they show who they are in a way of their own, before the token of a person is looked for. */
export function gateRoutes(publishing: Publishing | undefined, common: Common): Router {
  const router = Router()
  if (publishing === undefined) return router
  return router.use(bundleApiRoutes(publishing), reportRoutes({ ...publishing, ...common }))
}

/** What pipelines and administrators ask for, with a token. */
export function publisherRoutes(publishing: Publishing | undefined, common: Common): Router {
  const router = Router()
  if (publishing === undefined) return router
  const parts = { ...publishing, ...common }
  return router.use(pushRoutes(parts), fleetRoutes(parts))
}

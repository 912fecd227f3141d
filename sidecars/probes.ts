import type { Credential, Upstream } from '../pdp/contract.ts'
import type { sidecars } from './index.ts'
import { probe } from './postgres/probe.ts'

/** Tries the gate's own login to a datastore and leaves again. Throws Refusal. */
export type Probe = (upstream: Upstream, credential: Credential) => Promise<void>

/** How `postern check` tries a datastore, for every protocol. */
export const probes: Readonly<Record<keyof typeof sidecars, Probe>> = { postgres: probe }

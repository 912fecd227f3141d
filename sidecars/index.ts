import { postgres } from './postgres/index.ts'
import type { Sidecar } from './sidecar.ts'

/** Every protocol the gate speaks. */
export const sidecars = { postgres } satisfies Record<string, Sidecar>

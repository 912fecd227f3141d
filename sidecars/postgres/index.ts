import type { Sidecar } from '../sidecar.ts'
import { toRun } from './outgoing.ts'
import { speaking } from './speaking.ts'
import { ready } from './statement.ts'

/** The PostgreSQL sidecar. */
export const postgres: Sidecar = speaking(toRun, ready)

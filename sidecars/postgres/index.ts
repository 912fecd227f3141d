import type { Sidecar } from '../sidecar.ts'
import { speaking } from './speaking.ts'
import { read, ready } from './statement.ts'

/** The PostgreSQL sidecar. */
export const postgres: Sidecar = speaking(read, ready)

import type { sidecars } from './index.ts'
import { grants, type Looking, verify } from './postgres/roles/roles.ts'

/** What a protocol can do about the role of sealed sessions. */
export type Roles = {
  /** The statements that make the role what it must be. Throws Refusal. */
  grants(looking: Looking & { readonly role: string; readonly writes: boolean }): Promise<string>
  /** What the role may do beyond that, or lacks, in words for people; empty when it is as it must be. Throws Refusal. */
  verify(looking: Looking): Promise<readonly string[]>
}

/** Every protocol whose datastore can back up what the gate seals. */
export const roles: Readonly<Record<keyof typeof sidecars, Roles>> = {
  postgres: { grants, verify },
}

import type { Declarations, Gate } from '../../pdp/contract.ts'
import { type Catalogue, declaring } from './catalogue.ts'
import type { Shared } from './catalogues.ts'

/** Catalogues with what was declared on them, made once for all sessions. */
const known = new WeakMap<Declarations, WeakMap<Catalogue, Catalogue>>()

/** The catalogue as the bundle in charge declares its code; another one as soon as that says something else. */
export function declaredBy(gate: Gate, shared: Shared): Shared {
  if (gate.declarations === undefined) return shared
  const declared = (catalogue: Catalogue): Catalogue => {
    const said = gate.declarations?.()
    return said === undefined ? catalogue : declaredOn(catalogue, said)
  }
  return {
    ...shared,
    current: () => declared(shared.current()),
    refresh: async () => declared(await shared.refresh()),
    latest: async () => declared(await shared.latest()),
  }
}

function declaredOn(catalogue: Catalogue, said: Declarations): Catalogue {
  const made = known.get(said) ?? new WeakMap<Catalogue, Catalogue>()
  known.set(said, made)
  const found = made.get(catalogue) ?? declaring(catalogue, said)
  made.set(catalogue, found)
  return found
}

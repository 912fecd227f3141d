import { Counter, type Registry } from 'prom-client'
import type { Tally } from '../impact/tally.ts'

/** How the candidate in the shadow differs so far; undefined without one. */
export type ShadowFacts = Pick<Tally, 'same' | 'weaker' | 'stronger' | 'other'> | undefined

/** Publishes the differences by kind: a candidate that starts anew begins at zero. */
export function publishShadow(registry: Registry, facts: () => ShadowFacts): void {
  new Counter({
    name: 'postern_shadow_decisions_total',
    help: 'Decisions the candidate in the shadow was compared on, by how it differs',
    labelNames: ['difference'],
    registers: [registry],
    collect() {
      this.reset()
      const found = facts()
      if (found === undefined) return
      const { same, weaker, stronger, other } = found
      for (const [difference, value] of Object.entries({ same, weaker, stronger, other }))
        this.inc({ difference }, value)
    },
  })
}

import type { Subject } from './contract.ts'
import { Refusal } from './refusal.ts'

/** Room for a bounded number of sessions, in all and per subject. */
export interface Seats {
  /** Takes a seat; the function gives it back, once. Throws Refusal `quota_exceeded`. */
  take(subject: Subject): () => void
}

/** Seats for `max` sessions, `perSubjectMax` of them for one subject. */
export function seats(max: number, perSubjectMax: number): Seats {
  const taken = new Map<string, number>()
  let all = 0
  return {
    take({ issuer, id }) {
      const key = JSON.stringify([issuer, id])
      const own = taken.get(key) ?? 0
      if (all >= max) throw new Refusal('quota_exceeded', `the gate has ${max} sessions, its most`)
      if (own >= perSubjectMax)
        throw new Refusal('quota_exceeded', `${id} has ${perSubjectMax} sessions here, the most`)
      all += 1
      taken.set(key, own + 1)
      let held = true
      return () => {
        if (!held) return
        held = false
        all -= 1
        const left = (taken.get(key) ?? 1) - 1
        if (left > 0) taken.set(key, left)
        else taken.delete(key)
      }
    },
  }
}

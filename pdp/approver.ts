import { actorIds } from './bind.ts'
import type { Subject } from './contract.ts'
import { Refusal } from './refusal.ts'
import type { StoredHold } from './state/holds.ts'

/** Whether this person may answer this hold. Throws Refusal `own_hold` or `not_an_approver`. */
export function mustBeApprover(stored: StoredHold, reviewer: Subject): void {
  if (isOwn(stored, reviewer)) throw new Refusal('own_hold')
  if (reviewer.type === 'agent' || reviewer.actor !== null)
    throw new Refusal(
      'not_an_approver',
      'a hold is answered by people, not by agents acting for them',
    )
  const { approvers } = stored.hold
  if (!reviewer.groups.some((group) => approvers.includes(group)))
    throw new Refusal(
      'not_an_approver',
      `only members of ${approvers.join(', ') || 'no group at all'} may answer this hold`,
    )
}

/** A voter in one string: the same id from two issuers is two people. */
export function voterOf(reviewer: Subject): string {
  return JSON.stringify([reviewer.issuer, reviewer.id])
}

function isOwn(stored: StoredHold, reviewer: Subject): boolean {
  if (stored.issuer !== reviewer.issuer) return false
  const holder = new Set([stored.hold.subject, ...stored.actors])
  return [reviewer.id, ...actorIds(reviewer)].some((id) => holder.has(id))
}

import type { Decision } from '../contract.ts'
import type { Member } from './members.ts'

/** The members that a decision shows. What an allow said is not shown by a hold, nor anything but reasons by a denial. */
export function membersOf(decision: Decision): readonly Member[] {
  const { effect, reasons, masks, limits, quotas, obligations } = decision
  return [
    ...reasons.map(({ rule, code }) => ({ policy: rule, set: effect, name: code })),
    ...masks.map(({ rule, column, entity, path }) => ({
      policy: rule,
      set: 'mask' as const,
      name: column ?? entity ?? path ?? '',
    })),
    ...limits.map(({ rule = '', metric }) => ({
      policy: rule,
      set: 'limit' as const,
      name: metric,
    })),
    ...quotas.map(({ name }) => ({ policy: '', set: 'quota' as const, name })),
    ...obligations.map(({ name }) => ({ policy: '', set: 'obligation' as const, name })),
  ]
}

/** Whether two members are one; a decision does not say of every term whose it is. */
export function sameMember(shown: Member, said: Member): boolean {
  const anonymous = shown.policy === ''
  return (
    shown.set === said.set &&
    shown.name === said.name &&
    (anonymous || shown.policy === said.policy)
  )
}

import type { Obligation } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import { type Condition, condition } from '../rewrite/filter.ts'

/** What policy asks of rewriting. */
export type Plan = {
  readonly sealed: boolean
  readonly filters: ReadonlyMap<string, Condition>
  /** Equal for equal plans. */
  readonly key: string
}

/** Reads the obligations of a ruling; undefined where they ask for nothing. Throws Refusal for what it does not say clearly. */
export function planOf(obligations: readonly Obligation[]): Plan | undefined {
  const seals = obligations.some(
    ({ name, args }) => name === 'profile' && args?.['name'] === 'sealed',
  )
  const rows = obligations.filter(({ name }) => name === 'row_filter')
  if (!seals && rows.length === 0) return undefined
  const filters = new Map<string, Condition>()
  for (const { args } of rows) {
    const relation = args?.['relation']
    if (typeof relation !== 'string')
      throw new Refusal('unsupported_obligation', 'the row filter of policy names no relation')
    const one = condition(args?.['where'])
    const other = filters.get(relation)
    filters.set(relation, other === undefined ? one : { all_of: [other, one] })
  }
  return { sealed: seals, filters, key: JSON.stringify([seals, [...filters]]) }
}

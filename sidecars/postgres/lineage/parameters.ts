import type { Callable } from '../../sql/lineage/library.ts'
import type { Scope } from '../../sql/lineage/scope.ts'
import { fieldOf, nothing, type Value } from '../../sql/lineage/value.ts'
import { type Known, ofType } from './types.ts'

/**
 * What names mean in a function that no query gives: its parameters, by themselves, as `function.parameter` or `$1`.
 * They come from nowhere: what the function is given counts where it is called.
 */
export function parameters(known: Known, one: Callable): Scope {
  const given = one.takes.map((type) => ofType(known, nothing, type))
  const byName = new Map<string, Value>(
    given.map((value, i) => [one.names[i] || `$${i + 1}`, value] as const),
  )
  for (const [i, value] of given.entries()) byName.set(`$${i + 1}`, value)
  for (const { name } of one.out) if (!byName.has(name)) byName.set(name, nothing)
  return {
    items: [],
    outer: undefined,
    variables: (parts) => {
      const [first = '', ...rest] = parts
      const own = byName.get(first)
      if (own !== undefined) return path(own, rest)
      const [second = '', ...fields] = rest
      const qualified = first === one.name ? byName.get(second) : undefined
      return qualified && path(qualified, fields)
    },
  }
}

function path(value: Value, fields: readonly string[]): Value {
  return fields.reduce((row, name) => fieldOf(row, name) ?? nothing, value)
}

/** Any name may be a variable of a procedure; what goes into variables counts where it is read. */
export const variables: Scope = {
  items: [],
  outer: undefined,
  variables: () => nothing,
}

import type { Callable } from '../../sql/lineage/library.ts'
import { computed, copyOf, type Value } from '../../sql/lineage/value.ts'
import type { Reading } from './reading.ts'

/** Records what a bundle declares of a function, and answers what its answer may come from; undefined without a declaration. */
export function promised({ facts, around }: Reading, one: Callable): Value | undefined {
  const { catalogue } = around
  const declared = catalogue.declared(one.signature)
  if (declared === 'unsure') {
    facts.doubt(`the declaration of ${one.signature} names a column or relation that there is not`)
    return undefined
  }
  if (declared === undefined) return undefined
  const { reads, returns, writes = [], effects = [] } = declared
  facts.use(reads, 'inside')
  facts.effect(...effects)
  for (const [relation, columns] of byRelation([...reads, ...returns])) {
    facts.touch(kindOf(relation), relation, 'read', columns)
  }
  if (writes.length > 0) facts.effect('write')
  for (const relation of writes) facts.touch(kindOf(relation), relation, 'write')
  return computed(copyOf(returns))

  function kindOf(full: string): string {
    const dot = full.indexOf('.')
    return catalogue.relation(full.slice(dot + 1), full.slice(0, dot), [])?.kind ?? 'table'
  }
}

/** Somebody reviewed it: what comes out of it shows nothing protected, whatever goes in. */
export function safeByReview({ around }: Reading, full: string): boolean {
  return around.catalogue.declassified(full)
}

function byRelation(columns: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const one of columns) {
    const dot = one.lastIndexOf('.')
    const relation = one.slice(0, dot)
    found.set(relation, [...(found.get(relation) ?? []), one.slice(dot + 1)])
  }
  return found
}

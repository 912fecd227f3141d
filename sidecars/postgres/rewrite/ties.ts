import type { Catalogue, Relation, Tie } from '../../sql/catalogue.ts'

/** How rows are changed. */
export type Change = 'insert' | 'update' | 'delete'

const kinds: Readonly<Record<Change, ReadonlySet<Tie['kind']>>> = {
  insert: new Set(['key']),
  update: new Set(['key', 'check', 'referenced']),
  delete: new Set(['referenced']),
}

/**
 * The columns, as `schema.table.column`, that a change is tested against: whether it fails tells something of them.
 * `names` are the columns it sets.
 */
export function* testedBy(
  catalogue: Catalogue,
  target: Relation,
  change: Change,
  names: readonly string[],
): Generator<string> {
  for (const one of [target, ...catalogue.below(target)]) {
    const set = new Set(one.columns.filter(({ name }) => names.includes(name)).map(numberOf))
    for (const { number, from } of one.columns) if (from?.some((by) => set.has(by))) set.add(number)
    for (const tie of one.ties) {
      const touches =
        change === 'delete' ||
        (change === 'insert' && tie.always) ||
        tie.columns.some((number) => set.has(number))
      if (touches && kinds[change].has(tie.kind)) yield* shownBy(catalogue, tie)
    }
  }
}

function* shownBy(catalogue: Catalogue, { shows }: Tie): Generator<string> {
  for (const number of shows.columns) yield* catalogue.column(shows.oid, number)?.sources ?? []
}

const numberOf = ({ number }: { readonly number: number }): number => number

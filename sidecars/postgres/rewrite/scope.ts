/** Something that FROM, or the target of a write, makes known under a name. */
export type Item = {
  readonly name: string
  /** `schema.name`, where it can be referred to by it. */
  readonly full?: string | undefined
  /** Undefined where they are not known here. */
  readonly columns: readonly string[] | undefined
  /** A query stands in the place of the relation. */
  readonly replaced: boolean
  /** Its columns were given other names, which a stored row as a whole does not have and a query's does. */
  readonly renamed?: boolean
  /** Columns that may not be read: those of a write's target. */
  readonly guarded?: ReadonlySet<string> | undefined
}

/** The names in sight at one place of a statement, innermost first. */
export type Scope = { readonly items: readonly Item[]; readonly outer: Scope | undefined }

/** The item a name stands for. */
export function named(scope: Scope | undefined, name: string): Item | undefined {
  for (let one = scope; one !== undefined; one = one.outer) {
    const found = one.items.find((item) => item.name === name)
    if (found !== undefined) return found
  }
  return undefined
}

/** The item that has this full name, and the one its short name would stand for in the same place. */
export function qualified(scope: Scope | undefined, full: string): Item | undefined {
  for (let one = scope; one !== undefined; one = one.outer) {
    const found = one.items.find((item) => item.full === full)
    if (found !== undefined) return found
  }
  return undefined
}

/** The items a bare column name may mean: more than one where their columns are not known. */
export function holders(scope: Scope | undefined, column: string): readonly Item[] {
  const found: Item[] = []
  for (let one = scope; one !== undefined; one = one.outer) {
    const sure = one.items.filter((item) => item.columns?.includes(column))
    found.push(...sure)
    if (sure.length > 0) return found
  }
  return found
}

/** Every item in sight. */
export function* inSight(scope: Scope | undefined): Generator<Item> {
  for (let one = scope; one !== undefined; one = one.outer) yield* one.items
}

/** What a column is used for in a statement. */
const roles = [
  /** Shown as it is. */
  'output',
  /** Something worked out from it is shown. */
  'derived',
  /** Shown by a statement that writes. */
  'returned',
  'predicate',
  /** Compared with a constant or a parameter for being equal. */
  'equality',
  'null_test',
  'join',
  'group',
  'sort',
  'distinct',
  'set_operation',
  'window',
  /** Decides how many rows come. */
  'limit',
  /** Given to code that nobody has read, or that may tell. */
  'argument',
  /** Goes into something that fails for some values. */
  'partial',
  /** Its values are stored elsewhere. */
  'written_from',
  'written_to',
  /** Used by a view or a function, out of the statement's own reach. */
  'inside',
] as const

export type Role = (typeof roles)[number]

/** A column, as `schema.table.column`, and all it is used for. */
export type ColumnUse = { readonly name: string; readonly roles: readonly Role[] }

const bits: ReadonlyMap<Role, number> = new Map(roles.map((role, i) => [role, 1 << i]))
const bit = (role: Role): number => bits.get(role) ?? 0

/** What answers show of such a column, though it is not shown itself, depends on its values. */
const deciding = (
  [
    'predicate',
    'equality',
    'null_test',
    'join',
    'group',
    'sort',
    'distinct',
    'set_operation',
    'window',
    'limit',
    'argument',
    'partial',
    'written_from',
  ] as const
).reduce((all, role) => all | bit(role), 0)

/** What the columns in a statement are used for; only ever grows. */
export interface Uses {
  use(columns: Iterable<string>, role: Role): void
  /** Columns with a role that decides something. */
  deciding(): readonly string[]
  list(): readonly ColumnUse[]
}

/** Starts with no column used. */
export function uses(): Uses {
  const known = new Map<string, number>()
  return {
    use: (columns, role) => {
      const one = bit(role)
      for (const column of columns) known.set(column, (known.get(column) ?? 0) | one)
    },
    deciding: () =>
      Array.from(known, ([column, mask]) => ((mask & deciding) === 0 ? '' : column)).filter(
        Boolean,
      ),
    list: () => Array.from(known, ([name, mask]) => ({ name, roles: named(mask) })),
  }
}

/** Whether something else than the column itself is shown to depend on it. */
export function isDeciding(role: Role): boolean {
  return (bit(role) & deciding) !== 0
}

function named(mask: number): readonly Role[] {
  return roles.filter((role) => (mask & bit(role)) !== 0)
}

import type { Command, Effect, Output, Touched } from '../../pdp/contract.ts'
import { type ColumnUse, type Role, uses } from './lineage/roles.ts'

/** What is known of one statement while it is read. Only ever grows: nothing found later takes back what was found before. */
export interface Facts {
  kind(name: string): void
  effect(...effects: readonly Effect[]): void
  touch(kind: string, name: string, access: Touched['access'], columns?: Iterable<string>): void
  /** A function the statement runs, and what is known of it. */
  call(name: string, trust: string): void
  /** A column, as `schema.table.column`, that decides something. */
  decide(column: string): void
  /** What columns are used for. */
  use(columns: Iterable<string>, role: Role): void
  /** Why the statement is not fully understood; `absent` where that is a name of its own which means nothing. */
  doubt(reason: string, absent?: Absent): void
  /** A name that means nothing, where nothing else is in doubt but what follows from it. */
  absent(): Absent | undefined
  /** A fact of the `sql` family that holds from now on. */
  flag(name: Flag): void
  has(name: Flag): boolean
  effects(): ReadonlySet<Effect>
  /** All of another statement's facts but its name, text and outputs; `absent` is what it said of itself. */
  absorb(command: Command, absent?: Absent): void
  command(name: string, rest: Rest): Command
}

/** What a statement names that there is not, as it has it. */
export type Absent = {
  readonly kind: 'relation' | 'column' | 'function' | 'operator' | 'type' | 'source'
  readonly name: string
}

export type Flag = 'where' | 'limit' | 'locking' | 'unbounded' | 'triggers'

export type Rest = {
  readonly dialect: string
  readonly text: string
  readonly shape?: string | undefined
  readonly outputs?: readonly Output[] | undefined
}

/** The facts of the `sql` family, as policies see them. */
export type SqlFacts = {
  readonly dialect: string
  readonly kinds: readonly string[]
  readonly functions: readonly { readonly name: string; readonly class: string }[]
  /** The rows are filtered: the statement's own, and those of every write inside it. */
  readonly has_where: boolean
  readonly has_limit: boolean
  readonly locking: boolean
  readonly triggers: boolean
  /** Every column and what it is used for; absent when there is none. */
  readonly columns?: readonly ColumnUse[]
  readonly shape?: string
}

/** More reasons, or longer ones, help nobody. */
const REASONS_MAX = 5

/** How every doubt about a name ends, and about what such a name leaves open. */
const unknown = / (is|are) not known$/

type Thing = {
  readonly kind: string
  readonly name: string
  readonly access: Touched['access']
  readonly columns: Set<string> | undefined
}

/** Starts with nothing known. */
export function facts(): Facts {
  const kinds = new Set<string>()
  const effects = new Set<Effect>()
  const things = new Map<string, Thing>()
  const functions = new Map<string, string>()
  const used = uses()
  const reasons = new Map<string, Absent | undefined>()
  const flags = new Set<Flag>()

  const self: Facts = {
    kind: (name) => void kinds.add(name),
    effect: (...list) => {
      for (const one of list) effects.add(one)
    },
    touch: (kind, name, access, columns) => {
      const key = `${access} ${kind} ${name}`
      const known = things.get(key)
      if (known === undefined || (known.columns === undefined && columns !== undefined)) {
        things.set(key, { kind, name, access, columns: columns && new Set(columns) })
      } else for (const column of columns ?? []) known.columns?.add(column)
    },
    call: (name, trust) => {
      if (!functions.has(name)) functions.set(name, trust)
    },
    decide: (column) => used.use([column], 'predicate'),
    use: (columns, role) => used.use(columns, role),
    doubt: (reason, absent) => void reasons.set(reason, reasons.get(reason) ?? absent),
    absent: () => {
      const isAll = [...reasons.keys()].every((reason) => unknown.test(reason))
      return isAll ? [...reasons.values()].find((one) => one !== undefined) : undefined
    },
    flag: (name) => void flags.add(name),
    has: (name) => flags.has(name),
    effects: () => effects,
    absorb: (command, absent) => {
      for (const effect of command.effects) effects.add(effect)
      for (const one of command.objects) self.touch(one.kind, one.name, one.access, one.columns)
      const sql = command['sql'] as SqlFacts | undefined
      if (sql?.columns === undefined) used.use(command.predicates ?? [], 'predicate')
      if (command.incomplete !== undefined) self.doubt(command.incomplete, absent)
      absorbFamily(sql)
    },
    command: (name, rest) => {
      const columns = used.list()
      const sql: SqlFacts = {
        dialect: rest.dialect,
        kinds: [...kinds],
        functions: Array.from(functions, ([name, trust]) => ({ name, class: trust })),
        has_where: flags.has('where') && !flags.has('unbounded'),
        has_limit: flags.has('limit'),
        locking: flags.has('locking'),
        triggers: flags.has('triggers'),
        ...(columns.length === 0 ? {} : { columns }),
        ...(rest.shape === undefined ? {} : { shape: rest.shape }),
      }
      return {
        name,
        effects: effects.size === 0 ? ['unknown'] : [...effects],
        objects: Array.from(things.values(), touched),
        ...(rest.outputs === undefined ? {} : { outputs: rest.outputs }),
        predicates: used.deciding(),
        ...(reasons.size === 0 ? {} : { incomplete: sentence([...reasons.keys()]) }),
        text: rest.text,
        sql,
      }
    },
  }

  function absorbFamily(sql: SqlFacts | undefined): void {
    if (sql === undefined) return
    for (const kind of sql.kinds) kinds.add(kind)
    for (const one of sql.functions) self.call(one.name, one.class)
    for (const { name, roles } of sql.columns ?? []) {
      for (const role of roles) used.use([name], role)
    }
    if (sql.has_where) flags.add('where')
    if (sql.has_limit) flags.add('limit')
    if (sql.locking) flags.add('locking')
    if (sql.triggers) flags.add('triggers')
  }

  return self
}

function touched(thing: Thing): Touched {
  const { kind, name, access, columns } = thing
  return columns === undefined
    ? { kind, name, access }
    : { kind, name, access, columns: [...columns] }
}

function sentence(reasons: readonly string[]): string {
  const shown = reasons.slice(0, REASONS_MAX)
  const more = reasons.length - shown.length
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

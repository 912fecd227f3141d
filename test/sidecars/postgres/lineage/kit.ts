import type { Command, Declarations, Declared, Output } from '../../../../pdp/contract.ts'
import { declaring } from '../../../../sidecars/postgres/catalogue.ts'
import { begin } from '../../../../sidecars/postgres/lineage/begin.ts'
import { nowhere, type Surroundings } from '../../../../sidecars/postgres/lineage/reading.ts'
import { parse } from '../../../../sidecars/postgres/read/parser.ts'
import { facts, type SqlFacts } from '../../../../sidecars/sql/facts.ts'
import { outputs } from '../../../../sidecars/sql/lineage/output.ts'
import { type Database, database } from '../reading.ts'

export type Read = {
  readonly command: Command
  readonly outputs: readonly Output[] | undefined
  readonly names: readonly string[] | undefined
}

export type Lineage = Database & {
  read(text: string, more?: Partial<Surroundings>): Read
  /** Reads with what a bundle says. */
  declaring(said: Declarations): (text: string) => Read
  readonly around: Surroundings
}

export async function lineage(extra = ''): Promise<Lineage> {
  const db = await database(extra)
  const { library } = db.catalogue
  const none = () => undefined
  const around: Surroundings = {
    catalogue: db.catalogue,
    library,
    searchPath: ['public'],
    prepared: none,
    cursor: none,
  }
  return {
    ...db,
    around,
    read: (text, more = {}) => read(text, { ...around, ...more }),
    declaring: (said) => {
      const catalogue = declaring(db.catalogue, said)
      return (text) => read(text, { ...around, catalogue })
    },
  }
}

function read(text: string, around: Surroundings): Read {
  const parsed = parse(text)
  const node = parsed.statements?.[0]?.stmt
  if (node === undefined)
    throw new Error(`${text}: ${parsed.statements ? 'empty' : parsed.problem}`)
  const reading = begin(facts(), around, () => undefined)
  const columns = reading.query(node, nowhere)
  reading.settle()
  for (const { value } of columns ?? [])
    reading.facts.use(value.sources, value.copy ? 'output' : 'derived')
  const shown = outputs(columns)
  const command = reading.facts.command('x', { dialect: 'postgres', text, outputs: shown })
  return { command, outputs: shown, names: columns?.map((one) => one.name) }
}

const short = (name: string) => name.replace('public.', '')

/** `name=` for a copy, `name~` for anything computed, then its sources without those of children of `customers`. */
export function shown({ outputs: list }: Read): readonly string[] | undefined {
  return list?.map(({ name, sources, exact }) => {
    const from = sources.filter((one) => !one.includes('_archive.')).map(short)
    return `${name}${exact ? '=' : '~'}${from.sort().join('+')}`
  })
}

/** `column: role role` for every column with one of these roles. */
export function used({ command }: Read, ...roles: readonly string[]): readonly string[] {
  const { columns = [] } = command['sql'] as SqlFacts
  return columns
    .filter(
      (one) => !one.name.includes('_archive.') && one.roles.some((role) => roles.includes(role)),
    )
    .map((one) => short(one.name))
    .sort()
}

export type { Declared }

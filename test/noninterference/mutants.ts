/** Readers that are wrong on purpose, to see whether the generator would notice. */
import type { Command } from '../../pdp/contract.ts'
import { speaking } from '../../sidecars/postgres/speaking.ts'
import { read, ready, type Statement } from '../../sidecars/postgres/statement.ts'
import type { Sidecar } from '../../sidecars/sidecar.ts'

/** What is forgotten, of which statements: those that have this shape and none of the others that would do. */
export type Mutant = {
  readonly name: string
  readonly when: RegExp
  readonly unless?: RegExp
  /** Columns that decide something, where what is computed comes from, or what becomes of search_path. */
  readonly forgets: 'predicates' | 'sources' | 'both' | 'objects' | 'path'
}

/** All that lets a column decide. */
const deciders = {
  where: / where /,
  join: / (on|using) .*=|natural /,
  order: / order by /,
  group: / group by /,
  distinct: /distinct/,
  set: /\b(union|intersect|except)\b/,
  window: / over \(/,
  filter: / filter \(/,
  having: / having /,
  case: /\bcase\b/,
  view: /\b(v_filtered|v_top|v_domains|v_union|v_pay)\b/,
  lateral: /\blateral\b|generate_series|unnest|_to_table|_each_text|\blimit\b|\bfetch\b/,
}

/** Only one way of deciding is in the statement. */
function only(name: keyof typeof deciders, also?: RegExp): Mutant {
  const others = Object.entries(deciders).filter(([key]) => key !== name)
  return {
    name: `what decides in ${name}`,
    when: also ?? deciders[name],
    unless: new RegExp(others.map(([, shape]) => shape.source).join('|')),
    forgets: 'predicates',
  }
}

/** One for each rule that the reader of names and values has to know. */
export const mutants: readonly Mutant[] = [
  { name: 'everything that decides', when: /./, forgets: 'predicates' },
  only('where'),
  only('order'),
  only('group'),
  only('distinct'),
  only('set'),
  { ...only('window'), forgets: 'both' },
  { ...only('filter'), forgets: 'both' },
  { ...only('case'), forgets: 'both' },
  only('view'),
  {
    ...only(
      'join',
      / join .* on \w+\.(name|email|value|ssn|label|txt|contact|address|country) (=|<>|<) /,
    ),
    name: 'joins on text',
  },
  { ...only('join', / using \(\w+\)/), name: 'joins with USING' },
  { ...only('join', / natural /), name: 'natural joins' },
  {
    name: 'ORDER BY an output by its number',
    when: / order by \d/,
    unless: / where | on | using |distinct|group by| over | filter |union|intersect|except|case/,
    forgets: 'predicates',
  },
  {
    name: 'inheritance in another schema',
    when: /crm\.(leads|lead_view)/,
    unless: /customers|v_|mv_|employees|secrets/,
    forgets: 'predicates',
  },
  {
    name: 'values of inherited tables',
    when: /crm\.leads/,
    unless: /customers |v_|mv_|employees|secrets/,
    forgets: 'both',
  },
  { name: 'everything that is shown', when: /./, forgets: 'sources' },
  {
    name: 'computed values',
    when: /^select (?!.*\b(with|union|intersect|except)\b)/,
    forgets: 'sources',
  },
  {
    name: 'whole rows',
    when: /::text|to_jsonb|row_to_json/,
    unless: /with |union|upper|lower|case/,
    forgets: 'sources',
  },
  {
    name: 'views',
    when: /\b(v_\w+|mv_\w+)/,
    unless: /customers as|employees|secrets|crm\./,
    forgets: 'sources',
  },
  {
    name: 'generated columns',
    when: /email_domain/,
    unless: /\b(email|phone|ssn|card_number|value|salary)\b/,
    forgets: 'sources',
  },
  { name: 'WITH', when: /^with /, forgets: 'both' },
  { name: 'WITH RECURSIVE', when: /with recursive/, forgets: 'both' },
  {
    name: 'set operations',
    when: /\b(union|intersect|except)\b/,
    unless: /with /,
    forgets: 'both',
  },
  { name: 'lateral subqueries', when: /lateral/, unless: /with |union/, forgets: 'both' },
  { name: 'subqueries that are values', when: /^select [^f]*\(select /, forgets: 'both' },
  {
    name: 'aggregates',
    when: /^select (max|min|string_agg|sum|array_agg|jsonb_agg)/,
    forgets: 'both',
  },
  { name: 'window functions', when: / over \(/, unless: /union|with /, forgets: 'sources' },
  { name: 'RETURNING', when: / returning /, forgets: 'both' },
  { name: 'UPDATE', when: /^update /, forgets: 'predicates' },
  { name: 'DELETE', when: /^delete /, forgets: 'predicates' },
  { name: 'INSERT', when: /^insert /, forgets: 'both' },
  { name: 'MERGE', when: /^merge /, forgets: 'both' },
  { name: 'parameters', when: /\$1/, forgets: 'both' },
  {
    name: 'values that fail when they are cast',
    when: /^select \(t\d+\.\w+\)::\w+ from/,
    forgets: 'predicates',
  },
  { name: 'window frames', when: /(rows|groups|range) between/, forgets: 'both' },
  { name: 'JSON', when: /jsonb_path|jsonb_each|json_object_agg|jsonb_agg/, forgets: 'both' },
  { name: 'XML', when: /xmlagg|xmlconcat|xmltable|xmlforest/, forgets: 'both' },
  { name: 'grouping sets', when: / (cube|rollup|grouping sets) \(/, forgets: 'both' },
  { name: 'SEARCH and CYCLE', when: / (search (depth|breadth)|cycle t) /, forgets: 'both' },
  { name: 'cursors', when: /^declare /, forgets: 'both' },
  { name: 'PREPARE', when: /^prepare /, forgets: 'both' },
  { name: 'COPY of a query', when: /^copy \(/, forgets: 'both' },
  { name: 'plans', when: /^explain /, forgets: 'both' },
  {
    name: 'a search path that is set',
    when: /^set .*(search_path|schema)|set_config/,
    forgets: 'path',
  },
  {
    name: 'a search path that is set for a transaction',
    when: /^set local |, true\)$/,
    forgets: 'path',
  },
  { name: 'a search path that is reset', when: /^reset|to default$/, forgets: 'path' },
  { name: 'a savepoint gone back to', when: /^rollback to /, forgets: 'path' },
  { name: 'a transaction rolled back', when: /^rollback$/, forgets: 'path' },
  { name: 'rows that are filtered', when: /\b(v_)?cases\b/, forgets: 'objects' },
]

/** The sidecar, with a reader that forgets what the mutant says. */
export function mutated(mutant: Mutant): Sidecar {
  const forgetful = (text: string, scope: Parameters<typeof read>[1]): readonly Statement[] => {
    const statements = read(text, scope)
    const meant = mutant.when.test(text) && mutant.unless?.test(text) !== true
    return meant ? statements.map((one) => forgetfulOf(one, mutant)) : statements
  }
  return speaking(forgetful, ready)
}

/** With what it prepares or declares. */
function forgetfulOf(one: Statement, mutant: Mutant): Statement {
  if (mutant.forgets === 'path') {
    const { path: _, ...rest } = one
    return rest
  }
  const names = one.names.map((change) =>
    change.statement === undefined
      ? change
      : { ...change, statement: forgetfulOf(change.statement, mutant) },
  )
  return { ...one, names, command: forgotten(one.command, mutant) }
}

function forgotten(command: Command, { forgets }: Mutant): Command {
  if (forgets === 'objects') return { ...command, objects: [] }
  const predicates = forgets === 'sources' ? command.predicates : []
  // Where a copy comes from the wire says as well, and a contradiction is found.
  const outputs =
    forgets === 'predicates'
      ? command.outputs
      : command.outputs?.map((one) => (one.exact ? one : { ...one, sources: [] }))
  return {
    ...command,
    ...(predicates === undefined ? {} : { predicates }),
    ...(outputs === undefined ? {} : { outputs }),
  }
}

/** Whether this mutant reads that text otherwise. */
export function concerns(mutant: Mutant, text: string): boolean {
  return mutant.when.test(text) && mutant.unless?.test(text) !== true
}

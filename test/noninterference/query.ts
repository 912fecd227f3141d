/** Random queries. */
import { deeper, expression, type Scope, type Source, someType } from './expression.ts'
import { type FromAround, fromList } from './from.ts'
import type { Column, Type } from './relations.ts'

/** A query whose output columns have these types, without brackets. */
export function query(around: FromAround, types: readonly Type[], scope: Scope): string {
  const { random } = around
  if (scope.depth > 0 && random.chance(0.12)) return withClause(around, types, deeper(scope))
  if (scope.depth > 0 && random.chance(0.12)) return combined(around, types, deeper(scope))
  if (random.chance(0.03)) return `values (${list(around, types, scope)})`
  return random.chance(0.2) ? aggregated(around, types, scope) : select(around, types, scope)
}

/** A query that shows what it likes. */
export function freeQuery(around: FromAround, scope: Scope): string {
  const { random } = around
  if (random.chance(0.15)) return starred(around, scope)
  const types = Array.from({ length: 1 + random.below(4) }, () => someType(around))
  return query(around, types, scope)
}

function list(around: FromAround, types: readonly Type[], scope: Scope): string {
  return types.map((type) => expression(around, type, scope)).join(', ')
}

function filter(around: FromAround, scope: Scope, probability = 0.45): string {
  if (!around.random.chance(probability)) return ''
  return ` where ${expression(around, 'bool', deeper(scope))}`
}

/** `*` of everything, or of one of them. */
function starred(around: FromAround, scope: Scope): string {
  const { random } = around
  const from = fromList(around, scope)
  const inside = { ...scope, sources: [...scope.sources, ...from.sources] }
  const alias = random.pick(from.sources).alias
  const what = random.pick(['*', '*', `${alias}.*`, `(${alias}).*`, alias, `${alias}.*, 1 as one`])
  const tail = random.chance(0.3) ? order(around, inside, 1) : ''
  return `select ${what} from ${from.text}${filter(around, inside, 0.3)}${tail}${limit(around)}`
}

function select(around: FromAround, types: readonly Type[], scope: Scope): string {
  const { random } = around
  const from = fromList(around, scope)
  const inside: Scope = { ...scope, sources: [...scope.sources, ...from.sources] }
  const windowed = random.chance(0.1)
  const targets = types.map((type, index) => {
    const text =
      windowed && (type === 'num' || type === 'text')
        ? overWindow(around, type, inside)
        : expression(around, type, inside)
    return random.chance(0.2) ? `${text} as x${index}` : text
  })
  const distinct = random.chance(0.1)
    ? random.pick([
        'distinct ',
        `distinct on (${expression(around, someType(around), { ...inside, depth: 0 })}) `,
      ])
    : ''
  const text = `select ${distinct}${targets.join(', ')} from ${from.text}${filter(around, inside)}`
  const sorted = random.chance(0.35) && !distinct.includes(' on ')
  const lock = !windowed && distinct === '' && random.chance(0.01) ? ' for update' : ''
  return `${text}${sorted ? order(around, inside, types.length, distinct !== '') : ''}${limit(around)}${lock}`
}

/** By position, by column or by something computed. */
function order(around: FromAround, scope: Scope, positions: number, only = false): string {
  const { random } = around
  const terms = Array.from({ length: 1 + random.below(2) }, () => {
    const term = random.weighted<string>([
      [3, () => `${1 + random.below(positions)}`],
      [only ? 0 : 3, () => expression(around, someType(around), { ...scope, depth: 0 })],
      [only ? 0 : 2, () => expression(around, someType(around), { ...scope, depth: 1 })],
    ])
    // A constant that is no position cannot be sorted by.
    const safe = /^('|array|date|timestamp|true|false|-|\d[\d.]+$|0)/.test(term)
      ? `(${term} is null)`
      : term
    return `${safe}${random.pick(['', ' desc', ' nulls first', ' using >'])}`
  })
  return ` order by ${terms.join(', ')}`
}

function limit({ random }: FromAround): string {
  if (!random.chance(0.15)) return ''
  return random.pick([
    ' limit 1',
    ' limit 2',
    ' offset 1',
    ' limit 2 offset 1',
    ' fetch first 2 rows only',
  ])
}

function overWindow(around: FromAround, type: 'num' | 'text', scope: Scope): string {
  const { random } = around
  const flat = { ...scope, depth: 0 }
  const of = (one: Type): string => expression(around, one, flat)
  const call =
    type === 'num'
      ? random.pick([
          'row_number()',
          'rank()',
          `sum(${of('num')})`,
          'count(*)',
          'ntile(2)',
          `lag(${of('num')})`,
        ])
      : random.pick([
          `first_value(${of('text')})`,
          `lag(${of('text')})`,
          `max(${of('text')})`,
          `string_agg(${of('text')}, ',')`,
        ])
  const partition = random.chance(0.5) ? `partition by ${of(someType(around))} ` : ''
  const sorted = random.chance(0.7) ? `order by ${of(someType(around))}` : ''
  const filtered =
    /^(sum|count|max|string_agg)/.test(call) && random.chance(0.2)
      ? ` filter (where ${of('bool')})`
      : ''
  return `${call}${filtered} over (${partition}${sorted})`
}

const aggregates: Readonly<Record<Type, readonly string[]>> = {
  num: [
    'count(*)',
    'count(N)',
    'count(distinct T)',
    'sum(N)',
    'avg(N)',
    'max(N)',
    'min(length(T))',
    'count(T)',
  ],
  text: [
    "string_agg(T, ',')",
    'max(T)',
    'min(T)',
    "string_agg(T, ',' order by O)",
    'concat_all(T)',
    'array_agg(T)::text',
    'mode() within group (order by T)',
  ],
  bool: ['bool_or(B)', 'every(B)'],
  time: ['max(D)', 'min(D)'],
  json: ['jsonb_agg(T)', "jsonb_object_agg(coalesce(T, ''), N)", 'jsonb_agg(J)'],
  array: ['array_agg(T)', 'array_agg(distinct T)', 'array_agg(T order by O)'],
  row: ['count(*)'],
}

function aggregated(around: FromAround, types: readonly Type[], scope: Scope): string {
  const { random } = around
  const from = fromList(around, scope)
  const inside: Scope = {
    ...scope,
    sources: [...scope.sources, ...from.sources],
    depth: Math.min(scope.depth, 1),
  }
  const flat = { ...inside, depth: 0 }
  const groups: string[] = []
  const targets = types.map((type) => {
    if (random.chance(0.3)) {
      const key = expression(around, type, flat)
      if (!/^('|array|date|timestamp|[-\d]|true|false|row)/.test(key)) {
        groups.push(key)
        return key
      }
    }
    const filled = random
      .pick(aggregates[type])
      .replace(/\b[NTBDJO]\b/g, (letter) => expression(around, letters[letter] ?? 'text', inside))
    return random.chance(0.15) && !filled.includes('over')
      ? `${filled} filter (where ${expression(around, 'bool', inside)})`.replace(
          /(::text) (filter.*)$/,
          ' $2$1',
        )
      : filled
  })
  if (random.chance(0.2)) {
    const key = expression(around, someType(around), flat)
    if (/^\(?t\d+\)?\.\w+$/.test(key)) groups.push(key)
  }
  const by = groups.length === 0 ? '' : ` group by ${grouping(around, groups)}`
  const having = random.chance(0.15) ? ` having count(*) > ${random.below(2)}` : ''
  const guarded = random.chance(0.08)
    ? ` having max(${expression(around, 'text', flat)}) > 'a'`
    : having
  return `select ${targets.join(', ')} from ${from.text}${filter(around, inside)}${by}${guarded}`
}

const letters: Readonly<Record<string, Type>> = {
  N: 'num',
  T: 'text',
  B: 'bool',
  D: 'time',
  J: 'json',
  O: 'text',
}

function grouping({ random }: FromAround, groups: readonly string[]): string {
  const keys = groups.join(', ')
  return random.pick([keys, keys, keys, `rollup (${keys})`, `grouping sets ((${keys}), ())`])
}

function combined(around: FromAround, types: readonly Type[], scope: Scope): string {
  const { random } = around
  const word = random.pick(['union', 'union all', 'union all', 'intersect', 'except', 'except all'])
  const one = `(${query(around, types, scope)})`
  const other = `(${query(around, types, scope)})`
  const sorted = random.chance(0.3) ? ` order by ${1 + random.below(types.length)}` : ''
  return `${one} ${word} ${other}${sorted}${limit(around)}`
}

function withClause(around: FromAround, types: readonly Type[], scope: Scope): string {
  const { random } = around
  const clauses: string[] = []
  let ctes: readonly Source[] = scope.ctes
  const recursive = random.chance(0.25)
  for (let left = 1 + random.below(2); left > 0; left -= 1) {
    const made =
      recursive && clauses.length === 0
        ? recursion(around, scope)
        : named(around, { ...scope, ctes })
    clauses.push(made.text)
    ctes = [...ctes, made.source]
  }
  const main = query(around, types, { ...scope, ctes })
  return `with ${recursive ? 'recursive ' : ''}${clauses.join(', ')} ${main}`
}

function columnsFor(types: readonly Type[], prefix: string): readonly Column[] {
  return types.map((type, index) => ({ name: `${prefix}${index}`, type }))
}

type Named = { readonly text: string; readonly source: Source }

function named(around: FromAround, scope: Scope): Named {
  const { random } = around
  const types = Array.from({ length: 1 + random.below(3) }, () => someType(around))
  const columns = columnsFor(types, 'c')
  // A name that hides a table, now and then.
  const alias = random.chance(0.05) ? 'notes' : around.fresh()
  const names = columns.map((one) => one.name).join(', ')
  const how = random.pick(['', '', 'materialized ', 'not materialized '])
  const text = `${alias}(${names}) as ${how}(${query(around, types, { ...scope, sources: [] })})`
  return { text, source: { alias, columns } }
}

function recursion(around: FromAround, scope: Scope): Named {
  const alias = around.fresh()
  const columns = columnsFor(['num', 'text'], 'r')
  const inner = { ...scope, sources: [], depth: 0 }
  const start = query(around, ['text'], inner)
  const step = expression(around, 'text', {
    ...scope,
    depth: 1,
    sources: [{ alias: 'w', columns }],
  })
  const text = `${alias}(r0, r1) as (select 1, s.t::text from (${start}) as s(t) union all select w.r0 + 1, ${step} from ${alias} as w where w.r0 < 3)`
  return { text, source: { alias, columns } }
}

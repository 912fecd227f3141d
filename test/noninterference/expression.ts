/** Random expressions of a wanted type. */
import type { Random } from './random.ts'
import type { Column, Type } from './relations.ts'

/** Something in FROM, under its alias. */
export type Source = {
  readonly alias: string
  readonly columns: readonly Column[]
}

/** What can be named at one place. */
export type Scope = {
  readonly sources: readonly Source[]
  /** How much deeper it may get. */
  readonly depth: number
  readonly ctes: readonly Source[]
}

/** What an expression needs of the rest of the generator. */
export type Around = {
  readonly random: Random
  /** A query with output columns of these types, in brackets. */
  subquery(types: readonly Type[], scope: Scope, limit?: string): string
}

/** The scope one level down. */
export const deeper = (scope: Scope): Scope => ({ ...scope, depth: scope.depth - 1 })

const constants: Readonly<Record<Type, readonly string[]>> = {
  num: ['0', '1', '2', '3', '10', '42', '-5', '100.5', '90000', '120000'],
  text: [
    "'a'",
    "'US'",
    "'%a%'",
    "'alice@example.com'",
    "'Alice Adams'",
    "'1'",
    "''",
    "'pro'",
    "'123-45-6789'",
    "'4%'",
    "'e'",
  ],
  bool: ['true', 'false'],
  time: ["date '2026-02-01'", "timestamptz '2026-01-01'", "date '2025-01-01'"],
  json: [`'{"lang":"en"}'::jsonb`, `'[1,2]'::jsonb`],
  array: ["'{a,b}'::text[]", "array['a','z']"],
  row: ["row(1,'a')"],
}

export const allTypes: readonly Type[] = ['num', 'text', 'bool', 'time', 'json', 'array']

/** Mostly text and numbers: that is what is protected. */
export const someType = ({ random }: Around): Type =>
  random.pick([
    'text',
    'text',
    'text',
    'text',
    'num',
    'num',
    'num',
    'bool',
    'json',
    'array',
    'time',
  ])

/** An expression of this type. */
export function expression(around: Around, type: Type, scope: Scope): string {
  const { random } = around
  const own = columnsOf(scope, type)
  const stop = scope.depth <= 0 || random.chance(0.45)
  if (own.length > 0 && (stop || random.chance(0.25))) return random.pick(own)
  if (stop && type === 'bool' && random.chance(0.8)) return simple(around, scope)
  if (stop) return random.chance(0.3) ? whole(around, scope, type) : random.pick(constants[type])
  const inner = deeper(scope)
  const of = (one: Type): string => expression(around, one, inner)
  if (random.chance(0.07)) return around.subquery([type], inner, random.pick(['limit 1', '']))
  if (random.chance(0.08)) return `case when ${of('bool')} then ${of(type)} else ${of(type)} end`
  if (random.chance(0.03))
    return `case ${of('text')} when ${of('text')} then ${of(type)} else ${of(type)} end`
  if (random.chance(0.05)) return `coalesce(${of(type)}, ${of(type)})`
  if (random.chance(0.03)) return `nullif(${of(type)}, ${of(type)})`
  return makers[type](around, inner, of)
}

/** One column and a constant, or two columns. */
function simple(around: Around, scope: Scope): string {
  const { random } = around
  const type = random.pick<'text' | 'num'>(['text', 'text', 'num'])
  const of = (): string => expression(around, type, { ...scope, depth: 0 })
  if (random.chance(0.08)) return `(${of()} is ${random.pick(['null', 'not null'])})`
  if (type === 'text' && random.chance(0.3)) return `(${of()} like ${random.pick(patterns)})`
  const other = random.chance(0.7) ? random.pick(borders[type]) : of()
  return `(${of()} ${random.pick(['<', '>', ...comparisons])} ${other})`
}

/** Between the values there are, so that what is protected falls on different sides of them. */
const borders: Readonly<Record<'text' | 'num', readonly string[]>> = {
  text: ["'b'", "'c'", "'m'", "'q'", "'s'", "'2'", "'5'", "'8'", "'+4'", "'alice@example.com'"],
  num: ['1', '2', '50000', '100000', '115000', '150000', '200000'],
}
const patterns = ["'a%'", "'q%'", "'%example%'", "'4%'", "'%5'", "'s%'", "'%1%'"]

function columnsOf(scope: Scope, type: Type): readonly string[] {
  return scope.sources.flatMap((source) =>
    source.columns
      .filter((one) => one.type === type)
      .flatMap((one) => {
        const full = `${source.alias}.${one.name}`
        const attribute = `(${source.alias}).${one.name}`
        return [full, full, full, full, full, attribute]
      }),
  )
}

/** A row as a whole, or what is made of one. */
function whole({ random }: Around, scope: Scope, type: Type): string {
  if (scope.sources.length === 0) return random.pick(constants[type])
  const { alias } = random.pick(scope.sources)
  switch (type) {
    case 'text':
      return random.pick([
        `${alias}::text`,
        `row_to_json(${alias})::text`,
        `to_jsonb(${alias}) ->> 'email'`,
        `(row(${alias}.*))::text`,
        `format('%s', ${alias})`,
        `concat(${alias}.*)`,
        `xmlelement(name x, ${alias}::text)::text`,
      ])
    case 'json':
      return random.pick([
        `to_jsonb(${alias})`,
        `to_jsonb(${alias}) - 'ssn'`,
        `to_jsonb(${alias}.*)`,
        `jsonb_build_array(${alias})`,
      ])
    case 'num':
      return random.pick([
        `length(${alias}::text)`,
        `hashtext(${alias}::text)`,
        `pg_column_size(${alias})`,
      ])
    case 'bool':
      return random.pick([
        `${alias} is not null`,
        `${alias} = ${alias}`,
        `${alias}::text like '%@%'`,
      ])
    case 'array':
      return `array[${alias}::text]`
    default:
      return random.pick(constants[type])
  }
}

type Of = (type: Type) => string
type Maker = (around: Around, scope: Scope, of: Of) => string

const comparisons = ['=', '<>', '<', '>', '<=', '>=', 'is distinct from', 'is not distinct from']

const makers: Readonly<Record<Type, Maker>> = {
  text: ({ random }, _, of) =>
    random.weighted<string>([
      [
        3,
        () =>
          `${random.pick(['upper', 'lower', 'reverse', 'initcap', 'md5', 'btrim', 'quote_literal'])}(${of('text')})`,
      ],
      [2, () => `(${of('text')} || ${of('text')})`],
      [2, () => `${random.pick(['left', 'right', 'repeat'])}(${of('text')}, ${random.below(4)})`],
      [1, () => `substr(${of('text')}, ${random.below(3)}, 3)`],
      [1, () => `substring(${of('text')} from ${random.pick(["'[0-9]+'", "'@(.*)'", '2'])})`],
      [1, () => `replace(${of('text')}, ${of('text')}, 'x')`],
      [1, () => `translate(${of('text')}, '0123456789', 'abcdefghij')`],
      [1, () => `split_part(${of('text')}, '@', ${1 + random.below(2)})`],
      [1, () => `concat_ws('-', ${of('text')}, ${of('num')}, ${of('time')})`],
      [1, () => `format('%s/%s', ${of('text')}, ${of('num')})`],
      [2, () => `(${of(random.pick(['num', 'bool', 'time', 'json', 'array']))})::text`],
      [1, () => `(${of('json')} ->> ${random.pick(["'lang'", "'email'", "'name'", '0'])})`],
      [1, () => `array_to_string(${of('array')}, ',')`],
      [1, () => `(${of('array')})[1]`],
      [1, () => `${random.pick(['greatest', 'least'])}(${of('text')}, ${of('text')})`],
      [1, () => `encode(convert_to(${of('text')}, 'UTF8'), 'hex')`],
      [1, () => `xmlforest(${of('text')} as a, ${of('num')} as b)::text`],
      [1, () => `cast(${of('text')} as varchar(3))`],
      [
        0.4,
        () =>
          `${random.pick(['get_email', 'get_name', 'std_body', 'get_email_pl'])}(${of('num')}::bigint)`,
      ],
    ]),
  num: ({ random }, _, of) =>
    random.weighted<string>([
      [3, () => `(${of('num')} ${random.pick(['+', '-', '*'])} ${of('num')})`],
      [3, () => `length(${of('text')})`],
      [1, () => `position(${of('text')} in ${of('text')})`],
      [1, () => `ascii(${of('text')})`],
      [1, () => `abs(${of('num')})`],
      [1, () => `round(${of('num')}, 1)`],
      [1, () => `cardinality(${of('array')})`],
      [1, () => `extract(epoch from ${of('time')})`],
      [1, () => `(${of('num')} / nullif(${of('num')}, 0))`],
      [1, () => `right(${of('text')}, 1)::int`],
      [1, () => `(${of('bool')})::int`],
      [1, () => `pure_add(1, (${of('num')})::int)`],
      [1, () => `hashtext(${of('text')})`],
      [1, () => `width_bucket(${of('num')}, 0, 200000, 5)`],
    ]),
  bool: (around, scope, of) => {
    const { random } = around
    return random.weighted<string>([
      [5, () => `(${of('num')} ${random.pick(comparisons)} ${of('num')})`],
      [5, () => `(${of('text')} ${random.pick(comparisons)} ${of('text')})`],
      [
        2,
        () =>
          `(${of('text')} ${random.pick(['like', 'ilike', '~', 'not like', '!~~', '~*'])} ${random.pick(["'%a%'", "'4.*'", of('text')])})`,
      ],
      [2, () => `(${of(someType(around))} is ${random.pick(['null', 'not null'])})`],
      [2, () => `(${of('bool')} ${random.pick(['and', 'or'])} ${of('bool')})`],
      [1, () => `(not ${of('bool')})`],
      [1, () => `(${of('text')} in (${of('text')}, ${of('text')}))`],
      [1, () => `(${of('num')} between ${of('num')} and ${of('num')})`],
      [2, () => `(${of('text')} in ${around.subquery(['text'], scope)})`],
      [
        1,
        () => `(${of('num')} > ${random.pick(['all', 'any'])} ${around.subquery(['num'], scope)})`,
      ],
      [2, () => `exists ${around.subquery([someType(around)], scope)}`],
      [1, () => `(${of('text')} = any(${of('array')}))`],
      [1, () => `((${of('text')}, ${of('num')}) = (${of('text')}, ${of('num')}))`],
      [1, () => `starts_with(${of('text')}, ${of('text')})`],
      [1, () => `(${of('json')} @> ${of('json')})`],
      [1, () => `(${of('json')} ? 'email')`],
      [0.3, () => `leak(${of('text')})`],
      [0.3, () => `(${of('text')} === ${of('text')})`],
    ])
  },
  time: ({ random }, _, of) =>
    random.pick([
      `(date '2026-01-01' + (${of('num')})::int)`,
      `date_trunc('month', ${of('time')})`,
      `greatest(${of('time')}, ${of('time')})`,
    ]),
  json: ({ random }, _, of) =>
    random.weighted<string>([
      [2, () => `jsonb_build_object('k', ${of('text')}, 'n', ${of('num')})`],
      [1, () => `jsonb_build_array(${of('text')}, ${of('bool')})`],
      [2, () => `to_jsonb(${of(random.pick(['text', 'num', 'array']))})`],
      [1, () => `(${of('json')} || ${of('json')})`],
      [1, () => `jsonb_set(${of('json')}, '{z}', to_jsonb(${of('text')}))`],
      [1, () => `jsonb_object(array['k', ${of('text')}])`],
    ]),
  array: ({ random }, _, of) =>
    random.weighted<string>([
      [2, () => `array[${of('text')}, ${of('text')}]`],
      [1, () => `string_to_array(${of('text')}, '@')`],
      [1, () => `regexp_split_to_array(${of('text')}, '[.]')`],
      [1, () => `array_append(${of('array')}, ${of('text')})`],
      [1, () => `(${of('array')} || ${of('array')})`],
    ]),
  row: ({ random }) => random.pick(constants.row),
}

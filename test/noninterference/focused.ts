/** Small statements in which one thing only decides about the answer: what large ones hide behind each other. */
import { type Around, expression, type Source } from './expression.ts'
import type { FromAround } from './from.ts'
import type { Relation, Type } from './relations.ts'

/** One table, one shape. */
export function focused(around: FromAround): string {
  const { random } = around
  const one = named(around, some(around))
  const { table, shown, key, test } = one
  const other = named(around, some(around))
  return random.weighted<string>([
    [2, () => `select ${shown} from ${table} where ${test}`],
    [1, () => `select ${shown} from ${table} order by ${key} limit 2`],
    [1, () => `select ${shown} from ${table} order by ${key} desc`],
    [1, () => `select ${shown}, ${key} from ${table} order by 2`],
    [1, () => `select count(*) from ${table} group by ${key}`],
    [1, () => `select ${key}, count(*) from ${table} group by 1`],
    [2, () => `select distinct ${key} from ${table}`],
    [1, () => `select distinct on (${key}) ${shown} from ${table}`],
    [1, () => `select ${key} from ${table} union select ${other.key} from ${other.table}`],
    [
      1,
      () =>
        `select ${key}::text from ${table} except select ${other.key}::text from ${other.table}`,
    ],
    [1, () => `select ${shown}, row_number() over (order by ${key}) from ${table}`],
    [1, () => `select ${shown}, count(*) over (partition by ${key}) from ${table}`],
    [2, () => `select count(*) filter (where ${test}) from ${table}`],
    [2, () => `select case when ${test} then 1 else 2 end from ${table}`],
    [1, () => `select max(${shown}::text) from ${table} having max(${key}::text) > 'b'`],
    [
      3,
      () =>
        `select ${shown} from ${table} join ${other.table} on ${one.text} ${random.pick(['=', '<', '<>'])} ${other.text}`,
    ],
    [
      1,
      () => `select x || 'y' from (select ${one.text} from ${table} union all select 'a') as u(x)`,
    ],
    [1, () => `with w(x) as (select ${one.text} from ${table}) select lower(x) from w`],
    [1, () => `select (select upper(${one.text}) from ${table} order by 1 limit 1)`],
    [1, () => `select array_agg(${key}) from ${table}`],
    [4, () => together(around)],
    [
      1,
      () =>
        `with w as (select * from ${table}) select count(*) from w as ${one.alias} where ${test}`,
    ],
    [
      1,
      () =>
        `with recursive w(n, t) as (select 1, ${one.text} from ${table} union all select n + 1, t from w where n < 2) select upper(t) from w`,
    ],
    [1, () => `select (select ${key} from ${table} order by 1 limit 1)`],
    [1, () => `select ${shown} from ${table}, lateral (select 1 where ${test}) as l(x)`],
    [1, () => `select f from ${table}, lateral (select upper(${one.text})) as l(f)`],
    [1, () => `select count(*) from ${table}, generate_series(1, length(${one.text})) as g(n)`],
    [1, () => `select lag(${key}) over (order by 1) from ${table}`],
    [1, () => `select string_agg(${one.text}, ',') from ${table}`],
    [1, () => `select ${one.alias}::text from ${table}`],
    [
      1,
      () =>
        `select (${one.text})::${random.pick(['int', 'date', 'jsonb', 'numeric', 'boolean'])} from ${table}`,
    ],
    [1, () => `select ${shown} from ${table} where ${one.text}::int > 1`],
    [1, () => `select ${shown}, sum(1) over (order by ${key} ${frame(around)}) from ${table}`],
    [1, () => `select first_value(${one.text}) over (order by 1 ${frame(around)}) from ${table}`],
    [1, () => `select count(*), grouping(${one.text}) from ${table} group by cube (${one.text})`],
    [
      1,
      () =>
        `select xmlagg(xmlelement(name x, xmlattributes(${one.text} as a), ${key})) from ${table}`,
    ],
    [
      1,
      () =>
        `select xmlserialize(content xmlconcat(xmlelement(name a, ${one.text})) as text) from ${table}`,
    ],
    [
      1,
      () =>
        `select x.* from ${table}, xmltable('/r' passing xmlelement(name r, xmlelement(name v, ${one.text})) columns v text path 'v') as x`,
    ],
    [
      1,
      () =>
        `select jsonb_path_query_first(to_jsonb(${one.alias}), '$.${random.pick(['email', 'name', 'value'])}') from ${table}`,
    ],
    [
      1,
      () =>
        `select j.value from ${table}, jsonb_each(to_jsonb(${one.alias})) as j where j.key <> 'id'`,
    ],
    [1, () => `select json_object_agg(${one.text}, 1) from ${table} where ${one.text} is not null`],
    [
      1,
      () =>
        `select json_build_object('k', ${one.text})::text, jsonb_agg(${key}) over () from ${table}`,
    ],
    [
      1,
      () =>
        `with recursive w(n, t) as (select 1, ${one.text} from ${table} union all select n + 1, t from w where n < 2) ${random.pick(['search depth first by t set o', 'search breadth first by t, n set o', 'cycle t set o using p'])} select n${random.pick(['', ', t'])} from w order by o`,
    ],
    [
      0.5,
      () =>
        random.pick([
          'select * from export_all()',
          'select name from first_row()',
          'select (first_row()).email',
          "select upper(email) from find_customers('%')",
          'select customer_label(c) from customers as c',
          `select run_sql('select email from customers')`,
        ]),
    ],
  ])
}

/** The same for what is written: only counts and RETURNING show. */
export function focusedWrite(around: FromAround): string {
  const { random } = around
  const { alias, table, text, key, test } = named(around, some(around))
  const id = around.fresh()
  return random.pick([
    `insert into notes(id, body) select 100 + row_number() over (), ${text} from ${table} returning body`,
    `insert into notes(id, body) select 100 + count(*), 'x' from ${table} where ${test} returning id`,
    `insert into kv(k, v) select distinct left(${text}, 1), 'x' from ${table} where ${text} is not null on conflict do nothing`,
    `insert into inbox(id, body) values (${random.pick([1, 2, 90])}, 'x') returning *`,
    `insert into inbox(id, body) values (1, 'x') on conflict (id) do update set body = excluded.name returning body`,
    `insert into inbox(id, body) select ${alias}.id, 'b' from ${table} returning name`,
    `update inbox set body = 'y' where name > 'b' returning name`,
    `insert into secrets(id, name) values (1, 'n') on conflict (id) do update set name = secrets.value returning name`,
    `update ${table} set name = name where ${test}`,
    `update kv set v = ${text} from ${table} where k = 'a' returning v`,
    `update ${table} set name = name returning upper(${text}), ${alias}::text`,
    `delete from ${table} where ${test} returning 1`,
    `delete from kv using ${table} where ${test}`,
    `merge into notes as ${id} using (select ${key} as k from ${table} where ${test}) as s on true when matched then update set body = 'x'`,
    `merge into notes as ${id} using (select 1) as s(x) on exists (select 1 from ${table} where ${test}) when matched then delete`,
    `merge into wages as ${id} using employees as e on e.id = ${id}.id and e.salary = ${id}.salary when matched then update set name = 'x'`,
  ])
}

type Named = {
  readonly alias: string
  readonly table: string
  /** A column, unchanged. */
  readonly shown: string
  /** A text column, unchanged. */
  readonly text: string
  /** Something of a column that many rows share. */
  readonly key: string
  /** A condition on a column. */
  readonly test: string
}

/** A relation with text, mostly one that shows something protected. */
export function some({ random, relations }: FromAround): Relation {
  const usable = relations.filter((one) => one.columns.some(({ type }) => type === 'text'))
  const liked = usable.filter((one) =>
    /^(customers|crm\.l|employees|secrets|wages|v_|mv_)/.test(one.name),
  )
  return random.chance(0.8) ? random.pick(liked) : random.pick(usable)
}

/** A relation and parts of statements over it. */
export function named(around: FromAround, relation: Relation): Named {
  const { random } = around
  const alias = around.fresh()
  const of = (...types: readonly Type[]): string => {
    const fitting = relation.columns.filter((one) => types.includes(one.type))
    const telling = fitting.filter((one) => tells.test(one.name))
    const list = telling.length > 0 && random.chance(0.7) ? telling : fitting
    return `${alias}.${random.pick(list).name}`
  }
  const text = of('text')
  return {
    alias,
    table: `${relation.name} as ${alias}`,
    shown: harmless(around, relation, alias),
    text,
    key: random.pick([
      of('text', 'num'),
      text,
      `left(${text}, 2)`,
      `length(${text})`,
      `reverse(${text})`,
    ]),
    test: condition(around, { alias, columns: worthwhile(around, relation) }),
  }
}

/** What is protected, or made of it. */
const tells =
  /^(email|email_domain|ssn|card_number|phone|value|salary|yearly|contact|address|label|txt)$/

/** What stays readable, so that the order and the number of rows show. */
function harmless({ random }: FromAround, relation: Relation, alias: string): string {
  const plain = relation.columns.filter((one) => !tells.test(one.name))
  const list = plain.length > 0 && random.chance(0.8) ? plain : relation.columns
  return `${alias}.${random.pick(list).name}`
}

function worthwhile({ random }: FromAround, relation: Relation): Relation['columns'] {
  const telling = relation.columns.filter((one) => tells.test(one.name))
  return telling.length > 0 && random.chance(0.7) ? telling : relation.columns
}

function condition(around: Around, source: Source): string {
  return expression(around, 'bool', { sources: [source], ctes: [], depth: 0 })
}

function frame({ random }: Around): string {
  return random.pick([
    'rows between 1 preceding and current row',
    'rows between unbounded preceding and 1 following',
    'groups between 1 preceding and 1 following exclude ties',
    'range between unbounded preceding and current row exclude current row',
  ])
}

/** Two relations that share names of columns. */
function together(around: FromAround): string {
  const { random, relations } = around
  const word = random.pick(['join', 'left join'])
  const pairs = shared(relations)
  const close = pairs.filter(([left, right]) => /wages|letters/.test(left + right))
  const [left, right, column] = random.pick(random.chance(0.5) ? close : pairs)
  const [one, other] = [around.fresh(), around.fresh()]
  const shown = random.pick(['count(*)', `${one}.${column}`, '*', `upper(${one}.${column}::text)`])
  return random.chance(0.5)
    ? `select ${shown} from ${left} as ${one} natural ${word} ${right} as ${other}`
    : `select ${shown} from ${left} as ${one} ${word} ${right} as ${other} using (${column})`
}

type Shared = readonly [left: string, right: string, column: string]

function shared(relations: readonly Relation[]): readonly Shared[] {
  return relations.flatMap((left) =>
    relations.flatMap((right) => {
      if (left === right) return []
      return left.columns
        .filter((one) => /^(email|salary|value|ssn|phone)$/.test(one.name))
        .filter((one) =>
          right.columns.some((own) => own.name === one.name && own.type === one.type),
        )
        .map((one): Shared => [left.name, right.name, one.name])
    }),
  )
}

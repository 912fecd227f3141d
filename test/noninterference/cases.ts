/** What is said in more than one way, or in more than one text. */
import type { Mode } from './client.ts'
import { expression, someType } from './expression.ts'
import { named, some } from './focused.ts'
import type { FromAround } from './from.ts'

/** What is said one after the other, in one transaction where it `writes`. */
export type Case = {
  readonly texts: readonly string[]
  readonly mode: Mode
  readonly writes: boolean
  /** For COPY FROM STDIN. */
  readonly data?: string
  /** Bound to $1, $2 and so on of each text; never in mode `simple`. */
  readonly parameters?: readonly string[]
}

const inTransaction = (...texts: readonly string[]): Case => ({
  texts,
  mode: 'simple',
  writes: true,
})

/** A cursor from its declaration to its end. */
export function cursor({ random }: FromAround, text: string): Case {
  const fetch = random.pick(['fetch 2 from c', 'fetch all from c', 'fetch absolute 2 from c'])
  const scroll = random.pick(['', 'scroll '])
  const last = random.pick(['move 1 in c', fetch, 'fetch backward all from c', 'move all in c'])
  return inTransaction(`declare c ${scroll}cursor for ${text}`, fetch, last, 'close c')
}

/** A prepared statement, executed twice. */
export function prepared({ random }: FromAround, text: string, mode: Mode): Case {
  const execute = random.pick([
    'execute p',
    'execute p',
    'execute p',
    'explain (costs off) execute p',
  ])
  return {
    texts: [`prepare p as ${text}`, 'execute p', execute, 'deallocate p'],
    mode,
    writes: false,
  }
}

const values: Readonly<Record<'text' | 'num', readonly string[]>> = {
  text: ['alice@example.com', 'a', '5', 'q', 'Alice Adams', 'US', '%a%', '123-45-6789'],
  num: ['1', '2', '90', '120000', '100000', '0'],
}

/** Small statements with parameters, over the extended protocol or by EXECUTE. */
export function parametrised(around: FromAround): Case {
  const { random } = around
  const { table, shown, text, key } = named(around, some(around))
  const operator = random.pick(['=', '<', '>=', '<>', 'like'])
  const [made, first, second] = random.pick<readonly [string, 'text' | 'num', 'text' | 'num']>([
    [`select ${shown} from ${table} where ${text} ${operator} $1`, 'text', 'num'],
    [`select ${shown}, $1::text || ${text} from ${table}`, 'text', 'num'],
    [
      `select count(*) from ${table} where ${text} in ($1, 'x') or length(${text}) > $2::int`,
      'text',
      'num',
    ],
    [`select coalesce($1::text, ${text}), ${key} from ${table} order by 1`, 'text', 'num'],
    [`select ${text} from ${table} limit $1::int`, 'num', 'num'],
    [`select case when $1::text > ${text} then 1 end from ${table}`, 'text', 'num'],
    [`update ${table} set name = $1 where ${text} < $2::text`, 'text', 'text'],
    [
      `insert into notes(id, body) select 100 + $2::int, $1::text || max(${text}) from ${table} returning body`,
      'text',
      'num',
    ],
    ['insert into inbox(id, body) values ($2::int, $1::text) returning *', 'text', 'num'],
    ['select id, note, twice from v_cases where owner = $1 or id = $2::int', 'text', 'num'],
  ])
  const given = [
    random.pick(values[first]),
    ...(made.includes('$2') ? [random.pick(values[second])] : []),
  ]
  const writes = !made.startsWith('select')
  if (random.chance(0.7))
    return { texts: [made], mode: random.pick(['text', 'binary']), writes, parameters: given }
  const list = given.map((one) => `'${one}'`).join(', ')
  return {
    texts: [`prepare p as ${made}`, `execute p(${list})`, 'deallocate p'],
    mode: 'simple',
    writes,
  }
}

/** Errors inside of savepoints, and what comes after them. */
export function savepoints({ random }: FromAround, first: string, second: string): Case {
  const end = random.pick(['rollback to s', 'rollback to s', 'release s'])
  return random.chance(0.3)
    ? inTransaction('savepoint s', 'select 1/0', 'rollback to s', second)
    : inTransaction('savepoint s', first, end, second)
}

/** COPY of a query or of a table, in every format. */
export function copyTo({ random }: FromAround, what: string): string {
  const options = [
    '',
    ' (format csv)',
    ' (format csv, header)',
    ' (format binary)',
    " (format csv, force_quote *, null 'N')",
    " (delimiter '|')",
  ]
  return `copy ${what} to stdout${random.pick(options)}`
}

/** Rows that are already there, whose values are there under another key, or whose values are masks that were shown. */
export function copyFrom({ random }: FromAround): Case {
  const id = random.pick(['1', '500'])
  const email = random.pick(['alice@example.com', 'none@example.com', ...masks])
  const value = random.pick(['v', ...masks])
  const [text, data] = random.pick([
    ['copy customers(id, name, email) from stdin', `${id}\tx\t${email}\n`],
    ['copy customers(id, name, email) from stdin (format csv)', `${id},x,"${email}"\n`],
    ['copy secrets(id, name, value) from stdin', `${random.pick(['1', '9'])}\tn\t${value}\n`],
    ["copy secrets(id, value) from stdin (delimiter '|')", `9|v\n${id}|${value}\n`],
    ['copy notes(id, body) from stdin', `${id}\t${value}\n`],
    ['copy kv(k, v) from stdin', 'z\t1\n'],
    ['copy staging(id, name, email) from stdin', `5\tn\t${email}\n`],
    ['copy inbox(id, body) from stdin', '1\tb\n'],
    ['copy cases(id, owner, note) from stdin', '7\tme\tn\n'],
  ])
  const mode = random.pick<Mode>(['simple', 'simple', 'text'])
  return { texts: [`${text}`], mode, writes: true, data: `${data}` }
}

/** As the gate shows them. */
const masks = ['[redacted]', '\\N', '***']

/** The plan of a query, alone or with what happened. */
export function explained({ random }: FromAround, text: string): string {
  const options = random.pick([
    'costs off',
    'costs off',
    'costs off, verbose',
    'costs off, format json',
    'analyze, costs off, timing off, summary off',
    'analyze, costs off, timing off, summary off, buffers off, format yaml',
  ])
  return `explain (${options}) ${text}`
}

/** Rows that a filter hides from most of those who ask. */
export function filtered(around: FromAround): Case {
  const { random } = around
  const alias = around.fresh()
  const columns = [
    { name: 'id', type: 'num' as const },
    { name: 'owner', type: 'text' as const },
    { name: 'note', type: 'text' as const },
    { name: 'amount', type: 'num' as const },
  ]
  const scope = { sources: [{ alias, columns }], ctes: [], depth: random.below(2) }
  const from = random.pick([`cases as ${alias}`, `v_cases as ${alias}(id, owner, note, amount)`])
  const of = (type: 'num' | 'text' | 'bool'): string => expression(around, type, scope)
  const test = random.pick([
    of('bool'),
    `1 / ${alias}.amount > 0`,
    `'x' ~ ${alias}.note`,
    `${alias}.note::int > 0`,
  ])
  const read = (text: string): Case => ({
    texts: [text],
    mode: random.pick(['simple', 'binary']),
    writes: false,
  })
  const change = (text: string): Case => ({ ...read(text), writes: true })
  return random.weighted<Case>([
    [3, () => read(`select * from ${from} where ${test}`)],
    [
      2,
      () =>
        read(`select ${of('text')}, ${expression(around, someType(around), scope)} from ${from}`),
    ],
    [1, () => read(`select count(*), sum(${alias}.amount), max(${of('text')}) from ${from}`)],
    [1, () => read(`select ${alias}.id from ${from} order by ${of('text')} limit 2`)],
    [
      1,
      () => read(`select 1 from ${from} join cases as o on o.note > ${alias}.note where ${test}`),
    ],
    [1, () => read(`select exists (select 1 from ${from} where ${test})`)],
    [1, () => change(`update cases as ${alias} set note = note where ${test} returning *`)],
    [1, () => change(`delete from cases as ${alias} where ${test}`)],
    [
      1,
      () =>
        change(`update notes set body = ${alias}.note from ${from} where ${test} returning body`),
    ],
  ])
}

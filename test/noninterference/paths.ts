/** Bare names under one search path after another, and every way there and back. */
import type { Case } from './cases.ts'
import type { Mode } from './client.ts'
import { focused } from './focused.ts'
import type { FromAround } from './from.ts'

const paths = [
  'crm, public',
  'desk, public',
  'desk, public',
  'desk',
  'public, desk',
  'public',
  'desk, crm, public',
  '"$user", desk, public',
  'pg_catalog, desk, public',
  'desk, pg_catalog, public',
] as const

/** Schema desk has relations and functions of these names that show protected values, and a harmless customers. */
const reads = [
  'select id from notes order by body desc limit 2',
  'table notes',
  'copy notes to stdout',
  'copy (select upper(body) from notes) to stdout (format csv)',
  'explain (analyze, costs off, timing off, summary off, buffers off) select body from notes where id = 1',
  'select reverse(v) from kv',
  'select sum(salary) from wages',
  'select pure_add(id, 1) from employees',
  'select email from customers',
  'select id, address from lead_view',
] as const

/** What shows nothing but what is protected, where the names mean it. */
const telling = [
  "select count(*) from notes where body > 'c'",
  'select upper(body) from notes',
  "select k from kv where v > 'b'",
  'select name from wages where salary > 115000',
  "select upper(email) from customers where email > 'c'",
  "select count(*) from customers where email like '%a%'",
] as const

/** One session's way through several search paths, which ends where it began. */
export function path(around: FromAround): Case {
  const { random } = around
  const mode = random.pick<Mode>(['simple', 'simple', 'text', 'binary'])
  const texts = random.chance(0.6) ? turn(around) : walk(around)
  const said = mode === 'simple' && random.chance(0.15) ? [texts.join('; ')] : texts
  return {
    texts: [...said, 'rollback', 'reset search_path', 'deallocate all'],
    mode,
    writes: false,
  }
}

/** One way there and one way back. */
function turn(around: FromAround): string[] {
  const { random } = around
  const there = (): string => set(around)
  const away = 'set search_path to desk, public'
  const home = (): string =>
    random.pick(['reset search_path', 'set local search_path to public', `set schema 'public'`])
  return [
    ...random.pick([
      ['begin', there(), 'rollback'],
      ['begin', there(), 'commit'],
      ['begin', local(around), 'commit'],
      [there(), 'begin', local(around), 'commit'],
      ['begin', there(), 'savepoint s', there(), 'rollback to s'],
      ['begin', away, 'savepoint s', home(), 'rollback to s'],
      [away, 'begin', 'savepoint s', home(), 'rollback to s'],
      ['begin', 'savepoint s', there(), 'rollback to s'],
      ['begin', there(), 'savepoint s', there(), 'release s'],
      ['begin', 'savepoint s', there(), 'select 1/0', 'rollback to s'],
      [there(), 'begin', there(), 'select 1/0', 'commit'],
      [there(), 'reset search_path'],
      [there(), `prepare p as ${random.pick(telling)}`, there(), 'execute p'],
    ]),
    read(around),
    read(around),
  ]
}

/** Anything after anything. */
function walk(around: FromAround): string[] {
  const { random } = around
  const texts = [random.pick(['begin', 'begin', set(around)])]
  for (let left = 2 + random.below(4); left > 0; left -= 1)
    texts.push(random.chance(0.6) ? step(around) : read(around))
  return [...texts, read(around)]
}

function read(around: FromAround): string {
  const { random } = around
  return random.weighted<string>([
    [1, () => focused(around)],
    [4, () => random.pick(reads)],
    [6, () => random.pick(telling)],
  ])
}

function step(around: FromAround): string {
  const { random } = around
  return random.weighted<string>([
    [5, () => set(around)],
    [2, () => 'savepoint s'],
    [2, () => 'rollback to s'],
    [1, () => random.pick(['release s', 'savepoint r', 'rollback to savepoint r'])],
    [
      1,
      () => random.pick(['begin', 'commit', 'rollback', 'commit and chain', 'rollback and chain']),
    ],
    [1, () => random.pick(['select 1/0', 'select * from nowhere'])],
    [1, () => `prepare p as ${random.pick(telling)}`],
    [1, () => 'execute p'],
  ])
}

const local = ({ random }: FromAround): string =>
  random.pick([
    `set local search_path to ${random.pick(paths)}`,
    `select set_config('search_path', '${random.pick(paths)}', true)`,
  ])

function set({ random }: FromAround): string {
  const where = random.pick(paths)
  return random.pick([
    `set search_path to ${where}`,
    `set search_path = ${where}`,
    `set session search_path to ${where}`,
    `set local search_path to ${where}`,
    `set local search_path = ${where}`,
    `select set_config('search_path', '${where}', true)`,
    `select set_config('search_path', '${where}', false)`,
    `set schema '${random.pick(['desk', 'crm', 'public'])}'`,
    'reset search_path',
    'set search_path to default',
    'set local search_path to default',
  ])
}

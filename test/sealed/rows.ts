/** Random statements on a table of which only some rows may be seen and written. */
import { type Random, random } from '../noninterference/random.ts'

const columns = ['id', 'region', 'amount', 'note', 'open'] as const
type Column = (typeof columns)[number]

const constants: Readonly<Record<Column, readonly string[]>> = {
  id: ['1', '2', '3', '7', '20', '21', '22', 'null'],
  region: ["'eu'", "'us'", "'eu '", "'EU'", "'europe'", 'null', "'eu'::text", "''"],
  amount: ['1', '5', '5.004', '6.001', '100', '-3', 'null', "'7'", '12345.6'],
  note: ["'n'", "'m'", 'null'],
  open: ['true', 'false', 'null', "'t'"],
}

const computed: Readonly<Record<Column, readonly string[]>> = {
  id: ['id + 10', 'default'],
  region: ['region', 'orders.region', 'upper(region)', 'default', "case when open then 'eu' end"],
  amount: ['amount + 1', 'orders.amount', 'default', '10 / (amount - 1)'],
  note: ['note || region', 'orders.note'],
  open: ['not open', 'orders.open', 'amount > 5'],
}

/** Fails for some rows; beside another condition the server chooses which of them it works out first. */
const failing = '10 / (amount - 1) > 1'

const conditions = [
  "region = 'eu'",
  "region <> 'eu'",
  'amount > 4',
  'open',
  'note is null',
  'id < 4',
  "region in ('us', 'uk')",
  'exists (select 1 from orders o where o.id = orders.id + 1)',
]

/** What a seed makes, one after the other. */
export function statements(seed: number): () => string {
  const by = random(seed)
  return () =>
    by.weighted([
      [4, () => inserted(by)],
      [5, () => updated(by)],
      [2, () => `delete from orders${using(by)}${where(by)}${returning(by)}`],
      [2, () => `select ${by.pick(['*', 'count(*)', 'id, region'])} from orders${where(by)}`],
      [1, () => `with w as (${updated(by)}) select count(*) from orders`],
      [1, () => `insert into orders select id + 30, region, amount from orders${where(by)}`],
      [1, () => merged(by)],
    ])
}

function inserted(by: Random): string {
  const names = columns.filter((name) => name === 'id' || by.chance(0.7))
  const row = (): string => `(${names.map((name) => value(by, name, 0.1)).join(', ')})`
  const rows = Array.from({ length: 1 + by.below(2) }, row).join(', ')
  const conflict = by.chance(0.15) ? ' on conflict (id) do update set note = excluded.note' : ''
  const named = names.length === columns.length && by.chance(0.3) ? '' : ` (${names.join(', ')})`
  return `insert into orders${named} values ${rows}${conflict}${returning(by)}`
}

function updated(by: Random): string {
  const names = columns.filter((name) => name !== 'id' && by.chance(0.4))
  const set = names.length === 0 ? (['note'] as const) : names
  const list = set.map((name) => `${name} = ${value(by, name, 0.3)}`).join(', ')
  const beside = by.chance(0.2) ? ' from others' : ''
  return `update orders set ${list}${beside}${where(by, beside !== '')}${returning(by)}`
}

function merged(by: Random): string {
  const name = by.pick(columns)
  return `merge into orders using others on orders.id = others.other when matched then update set ${name} = ${value(by, name, 0)} when not matched then do nothing`
}

const using = (by: Random): string => (by.chance(0.2) ? ' using others' : '')

function where(by: Random, joined = false): string {
  const one = by.pick(conditions)
  const other = by.chance(0.3) ? ` ${by.pick(['and', 'or'])} ${by.pick(conditions)}` : ''
  if (joined) return ` where orders.id = others.other and (${one}${other})`
  if (by.chance(0.1)) return ` where ${failing}`
  return by.chance(0.2) ? '' : ` where ${one}${other}`
}

const returning = (by: Random): string => (by.chance(0.4) ? ' returning orders.*' : '')

const value = (by: Random, name: Column, share: number): string =>
  by.pick(by.chance(share) ? computed[name] : constants[name])

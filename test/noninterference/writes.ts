/** Random statements that write. */
import { expression, type Scope, someType } from './expression.ts'
import { type FromAround, fromList } from './from.ts'
import { query } from './query.ts'
import type { Column, Relation, Type } from './relations.ts'

/** One to write to, under an alias. */
type Target = { readonly relation: Relation; readonly alias: string }

const targets =
  /^(customers|customers_archive|crm\.leads|payments|secrets|employees|notes|staging|sessions|kv|crm\.contacts|wages|inbox|cases|crm\.letters|v_customers|v_safe)$/
/** Set by the server itself. */
const computed = new Set(['email_domain'])

/** Any statement that writes. */
export function write(around: FromAround, scope: Scope): string {
  const { random } = around
  const usable = around.relations.filter((one) => targets.test(one.name))
  const target = { relation: random.pick(usable), alias: around.fresh() }
  return random.weighted<string>([
    [3, () => insert(around, target, scope)],
    [3, () => update(around, target, scope)],
    [2, () => remove(around, target, scope)],
    [1, () => merge(around, target, scope)],
    [
      1,
      () =>
        `with w as (${update(around, target, scope).replace(/ returning .*$/s, '')} returning 1) select count(*) from w`,
    ],
  ])
}

const settable = (relation: Relation): readonly Column[] =>
  relation.columns.filter((one) => !computed.has(one.name) && one.type !== 'row')

function inside({ relation, alias }: Target, scope: Scope): Scope {
  return { ...scope, sources: [{ alias, columns: relation.columns }] }
}

function insert(around: FromAround, target: Target, scope: Scope): string {
  const { random } = around
  const { relation, alias } = target
  const columns = settable(relation).filter((_, index) => index < 2 || random.chance(0.4))
  const types = columns.map((one) => one.type)
  const source = random.chance(0.5)
    ? `values (${types.map((type) => constantOr(around, type, scope)).join(', ')})`
    : query(around, types, { ...scope, sources: [] })
  const names = columns.map((one) => one.name).join(', ')
  const conflict = random.weighted<string>([
    [4, () => ''],
    [1, () => ' on conflict do nothing'],
    [1, () => ' on conflict (id) do nothing'],
    [
      1,
      () =>
        ` on conflict (id) do update set ${assignment(around, target, { ...inside(target, scope), depth: 1 })}`,
    ],
    [relation.name === 'customers' ? 1 : 0, () => ' on conflict (email) do nothing'],
  ])
  return `insert into ${relation.name} as ${alias}(${names}) ${source}${conflict}${returning(around, target, scope)}`
}

function constantOr(around: FromAround, type: Type, scope: Scope): string {
  if (type === 'num' && around.random.chance(0.7)) return `${1 + around.random.below(400)}`
  return expression(around, type, { ...scope, sources: [], depth: Math.min(1, scope.depth) })
}

function assignment(around: FromAround, target: Target, scope: Scope): string {
  const column = around.random.pick(settable(target.relation))
  return `${column.name} = ${expression(around, column.type, scope)}`
}

function update(around: FromAround, target: Target, scope: Scope): string {
  const { random } = around
  const more = random.chance(0.3) ? fromList(around, { ...scope, depth: 0 }) : undefined
  const own = inside(target, scope)
  const all = {
    ...own,
    depth: Math.min(2, scope.depth),
    sources: [...own.sources, ...(more?.sources ?? [])],
  }
  const from = more === undefined ? '' : ` from ${more.text}`
  const where = random.chance(0.7) ? ` where ${expression(around, 'bool', all)}` : ''
  return `update ${target.relation.name} as ${target.alias} set ${assignment(around, target, all)}${from}${where}${returning(around, target, scope)}`
}

function remove(around: FromAround, target: Target, scope: Scope): string {
  const { random } = around
  const more = random.chance(0.3) ? fromList(around, { ...scope, depth: 0 }) : undefined
  const own = inside(target, scope)
  const all = {
    ...own,
    depth: Math.min(2, scope.depth),
    sources: [...own.sources, ...(more?.sources ?? [])],
  }
  const using = more === undefined ? '' : ` using ${more.text}`
  return `delete from ${target.relation.name} as ${target.alias}${using} where ${expression(around, 'bool', all)}${returning(around, target, scope)}`
}

function merge(around: FromAround, target: Target, scope: Scope): string {
  const { random } = around
  const source = around.fresh()
  const columns = [
    { name: 'm0', type: 'num' as const },
    { name: 'm1', type: 'text' as const },
  ]
  const using = query(around, ['num', 'text'], { ...scope, sources: [], depth: 1 })
  const own = inside(target, scope)
  const all = { ...own, depth: 1, sources: [...own.sources, { alias: source, columns }] }
  const key = settable(target.relation).find((one) => one.type === 'num')
  const on =
    key !== undefined && random.chance(0.7)
      ? `${target.alias}.${key.name} = ${source}.m0`
      : expression(around, 'bool', all)
  const first = settable(target.relation).slice(0, 2)
  const values = first.map((one) =>
    one.type === 'num'
      ? `${500 + random.below(400)}`
      : expression(around, one.type, { ...scope, sources: [{ alias: source, columns }], depth: 0 }),
  )
  const when = random.pick([
    `when matched then update set ${assignment(around, target, all)}`,
    'when matched then delete',
    'when matched then do nothing',
    `when not matched then insert (${first.map((one) => one.name).join(', ')}) values (${values.join(', ')})`,
  ])
  return `merge into ${target.relation.name} as ${target.alias} using (${using}) as ${source}(m0, m1) on ${on} ${when}`
}

function returning(around: FromAround, target: Target, scope: Scope): string {
  const { random } = around
  if (!random.chance(0.4)) return ''
  const own = { ...inside(target, scope), depth: 1 }
  return random.pick([
    ' returning *',
    ` returning ${target.alias}`,
    ` returning ${expression(around, someType(around), own)}, ${expression(around, 'text', own)}`,
  ])
}

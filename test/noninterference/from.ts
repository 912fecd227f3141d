/** Random items of FROM. */
import { type Around, expression, type Scope, type Source, someType } from './expression.ts'
import type { Column, Relation, Type } from './relations.ts'

/** What else an item of FROM is made with. */
export type FromAround = Around & {
  readonly relations: readonly Relation[]
  /** A name not used yet. */
  fresh(): string
}

/** Text of an item, and what it brings into scope. */
export type Item = { readonly text: string; readonly sources: readonly Source[] }

/** Names worth more than their share: what is protected, and what shows through something. */
const favourites =
  /^(customers|customers_archive|crm\.leads|employees|secrets|v_|mv_|crm\.lead_view|crm\.letters|wages)/

/** A FROM list of one to three items; later ones may look at earlier ones. */
export function fromList(around: FromAround, scope: Scope): Item {
  const { random } = around
  let list = item(around, scope)
  const more = random.weighted<number>([
    [7, () => 0],
    [3, () => 1],
    [1, () => 2],
  ])
  for (let left = more; left > 0; left -= 1) {
    list = random.chance(0.6) ? joined(around, list, scope) : comma(around, list, scope)
  }
  return list
}

function comma(around: FromAround, left: Item, scope: Scope): Item {
  const inside = { ...scope, sources: [...scope.sources, ...left.sources] }
  const right = around.random.chance(0.4) ? lateral(around, inside) : item(around, scope)
  return { text: `${left.text}, ${right.text}`, sources: [...left.sources, ...right.sources] }
}

function joined(around: FromAround, left: Item, scope: Scope): Item {
  const { random } = around
  const right = item(around, scope)
  const sources = [...left.sources, ...right.sources]
  const kind = random.pick(['join', 'left join', 'right join', 'full join', 'join', 'join'])
  const shared = common(left.sources, right.sources)
  // A comma binds looser than JOIN.
  const head = left.text.includes(',') ? undefined : left.text
  if (head === undefined) return { text: `${left.text}, ${right.text}`, sources }
  if (shared.length > 0 && random.chance(0.4)) {
    const column = random.pick(shared)
    const alias = random.chance(0.2) ? ` as ${around.fresh()}` : ''
    return { text: `${head} ${kind} ${right.text} using (${column})${alias}`, sources }
  }
  if (random.chance(0.06)) return { text: `${head} natural ${kind} ${right.text}`, sources }
  if (random.chance(0.1)) return { text: `${head} cross join ${right.text}`, sources }
  const on = condition(around, left.sources, right.sources, scope)
  return { text: `${head} ${kind} ${right.text} on ${on}`, sources }
}

/** Mostly a comparison of two columns, on text too; a full join can do nothing else. */
function condition(
  around: FromAround,
  left: readonly Source[],
  right: readonly Source[],
  scope: Scope,
): string {
  const { random } = around
  const type = random.pick<Type>(['text', 'num', 'num'])
  const one = column(around, left, type)
  const other = column(around, right, type)
  if (one !== undefined && other !== undefined && random.chance(0.8))
    return `${one} ${random.pick(['=', '=', '=', '<', '<>'])} ${other}`
  return expression(around, 'bool', { ...scope, sources: [...left, ...right] })
}

function column({ random }: Around, sources: readonly Source[], type: Type): string | undefined {
  const all = sources.flatMap((one) =>
    one.columns.filter((own) => own.type === type).map((own) => `${one.alias}.${own.name}`),
  )
  return all.length === 0 ? undefined : random.pick(all)
}

function common(left: readonly Source[], right: readonly Source[]): readonly string[] {
  const names = (list: readonly Source[]) => list.flatMap((one) => one.columns)
  const once = (list: readonly Column[]) =>
    list.filter((one) => list.filter((other) => other.name === one.name).length === 1)
  const others = once(names(right))
  return once(names(left))
    .filter((one) => others.some((other) => other.name === one.name && other.type === one.type))
    .map((one) => one.name)
}

function item(around: FromAround, scope: Scope): Item {
  const { random } = around
  return random.weighted<Item>([
    [6, () => relation(around)],
    [scope.ctes.length > 0 ? 4 : 0, () => cte(around, scope)],
    [scope.depth > 0 ? 2 : 0, () => derived(around, scope)],
    [0.7, () => values(around, scope)],
    [0.7, () => called(around, scope)],
  ])
}

function relation(around: FromAround): Item {
  const { random } = around
  const liked = around.relations.filter((one) => favourites.test(one.name))
  const one = random.chance(0.75) ? random.pick(liked) : random.pick(around.relations)
  const alias = around.fresh()
  const only = one.kind === 'table' && random.chance(0.08) ? 'only ' : ''
  const sample = one.kind === 'table' && random.chance(0.04) ? ' tablesample system (100)' : ''
  if (random.chance(0.1)) {
    const renamed = one.columns.map((own, index) => ({ name: `n${index}`, type: own.type }))
    const names = renamed.map((own) => own.name).join(', ')
    return {
      text: `${only}${one.name} as ${alias}(${names})${sample}`,
      sources: [{ alias, columns: renamed }],
    }
  }
  return {
    text: `${only}${one.name} as ${alias}${sample}`,
    sources: [{ alias, columns: one.columns }],
  }
}

function cte({ random, fresh }: FromAround, scope: Scope): Item {
  const one = random.pick(scope.ctes)
  const alias = fresh()
  return { text: `${one.alias} as ${alias}`, sources: [{ alias, columns: one.columns }] }
}

/** A subquery; `sees` are the sources it may refer to, none unless it is lateral. */
function derived(around: FromAround, scope: Scope, sees: readonly Source[] = []): Item {
  const types = Array.from({ length: 1 + around.random.below(3) }, () => someType(around))
  const alias = around.fresh()
  const columns = types.map((type, index) => ({ name: `d${index}`, type }))
  const inner = { ...scope, depth: scope.depth - 1, sources: sees }
  const names = columns.map((one) => one.name).join(', ')
  const text = `${around.subquery(types, inner)} as ${alias}(${names})`
  return { text, sources: [{ alias, columns }] }
}

function lateral(around: FromAround, scope: Scope): Item {
  const { random } = around
  if (scope.depth > 0 && random.chance(0.5)) {
    const made = derived(around, scope, scope.sources)
    return { text: `lateral ${made.text}`, sources: made.sources }
  }
  return called(around, scope)
}

function values(around: FromAround, scope: Scope): Item {
  const { random } = around
  const types = Array.from({ length: 1 + random.below(2) }, () => someType(around))
  const rows = Array.from({ length: 1 + random.below(3) }, () => {
    const cells = types.map((type) => expression(around, type, { ...scope, sources: [], depth: 1 }))
    return `(${cells.join(', ')})`
  })
  const alias = around.fresh()
  const columns = types.map((type, index) => ({ name: `v${index}`, type }))
  const names = columns.map((one) => one.name).join(', ')
  return {
    text: `(values ${rows.join(', ')}) as ${alias}(${names})`,
    sources: [{ alias, columns }],
  }
}

function called(around: FromAround, scope: Scope): Item {
  const { random } = around
  const of = (type: Type): string =>
    expression(around, type, { ...scope, depth: Math.min(scope.depth, 1) })
  const alias = around.fresh()
  const one = (text: string, type: Type): Item => ({
    text: `${text} as ${alias}(f)`,
    sources: [{ alias, columns: [{ name: 'f', type }] }],
  })
  return random.weighted<Item>([
    [2, () => one(`generate_series(1, (${of('num')})::int % 5)`, 'num')],
    [2, () => one(`unnest(${of('array')})`, 'text')],
    [1, () => one(`regexp_split_to_table(${of('text')}, '')`, 'text')],
    [1, () => one(`string_to_table(${of('text')}, '@')`, 'text')],
    [
      1,
      () => ({
        text: `jsonb_each_text(${of('json')}) as ${alias}(k, v)`,
        sources: [
          {
            alias,
            columns: [
              { name: 'k', type: 'text' as const },
              { name: 'v', type: 'text' as const },
            ],
          },
        ],
      }),
    ],
    [0.5, () => one(`unnest(${of('array')}) with ordinality`, 'text')],
    [
      0.3,
      () => ({
        text: `find_customers('%') as ${alias}`,
        sources: [
          {
            alias,
            columns: [
              { name: 'name', type: 'text' as const },
              { name: 'email', type: 'text' as const },
            ],
          },
        ],
      }),
    ],
  ])
}

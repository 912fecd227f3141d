/** What a plan says a statement reads and shows (EXPLAIN VERBOSE, FORMAT JSON), next to what ours says. */
import type { Command } from '../../pdp/contract.ts'
import type { Catalogue } from '../../sidecars/sql/catalogue.ts'

type Node = Readonly<Record<string, unknown>> & { readonly Plans?: readonly Node[] }

/** Relations that are scanned or changed, as `schema.name`, and how many columns come out at the top. */
export type Plan = { readonly relations: ReadonlySet<string>; readonly columns: number }

/** Reads the JSON of one plan; undefined where there is none, as for utility statements. */
export function planOf(json: string): Plan | undefined {
  const [first] = JSON.parse(json) as readonly { readonly Plan?: Node }[]
  const top = first?.Plan
  if (top === undefined) return undefined
  const relations = new Set<string>()
  collect(top, relations)
  return { relations, columns: listed(top['Output']).length }
}

function collect(node: Node, relations: Set<string>): void {
  // A changed relation is named with the children that are changed with it.
  for (const one of [node, ...(listed(node['Target Tables']) as readonly Node[])]) {
    const { Schema: schema, 'Relation Name': name } = one
    if (typeof schema === 'string' && typeof name === 'string') relations.add(`${schema}.${name}`)
  }
  for (const one of node.Plans ?? []) collect(one, relations)
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/**
 * Relations of the plan that are not ours. A planner leaves out what it can prove empty or unneeded, reads children in
 * place of a parent, and a child of what we name is named by us, so that the plan must be a subset and no more.
 */
export function unnamed(
  { relations }: Plan,
  { objects }: Command,
  catalogue: Catalogue,
): readonly string[] {
  const ours = new Set(objects.map((one) => one.name))
  for (const { name } of objects) {
    const dot = name.indexOf('.')
    const relation = catalogue.relation(name.slice(dot + 1), name.slice(0, dot), [])
    if (relation !== undefined) for (const one of catalogue.below(relation)) ours.add(one.full)
  }
  // Temporary relations are in nobody's catalogue, and the server's own views are taken as they are.
  return [...relations].filter((name) => !ours.has(name) && known(name, catalogue))
}

function known(full: string, catalogue: Catalogue): boolean {
  if (/^(pg_catalog|information_schema)\./.test(full)) return false
  const dot = full.indexOf('.')
  return catalogue.relation(full.slice(dot + 1), full.slice(0, dot), []) !== undefined
}

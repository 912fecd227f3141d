import { equal } from '../order.ts'
import { isArray, isSet, type Value } from '../value.ts'
import { type Builtins, collection, object, pure } from './operands.ts'

/** A graph can have more paths than atoms in the universe; a policy that needs more is a mistake. */
const pathsMax = 10_000

type Graph = { readonly [key: string]: Value }

/** `graph.reachable_paths`. */
export const graph: Builtins = {
  'graph.reachable_paths': pure((edges, starts) => {
    const paths: Value[] = []
    const found = object(edges)
    for (const start of collection(starts)) {
      const next = neighbors(found, start)
      if (next?.length === 0) commit(paths, [start])
      for (const neighbor of next ?? []) follow(found, neighbor, [start], [start], paths)
    }
    return new Set(paths)
  }),
}

function follow(
  edges: Graph,
  node: Value,
  path: readonly Value[],
  reached: readonly Value[],
  paths: Value[],
): void {
  const next = neighbors(edges, node)
  const longer = next === undefined ? path : [...path, node]
  if (next === undefined || next.length === 0) commit(paths, longer)
  const seen = [...reached, node]
  for (const neighbor of next ?? [])
    if (seen.some((one) => equal(one, neighbor))) commit(paths, longer)
    else follow(edges, neighbor, longer, seen, paths)
}

function neighbors(edges: Graph, node: Value): readonly Value[] | undefined {
  if (typeof node !== 'string' || !Object.hasOwn(edges, node)) return undefined
  const found = edges[node] ?? null
  return isArray(found) || isSet(found) ? [...found] : []
}

function commit(paths: Value[], path: readonly Value[]): void {
  if (paths.some((known) => equal(known, path))) return
  if (paths.length >= pathsMax) throw new Error(`the graph has more than ${pathsMax} paths`)
  paths.push(path)
}

import type { Node } from 'libpg-query'

type Union<T> = (T extends unknown ? (one: T) => void : never) extends (one: infer All) => void
  ? All
  : never

/** Every kind of node and its body. */
export type Nodes = Union<Node>
export type Kind = keyof Nodes

/** What one node is and holds. */
export type Opened = { readonly [K in Kind]: { readonly kind: K; readonly body: Nodes[K] } }[Kind]

/** A node is an object with one key: its kind. */
export function open(node: Node): Opened | undefined {
  for (const kind in node) {
    return { kind, body: (node as unknown as Record<string, unknown>)[kind] } as unknown as Opened
  }
  return undefined
}

/** The body of a node that is of this kind. */
export function as<K extends Kind>(node: Node | undefined, kind: K): Nodes[K] | undefined {
  return node === undefined ? undefined : (node as unknown as Partial<Nodes>)[kind]
}

/** The text of a String node; a star reads as `*`. */
export function word(node: Node | undefined): string {
  return as(node, 'String')?.sval ?? (as(node, 'A_Star') === undefined ? '' : '*')
}

export function words(list: readonly Node[] | undefined): readonly string[] {
  return list === undefined ? [] : list.map(word)
}

/** A literal as text, undefined for anything else. Casts of literals count. */
export function literal(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast')
  if (cast !== undefined) return literal(cast.arg)
  const constant = as(node, 'A_Const')
  if (constant === undefined || constant.isnull) return undefined
  if (constant.sval !== undefined) return constant.sval.sval ?? ''
  if (constant.ival !== undefined) return String(constant.ival.ival ?? 0)
  if (constant.boolval !== undefined) return constant.boolval.boolval ? 'on' : 'off'
  return constant.fval?.fval
}

/** Every node directly below a body, however deep in lists and unnamed structures. */
export function below(body: unknown, visit: (node: Node) => void): void {
  if (body === null || typeof body !== 'object') return
  if (Array.isArray(body)) {
    for (const one of body) below(one, visit)
    return
  }
  for (const [key, value] of Object.entries(body)) {
    if (value === null || typeof value !== 'object') continue
    const first = key.charCodeAt(0)
    // Kinds start with a capital, fields never do.
    if (first >= 65 && first <= 90) visit({ [key]: value } as unknown as Node)
    else below(value, visit)
  }
}

import type { Node } from 'libpg-query'
import type { Body } from './build.ts'
import { from, itemsOf, locking } from './from.ts'
import type { Scope } from './scope.ts'
import { type At, bodyOf, listOf, type Work } from './work.ts'

/** Rewrites the inside of a SELECT, VALUES or set operation. */
export function select(work: Work, body: Body, outside: At): Body {
  const { withClause, larg, rarg, fromClause, intoClause, ...rest } = body
  const { clause, at } = withQueries(work, withClause, outside)
  const list = listOf(fromClause)
  const scope: Scope = { items: itemsOf(work, list, at), outer: at.scope }
  locking(listOf(rest['lockingClause']), scope.items)
  const { lockingClause, ...expressions } = rest
  return {
    ...(work.walk(expressions, { ...at, scope }) as Body),
    ...(clause === undefined ? {} : { withClause: clause }),
    ...(larg === undefined ? {} : { larg: select(work, larg as Body, at) }),
    ...(rarg === undefined ? {} : { rarg: select(work, rarg as Body, at) }),
    ...(fromClause === undefined
      ? {}
      : { fromClause: list.map((one) => from(work, one, at, scope)) }),
    ...(intoClause === undefined ? {} : { intoClause }),
    ...(lockingClause === undefined ? {} : { lockingClause }),
  }
}

/** Rewrites WITH, and says what is in sight after it. */
export function withQueries(
  work: Work,
  clause: unknown,
  outside: At,
): { readonly clause: Body | undefined; readonly at: At } {
  if (clause === undefined) return { clause: undefined, at: outside }
  const body = clause as Body
  const ctes = new Set(outside.ctes)
  const names = listOf(body['ctes']).map((one) =>
    String(bodyOf(one, 'CommonTableExpr')?.['ctename']),
  )
  if (body['recursive'] === true) for (const one of names) ctes.add(one)
  const rewritten = listOf(body['ctes']).map((one, index) => {
    const at: At = { scope: outside.scope, ctes: new Set(ctes) }
    const made = work.walk(one, at) as Node
    ctes.add(names[index] ?? '')
    return made
  })
  return { clause: { ...body, ctes: rewritten }, at: { scope: outside.scope, ctes } }
}

import type { MergeStmt, MergeWhenClause } from 'libpg-query'
import type { Change } from '../../sql/catalogue.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import { as } from '../read/ast.ts'
import { tied } from '../read/ties.ts'
import { allOf, assignments, defaultsOf, namesOf } from './assignments.ts'
import { fromItem } from './from.ts'
import { predicate } from './predicate.ts'
import type { At, Reading } from './reading.ts'
import { scanned, type Target, target, written } from './target.ts'
import { returning } from './writes.ts'

/** Reads MERGE. */
export function merge(reading: Reading, body: MergeStmt, at: At): Fields {
  const { facts } = reading
  facts.kind('merge')
  facts.effect('write')
  facts.flag('where')
  const to = target(reading, body.relation)
  scanned(reading, to)
  const source = fromItem(reading, body.sourceRelation, at, [])
  const inside: At = { ...at, scope: { items: [source, to.item], outer: at.scope } }
  predicate(reading, body.joinCondition, inside, 'join')
  for (const one of body.mergeWhenClauses ?? []) {
    const when = as(one, 'MergeWhenClause')
    if (when !== undefined) clause(reading, when, to, inside)
  }
  return returning(reading, body.returningClause, to, [], at, [source])
}

const changes: Readonly<Record<string, Change>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
}

function clause(reading: Reading, when: MergeWhenClause, to: Target, at: At): void {
  const { facts } = reading
  predicate(reading, when.condition, at, 'predicate')
  const change = changes[when.commandType ?? '']
  const inserted = when.targetList === undefined ? allOf(to) : namesOf(when.targetList)
  if (change !== undefined && to.relation !== undefined) {
    const values = (when.values ?? []).map((val, i) => ({
      ResTarget: { name: inserted[i] ?? '', val },
    }))
    tied(reading, to.relation, change, {
      names: when.targetList && namesOf(when.targetList),
      defaults: defaultsOf(when.commandType === 'CMD_INSERT' ? values : when.targetList),
    })
  }
  switch (when.commandType) {
    case 'CMD_INSERT': {
      facts.kind('insert')
      for (const [i, value] of (when.values ?? []).entries()) {
        written(reading, to, inserted[i], reading.expression(value, at))
      }
      return
    }
    case 'CMD_UPDATE':
      facts.kind('update')
      assignments(reading, when.targetList, to, at)
      return
    case 'CMD_DELETE':
      facts.kind('delete')
      facts.effect('delete')
  }
}

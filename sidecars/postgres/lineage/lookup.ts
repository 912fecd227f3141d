import type { RangeVar } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import type { Absent } from '../../sql/facts.ts'
import type { Reading } from './reading.ts'
import { guardRelation } from './secrets.ts'

/** What a reference to a relation means; doubts it when the catalogue does not know. */
export function relationOf(reading: Reading, range: RangeVar): Relation | undefined {
  const { around } = reading
  const name = range.relname ?? ''
  const relation = around.catalogue.relation(name, range.schemaname, around.searchPath)
  if (relation === undefined) {
    doubtName(reading, 'relation', name, range.schemaname)
  } else {
    guardRelation(reading, relation)
    if (relation.full === 'pg_catalog.pg_settings') reading.unnamed += 1
  }
  return relation
}

/** Doubts a name. What is in a schema that the login may not use counts as unread: the server would not tell either. */
export function doubtName(
  { facts, around }: Reading,
  kind: Absent['kind'],
  plain: string,
  schema: string | undefined,
): void {
  const name = schema === undefined ? plain : `${schema}.${plain}`
  const told = schema === undefined || around.catalogue.schemas.has(schema)
  facts.doubt(`${kind} ${name} is not known`, told ? { kind, name } : undefined)
}

/** The name as policies see it, also of what does not exist yet. */
export function fullName({ around }: Reading, range: RangeVar): string {
  const name = range.relname ?? ''
  const relation = around.catalogue.relation(name, range.schemaname, around.searchPath)
  return relation?.full ?? `${range.schemaname ?? around.searchPath[0] ?? 'public'}.${name}`
}

/** Records a relation the catalogue does not know: names may mean its columns. */
export function unknownRelation(reading: Reading, range: RangeVar, access: 'read' | 'write'): void {
  reading.facts.touch('table', fullName(reading, range), access)
  reading.lenient = true
}

/** What the generator may name: relations and their columns, in types it knows how to write expressions of. */

import { cells } from '../../sidecars/postgres/rows.ts'
import type { Client } from './client.ts'

export type Type = 'num' | 'text' | 'bool' | 'time' | 'json' | 'array' | 'row'

export type Column = { readonly name: string; readonly type: Type }

export type Relation = {
  readonly name: string
  readonly kind: 'table' | 'view'
  readonly columns: readonly Column[]
}

const types: Readonly<Record<string, Type>> = {
  bigint: 'num',
  integer: 'num',
  numeric: 'num',
  'numeric(12,2)': 'num',
  text: 'text',
  email_d: 'text',
  date: 'time',
  'timestamp with time zone': 'time',
  jsonb: 'json',
  'text[]': 'array',
  boolean: 'bool',
}

const sql = `
select n.nspname || '.' || quote_ident(c.relname), c.relkind, string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), '|' order by a.attnum)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname in ('public', 'crm') and c.relkind in ('r', 'v', 'm', 'p') and a.attnum > 0 and not a.attisdropped
group by 1, 2 order by 1`

/** Every relation of the schema, in an order that does not change. */
export async function relationsOf(client: Client): Promise<readonly Relation[]> {
  const frames = await client.say(sql)
  const rows = frames.filter((frame) => frame[0] === 0x44).map((frame) => cells(frame))
  return rows.map(([name, kind, list]) => ({
    name: `${name}`.replace(/^public\./, ''),
    kind: /[vm]/.test(`${kind}`) ? 'view' : 'table',
    columns: `${list}`.split('|').map((one) => {
      const space = /^("[^"]*"|\S+) (.*)$/.exec(one)
      return { name: space?.[1] ?? '', type: types[space?.[2] ?? ''] ?? 'row' }
    }),
  }))
}

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SqlFacts } from '../../../../sidecars/sql/facts.ts'
import { type Lineage, lineage } from './kit.ts'

/** What was reviewed, one by one: compiled functions that can be called, by the extension they come with. */
type Reviewed = { readonly [extension: string]: { readonly open: string; readonly closed: string } }

const reviewed = JSON.parse(
  readFileSync(new URL('extensions.json', import.meta.url), 'utf8'),
) as Reviewed

const all = `do $$ declare e text; begin
  for e in select name from pg_available_extensions order by 1 loop
    execute format('create extension if not exists %I cascade', e);
  end loop;
end $$;`

let db: Lineage
beforeAll(async () => {
  db = await lineage(`set client_min_messages = error; ${all}`)
})
afterAll(() => db.stop())

/** Nobody can call what takes or gives what SQL has no values of. */
const compiled = (extension: string) => `
  select p.proname, n.nspname, array_to_string(array(select format_type(t, null) from unnest(p.proargtypes) as t), ';')
    from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
    join pg_depend d on d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
    join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
   where l.lanname in ('c', 'internal') and e.extname = '${extension}' and p.prokind = 'f'
     and not 'internal'::regtype = any (p.proargtypes) and not 'cstring'::regtype = any (p.proargtypes)
     and p.prorettype not in ('trigger'::regtype, 'fdw_handler'::regtype, 'language_handler'::regtype,
       'index_am_handler'::regtype, 'tsm_handler'::regtype, 'internal'::regtype, 'cstring'::regtype)
   order by 1`

type Found = { readonly open: readonly string[]; readonly closed: readonly string[] }

async function found(extension: string): Promise<Found> {
  const open = new Set<string>()
  const closed = new Set<string>()
  for (const [name = '', schema, types] of await db.query(compiled(extension))) {
    const args = (types ?? '').split(';').filter(Boolean).map(argument)
    const { command } = db.read(`select "${schema}"."${name}"(${args.join()})`)
    const { functions } = command['sql'] as SqlFacts
    const runs = functions.some((one) => !['pure', 'listed'].includes(one.class))
    const isOpen = command.incomplete === undefined && !runs
    if (isOpen) open.add(name ?? '')
    else closed.add(name ?? '')
  }
  return { open: [...open].sort(), closed: [...closed].sort() }
}

const argument = (type: string): string =>
  /^any/.test(type) || type === 'record' ? 'null' : `null::${type}`

describe('compiled functions of extensions are the server’s own only where they were reviewed', () => {
  test('all extensions that are installed were', async () => {
    const installed = await db.query("select extname from pg_extension where extname <> 'plpgsql'")
    expect(installed.length).toBeGreaterThan(35)
    expect(installed.map(([name]) => name).filter((name) => !(`${name}` in reviewed))).toEqual([])
  })

  test.each(Object.entries(reviewed))('%s', async (extension, { open, closed }) => {
    const { open: opened, closed: shut } = await found(extension)
    const words = (list: string) => new Set(list.split(' ').filter(Boolean))
    expect(opened.filter((name) => !words(open).has(name))).toEqual([])
    expect(shut.filter((name) => !words(closed).has(name))).toEqual([])
  })
})

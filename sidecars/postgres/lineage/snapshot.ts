import { FIRST_USER_OID } from '../read/snapshot.ts'

/** The queries a library is made of; every name and operator says that it is PostgreSQL's own. */
const eq = 'OPERATOR(pg_catalog.=)'
const ne = 'OPERATOR(pg_catalog.<>)'
const ge = 'OPERATOR(pg_catalog.>=)'

/** Every type: oid, schema, name, kind, relation, element of an array, base of a domain. */
export const types = `
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typrelid,
       CASE WHEN t.typcategory ${eq} 'A'::pg_catalog."char" THEN t.typelem ELSE '0'::pg_catalog.oid END, t.typbasetype
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} t.typnamespace`

/**
 * Every function: oid, schema, name, kind, language, volatility, definer, variadic, returns a set, number of defaults,
 * types of what it takes as text and as numbers, all types, modes, names, what it gives, settings, definition,
 * extension.
 */
export const routines = `
SELECT p.oid, n.nspname, p.proname, p.prokind, l.lanname, p.provolatile, p.prosecdef,
       p.provariadic ${ne} '0'::pg_catalog.oid, p.proretset, p.pronargdefaults,
       pg_catalog.oidvectortypes(p.proargtypes), p.proargtypes, pg_catalog.to_json(p.proallargtypes),
       pg_catalog.to_json(p.proargmodes), pg_catalog.to_json(p.proargnames), p.prorettype,
       pg_catalog.to_json(p.proconfig),
       CASE WHEN p.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid
             AND p.prokind ${eq} ANY (ARRAY['f','p']::pg_catalog."char"[])
             AND l.lanname ${eq} ANY (ARRAY['sql','plpgsql']::pg_catalog.name[])
            THEN pg_catalog.pg_get_functiondef(p.oid) END,
       CASE WHEN l.lanname ${eq} ANY (ARRAY['c','internal']::pg_catalog.name[])
             AND p.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid THEN (
         SELECT e.extname FROM pg_catalog.pg_depend AS d
           JOIN pg_catalog.pg_extension AS e ON e.oid ${eq} d.refobjid
          WHERE d.classid ${eq} 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid ${eq} p.oid
            AND d.refclassid ${eq} 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype ${eq} 'e'::pg_catalog."char"
          LIMIT 1) END
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace
  JOIN pg_catalog.pg_language AS l ON l.oid ${eq} p.prolang`

/** Functions somebody made that aggregates run: aggregate, schema, function. */
export const aggregates = `
SELECT a.aggfnoid::pg_catalog.oid, n.nspname, p.proname
  FROM pg_catalog.pg_aggregate AS a
  JOIN pg_catalog.pg_proc AS p ON p.oid ${eq} ANY (ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
       a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::pg_catalog.oid[])
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace
 WHERE p.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid`

/** Every operator: name, left, right, result, and schema and name of its function where somebody made it. */
export const operators = `
SELECT o.oprname, o.oprleft, o.oprright, o.oprresult,
       CASE WHEN p.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid THEN n.nspname END, p.proname
  FROM pg_catalog.pg_operator AS o
  JOIN pg_catalog.pg_proc AS p ON p.oid ${eq} o.oprcode::pg_catalog.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace`

/**
 * Casts the server does unasked, where a value is stored or anywhere: source, target, schema and name of their function
 * where somebody made it, and whether anywhere.
 */
export const conversions = `
SELECT c.castsource, c.casttarget,
       CASE WHEN p.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid THEN n.nspname END, p.proname,
       c.castcontext ${eq} 'i'::pg_catalog."char"
  FROM pg_catalog.pg_cast AS c
  LEFT JOIN pg_catalog.pg_proc AS p ON p.oid ${eq} c.castfunc
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace
 WHERE c.castcontext ${ne} 'e'::pg_catalog."char"`

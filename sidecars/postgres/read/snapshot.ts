/**
 * The queries a catalogue is made of. They run with the gate's own login on a server whose search_path anyone may have
 * changed, so every name and every operator says that it is PostgreSQL's own.
 */
const eq = 'OPERATOR(pg_catalog.=)'
const ne = 'OPERATOR(pg_catalog.<>)'
const gt = 'OPERATOR(pg_catalog.>)'
const le = 'OPERATOR(pg_catalog.<=)'
const ge = 'OPERATOR(pg_catalog.>=)'

/** The first identity the server gives to objects made after initdb (FirstNormalObjectId). */
export const FIRST_USER_OID = 16384

/** One row per relation: oid, schema, name, kind, columns as a JSON array of [name, number, type, type modifier, readable]. */
export const relations = `
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.json_agg(pg_catalog.json_build_array(
    a.attname, a.attnum, a.atttypid::pg_catalog.int8, a.atttypmod,
    pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid ${eq} c.oid AND a.attnum ${gt} 0 AND NOT a.attisdropped
    AND c.relkind ${eq} ANY (ARRAY['r','p','v','m','f','c','S']::pg_catalog."char"[])
 WHERE c.relkind ${eq} ANY (ARRAY['r','p','v','m','f','S','c','i','I']::pg_catalog."char"[])
   AND n.nspname ${ne} 'pg_toast'
 GROUP BY c.oid, n.nspname, c.relname, c.relkind`

/** Schemas the gate's own login may use; others are passed over when a bare name is looked up. */
export const schemas = `
SELECT n.nspname FROM pg_catalog.pg_namespace AS n
 WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')`

/** Which relation is a child of which: child, parent. */
export const inheritance = `
SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS c ON c.oid ${eq} i.inhrelid
 WHERE c.relkind ${eq} ANY (ARRAY['r','p','f']::pg_catalog."char"[])`

/**
 * Which relation a view's rule depends on: view, relation. A rule depends on its own view too; that row is left out. So are
 * the server's own views: pg_user reads pg_shadow and does not show its passwords, and those that show too much are named.
 */
export const reads = `
SELECT DISTINCT r.ev_class, d.refobjid
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_depend AS d
    ON d.classid ${eq} 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid ${eq} r.oid
   AND d.refclassid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass
 WHERE r.rulename ${eq} '_RETURN' AND d.refobjid ${ne} r.ev_class
   AND r.ev_class ${ge} '${FIRST_USER_OID}'::pg_catalog.oid`

/** The text of every view that is not the server's own: view, query. */
export const views = `
SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid)
  FROM pg_catalog.pg_class AS c
 WHERE c.relkind ${eq} ANY (ARRAY['v','m']::pg_catalog."char"[])
   AND c.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid`

/** Which column a generated column is computed from: relation, generated column, its source. */
export const generated = `
SELECT a.attrelid, a.attnum, d.refobjsubid
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_attrdef AS f ON f.adrelid ${eq} a.attrelid AND f.adnum ${eq} a.attnum
  JOIN pg_catalog.pg_depend AS d
    -- Up to PostgreSQL 14 the column depends on its sources, after that its expression does.
    ON (d.classid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.objid ${eq} a.attrelid AND d.objsubid ${eq} a.attnum::pg_catalog.int4
     OR d.classid ${eq} 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid ${eq} f.oid)
   AND d.refclassid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid ${eq} a.attrelid
   AND d.refobjsubid ${ne} 0 AND d.refobjsubid ${ne} a.attnum::pg_catalog.int4
 WHERE a.attgenerated ${ne} ''::pg_catalog."char" AND NOT a.attisdropped`

/** Rules other than a view's own: relation, statement that creates it. */
export const rules = `
SELECT r.ev_class, pg_catalog.pg_get_ruledef(r.oid)
  FROM pg_catalog.pg_rewrite AS r
 WHERE r.rulename ${ne} '_RETURN' AND r.ev_enabled ${ne} 'D'::pg_catalog."char"`

/**
 * Triggers: relation, schema and name of the function, events as bits (pg_trigger.h), columns, transition tables, and the
 * definition of those with a condition.
 */
export const triggers = `
SELECT t.tgrelid, n.nspname, p.proname, t.tgtype, pg_catalog.array_to_json(t.tgattr::pg_catalog.int2[]),
       pg_catalog.json_build_array(t.tgoldtable, t.tgnewtable),
       CASE WHEN t.tgqual IS NOT NULL THEN pg_catalog.pg_get_triggerdef(t.oid) END
  FROM pg_catalog.pg_trigger AS t
  JOIN pg_catalog.pg_proc AS p ON p.oid ${eq} t.tgfoid
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace
 WHERE NOT t.tgisinternal AND t.tgenabled ${ne} 'D'::pg_catalog."char"`

/** Functions that run along with definitions: schema, name. */
export const eventTriggers = `
SELECT DISTINCT n.nspname, p.proname
  FROM pg_catalog.pg_event_trigger AS e
  JOIN pg_catalog.pg_proc AS p ON p.oid ${eq} e.evtfoid
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace
 WHERE e.evtenabled ${ne} 'D'::pg_catalog."char" AND e.evtevent ${ne} 'login'`

/** Whether something is made with a function, an operator or a type of somebody's. */
const isSomebodys = (catalog: string, oid: string) => `EXISTS (
  SELECT FROM pg_catalog.pg_depend AS d
   WHERE d.classid ${eq} 'pg_catalog.${catalog}'::pg_catalog.regclass AND d.objid ${eq} ${oid}
     AND d.refobjid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid
     AND d.refclassid ${eq} ANY (ARRAY['pg_catalog.pg_proc', 'pg_catalog.pg_operator', 'pg_catalog.pg_type',
         'pg_catalog.pg_cast']::pg_catalog.regclass[]))`

/**
 * Expressions that run with rows of a relation and somebody's code in them, and policies: relation, kind, columns, when
 * (pg_policy.polcmd, or pg_attribute.attgenerated), text. Generated columns are checks.
 */
export const standing = `
SELECT f.adrelid, CASE WHEN a.attgenerated ${eq} ''::pg_catalog."char" THEN 'default' ELSE 'check' END,
       pg_catalog.json_build_array(f.adnum), a.attgenerated, pg_catalog.pg_get_expr(f.adbin, f.adrelid)
  FROM pg_catalog.pg_attrdef AS f
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid ${eq} f.adrelid AND a.attnum ${eq} f.adnum
 WHERE ${isSomebodys('pg_attrdef', 'f.oid')}
 UNION ALL
SELECT c.conrelid, 'check', pg_catalog.to_json(COALESCE(c.conkey, ARRAY[]::pg_catalog.int2[])), NULL,
       pg_catalog.pg_get_expr(c.conbin, c.conrelid)
  FROM pg_catalog.pg_constraint AS c
 WHERE c.contype ${eq} 'c'::pg_catalog."char" AND c.conrelid ${ne} '0'::pg_catalog.oid
   AND ${isSomebodys('pg_constraint', 'c.oid')}
 UNION ALL
SELECT i.indrelid, 'index', (
         SELECT COALESCE(pg_catalog.json_agg(DISTINCT e.refobjsubid), '[]'::pg_catalog.json)
           FROM pg_catalog.pg_depend AS e
          WHERE e.classid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid ${eq} i.indexrelid
            AND e.refclassid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass AND e.refobjid ${eq} i.indrelid
            AND e.refobjsubid ${gt} 0),
       NULL, pg_catalog.concat_ws(', ', pg_catalog.pg_get_expr(i.indexprs, i.indrelid),
         pg_catalog.pg_get_expr(i.indpred, i.indrelid))
  FROM pg_catalog.pg_index AS i
 WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND ${isSomebodys('pg_class', 'i.indexrelid')}
 UNION ALL
SELECT p.polrelid, 'policy', '[]'::pg_catalog.json, p.polcmd, pg_catalog.concat_ws(', ',
         pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_catalog.pg_policy AS p
  JOIN pg_catalog.pg_class AS c ON c.oid ${eq} p.polrelid AND c.relrowsecurity`

/** Checks of domains with somebody's code in them: type, text. */
export const domainChecks = `
SELECT c.contypid, pg_catalog.pg_get_expr(c.conbin, '0'::pg_catalog.oid)
  FROM pg_catalog.pg_constraint AS c
 WHERE c.contype ${eq} 'c'::pg_catalog."char" AND c.contypid ${ne} '0'::pg_catalog.oid
   AND ${isSomebodys('pg_constraint', 'c.oid')}`

/** Columns no two rows share and none is null in: relation, columns. Tables that others inherit from are left out. */
export const keys = `
SELECT i.indrelid, pg_catalog.array_to_json((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts OPERATOR(pg_catalog.-) 1])
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid ${eq} i.indrelid
   AND (c.relkind ${eq} 'p'::pg_catalog."char" OR NOT c.relhassubclass)
 WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indexprs IS NULL AND i.indpred IS NULL
   AND i.indrelid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid
   AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid ${eq} i.indrelid AND a.attnum ${eq} ANY (i.indkey::pg_catalog.int2[]) AND NOT a.attnotnull)`

/**
 * What a write is tested against: relation, kind, columns, relation shown, columns shown, tested when the columns are left
 * out, what becomes of them with a delete and an update. Unique and exclusion indexes, then checks, then foreign keys
 * from either side.
 */
export const ties = `
SELECT i.indrelid, 'key', pg_catalog.json_agg(DISTINCT k.n), i.indrelid, pg_catalog.json_agg(DISTINCT k.n),
       pg_catalog.bool_or(a.atthasdef)
         OR pg_catalog.bool_or(pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct' ${eq} 'true'),
       NULL::pg_catalog."char", NULL::pg_catalog."char"
  FROM pg_catalog.pg_index AS i
  JOIN LATERAL (
    SELECT c.n::pg_catalog.int4 FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS c(n, at)
     WHERE c.at ${le} i.indnkeyatts AND c.n ${gt} 0
     UNION ALL
    SELECT d.refobjsubid FROM pg_catalog.pg_depend AS d
     WHERE d.classid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid ${eq} i.indexrelid
       AND d.refclassid ${eq} 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid ${eq} i.indrelid
       AND d.refobjsubid ${gt} 0 AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
  ) AS k ON true
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid ${eq} i.indrelid AND a.attnum ${eq} k.n
 WHERE (i.indisunique OR i.indisexclusion) AND i.indrelid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid
 GROUP BY i.indexrelid, i.indrelid
 UNION ALL
SELECT c.conrelid, 'check', pg_catalog.to_json(c.conkey), c.conrelid, pg_catalog.to_json(c.conkey), false, NULL, NULL
  FROM pg_catalog.pg_constraint AS c
 WHERE c.contype ${eq} 'c'::pg_catalog."char" AND c.conrelid ${ne} '0'::pg_catalog.oid AND c.conkey IS NOT NULL
 UNION ALL
SELECT c.conrelid, 'key', pg_catalog.to_json(c.conkey), c.confrelid, pg_catalog.to_json(c.confkey), true, NULL, NULL
  FROM pg_catalog.pg_constraint AS c WHERE c.contype ${eq} 'f'::pg_catalog."char"
 UNION ALL
SELECT c.confrelid, 'referenced', pg_catalog.to_json(c.confkey), c.conrelid, pg_catalog.to_json(c.conkey), false,
       c.confdeltype, c.confupdtype
  FROM pg_catalog.pg_constraint AS c WHERE c.contype ${eq} 'f'::pg_catalog."char"`

/** Casts that run a function someone made: target type, schema and name of the function. */
export const casts = `
SELECT t.typname, n.nspname, p.proname
  FROM pg_catalog.pg_cast AS c
  JOIN pg_catalog.pg_type AS t ON t.oid ${eq} c.casttarget
  JOIN pg_catalog.pg_proc AS p ON p.oid ${eq} c.castfunc
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${eq} p.pronamespace
 WHERE c.oid ${ge} '${FIRST_USER_OID}'::pg_catalog.oid`

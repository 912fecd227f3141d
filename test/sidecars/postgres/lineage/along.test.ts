import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../../../pdp/contract.ts'
import { only, scope } from '../reading.ts'
import { type Lineage, lineage, used } from './kit.ts'

const extra = `
CREATE TABLE log (line text);
CREATE FUNCTION noted(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ($1); RETURN $1; END $$;
CREATE FUNCTION fetched() RETURNS text LANGUAGE sql AS 'SELECT value FROM secrets LIMIT 1';
CREATE FUNCTION valid(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 LIKE '%@%' $$;
CREATE FUNCTION dynamic(text) RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE r boolean; BEGIN EXECUTE $1 INTO r; RETURN r; END $$;
CREATE FUNCTION words(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN lower($1); END $$;

CREATE TABLE defaults (id int, note text DEFAULT noted('x'), secret text DEFAULT fetched(), plain text DEFAULT upper('x'));
CREATE TABLE checks (id int, email text, other text, CHECK (valid(email)), CHECK (noted(other) <> ''));
CREATE TABLE opaque_checks (id int, email text CHECK (dynamic(email)));
CREATE DOMAIN noted_d AS text CHECK (noted(VALUE) <> '');
CREATE TABLE domains (id int, d noted_d, t text);
CREATE TABLE indexed (id int, email text, other text);
CREATE INDEX ON indexed (words(email)) WHERE words(other) <> '';
CREATE TABLE generated (id int, email text, made text GENERATED ALWAYS AS (words(email)) STORED);
CREATE TABLE rls (id int, owner text, email text);
ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rls USING (owner = noted('p') AND email <> '');
CREATE TABLE rls_write (id int, email text);
ALTER TABLE rls_write ENABLE ROW LEVEL SECURITY;
CREATE POLICY ins ON rls_write FOR INSERT WITH CHECK (email = fetched());
CREATE TABLE not_rls (id int, owner text);
CREATE POLICY own ON not_rls USING (owner = noted('p'));

CREATE TABLE audited (id int, email text, note text, at date);
CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.email); RETURN NEW; END $$;
CREATE TRIGGER copies AFTER UPDATE OF note ON audited FOR EACH ROW EXECUTE FUNCTION copies();
CREATE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
CREATE TRIGGER stamps BEFORE INSERT OR UPDATE ON audited FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION stamps();
CREATE TABLE moved (id int, email text, note text);
CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := OLD.email; RETURN NEW; END $$;
CREATE TRIGGER moves BEFORE UPDATE ON moved FOR EACH ROW EXECUTE FUNCTION moves();
CREATE TABLE whole (id int, email text);
CREATE FUNCTION wholes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (to_jsonb(OLD)::text); RETURN OLD; END $$;
CREATE TRIGGER wholes BEFORE DELETE ON whole FOR EACH ROW EXECUTE FUNCTION wholes();
CREATE TABLE batched (id int, email text);
CREATE FUNCTION batches() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT email FROM gone; RETURN NULL; END $$;
CREATE TRIGGER batches AFTER DELETE ON batched REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION batches();
CREATE TABLE conditioned (id int, email text);
CREATE TRIGGER conditioned AFTER UPDATE ON conditioned FOR EACH ROW WHEN (OLD.email <> 'x') EXECUTE FUNCTION stamps();
CREATE TABLE wiped (id int);
CREATE FUNCTION wipes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN NULL; END $$;
CREATE TRIGGER wipes AFTER TRUNCATE ON wiped FOR EACH STATEMENT EXECUTE FUNCTION wipes();
CREATE TABLE disabled (id int);
CREATE TRIGGER wipes AFTER INSERT ON disabled EXECUTE FUNCTION wipes();
ALTER TABLE disabled DISABLE TRIGGER wipes;
CREATE VIEW v_instead AS SELECT id, email FROM customers;
CREATE FUNCTION insteads() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (OLD.email); RETURN NEW; END $$;
CREATE TRIGGER insteads INSTEAD OF UPDATE ON v_instead FOR EACH ROW EXECUTE FUNCTION insteads();
CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
CREATE TRIGGER wipes AFTER DELETE ON child FOR EACH ROW EXECUTE FUNCTION wipes();
CREATE TABLE parted (id int, k int) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TRIGGER wipes AFTER INSERT ON parted_1 FOR EACH ROW EXECUTE FUNCTION wipes();

CREATE TABLE ruled (id int, email text, note text);
CREATE RULE also AS ON UPDATE TO ruled DO ALSO INSERT INTO log VALUES (OLD.email);
CREATE RULE instead AS ON DELETE TO ruled DO INSTEAD UPDATE ruled SET note = 'gone' WHERE id = OLD.id;
CREATE RULE only_some AS ON INSERT TO ruled WHERE NEW.id > 5 DO INSTEAD NOTHING;
CREATE TABLE shows (id int);
CREATE RULE shows AS ON INSERT TO shows DO ALSO SELECT value FROM secrets;

CREATE TABLE top (id int PRIMARY KEY, name text);
CREATE TABLE cascaded (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE);
CREATE TABLE deeper (id int, up int REFERENCES cascaded ON DELETE SET NULL);
CREATE TRIGGER wipes AFTER UPDATE ON deeper FOR EACH ROW EXECUTE FUNCTION wipes();
CREATE TABLE renumbered (id int, top int REFERENCES top ON UPDATE CASCADE);

CREATE TYPE pair AS (a int);
CREATE FUNCTION to_pair(text) RETURNS pair LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ($1); RETURN ROW(1)::pair; END $$;
CREATE CAST (text AS pair) WITH FUNCTION to_pair(text) AS ASSIGNMENT;
CREATE TABLE pairs (id int, p pair);
CREATE FUNCTION both_noted(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ($1); RETURN true; END $$;
CREATE FUNCTION carried() RETURNS void LANGUAGE plpgsql
  AS $$ DECLARE v text; BEGIN SELECT value INTO v FROM secrets; INSERT INTO log VALUES (v); END $$;
CREATE OPERATOR <<>> (LEFTARG = text, RIGHTARG = text, FUNCTION = both_noted);
CREATE TABLE operated (id int, email text, CHECK (email <<>> 'x'));
`

let db: Lineage
beforeAll(async () => {
  db = await lineage(extra)
})
afterAll(() => db.stop())

const done = (text: string): Command => only(text, scope(db.catalogue)).command

const writes = (text: string): readonly string[] => [
  ...new Set(
    done(text)
      .objects.filter(({ access }) => access === 'write')
      .map(({ name }) => name.replace('public.', '')),
  ),
]

describe('what runs along with a change is done by it', () => {
  test.each<[string, readonly string[]]>([
    ["INSERT INTO defaults (id, note, secret) VALUES (1, 'a', 'b')", ['defaults']],
    ["INSERT INTO defaults (id, secret) VALUES (1, 'b')", ['defaults', 'log']],
    ["INSERT INTO defaults (id, note) VALUES (1, 'a'), (2, DEFAULT)", ['defaults', 'log']],
    ['INSERT INTO defaults VALUES (1)', ['defaults', 'log']],
    ["INSERT INTO defaults VALUES (1, 'a', 'b', 'c')", ['defaults']],
    ['INSERT INTO defaults DEFAULT VALUES', ['defaults', 'log']],
    ['UPDATE defaults SET id = 1', ['defaults']],
    ['UPDATE defaults SET note = DEFAULT', ['defaults', 'log']],
    [
      'MERGE INTO defaults d USING notes n ON d.id = n.id WHEN NOT MATCHED THEN INSERT (id) VALUES (n.id)',
      ['defaults', 'log'],
    ],
    ['INSERT INTO checks VALUES (1)', ['checks', 'log']],
    ['UPDATE checks SET id = 1', ['checks', 'log']],
    ['DELETE FROM checks', ['checks']],
    ["INSERT INTO domains (d) VALUES ('x')", ['domains', 'log']],
    ['UPDATE domains SET t = d::text::noted_d', ['domains', 'log']],
    ["SELECT 'x'::noted_d", ['log']],
    ['SELECT 1 FROM rls', ['log']],
    ["UPDATE rls SET owner = 'x'", ['rls', 'log']],
    ['SELECT 1 FROM not_rls', []],
    ["UPDATE audited SET note = 'x'", ['audited', 'log']],
    ['UPDATE audited SET id = 1', ['audited']],
    ['INSERT INTO audited VALUES (1)', ['audited']],
    ['DELETE FROM whole', ['whole', 'log']],
    ['DELETE FROM batched', ['batched', 'log']],
    ['TRUNCATE wiped', ['wiped', 'log']],
    ['INSERT INTO disabled VALUES (1)', ['disabled']],
    ["UPDATE v_instead SET email = 'x'", ['v_instead', 'customers', 'customers_archive', 'log']],
    ['DELETE FROM parent', ['parent', 'child', 'log']],
    ['INSERT INTO parted VALUES (1, 1)', ['parted', 'parted_1', 'log']],
    ['UPDATE parted SET k = 2', ['parted', 'parted_1', 'log']],
    ["UPDATE ruled SET note = 'x'", ['ruled', 'log']],
    ['DELETE FROM ruled', ['ruled', 'log']],
    ['INSERT INTO ruled VALUES (1)', ['ruled']],
    ['DELETE FROM notes', ['notes', 'kv']],
    ['DELETE FROM top', ['top', 'cascaded', 'deeper', 'log']],
    ['UPDATE top SET id = 2', ['top', 'renumbered']],
    ["UPDATE top SET name = 'x'", ['top']],
    ['TRUNCATE top CASCADE', ['top', 'cascaded', 'deeper', 'renumbered']],
    ['INSERT INTO pairs (p) SELECT body FROM notes', ['pairs', 'log']],
    ["SELECT body <<>> 'x' FROM notes", ['log']],
    ["INSERT INTO operated VALUES (1, 'x')", ['operated', 'log']],
  ])('%s', (text, expected) => {
    expect([...writes(text)].sort()).toEqual([...expected].sort())
    expect(done(text).incomplete).toBeUndefined()
  })
})

describe('what goes elsewhere on the way decides', () => {
  test.each<[string, readonly string[]]>([
    ['INSERT INTO defaults (id, note) VALUES (1, 2)', ['secrets.value']],
    ["UPDATE audited SET note = 'x'", ['audited.email', 'audited.id']],
    ['UPDATE audited SET id = 1', ['audited.id']],
    ["UPDATE moved SET id = 1 WHERE note = 'x'", ['moved.email', 'moved.note']],
    ['DELETE FROM whole', ['whole.email', 'whole.id']],
    ['DELETE FROM batched', ['batched.email']],
    ['UPDATE conditioned SET id = 1', ['conditioned.email']],
    ['INSERT INTO conditioned VALUES (1)', []],
    ["UPDATE ruled SET note = 'x'", ['ruled.email']],
    ['INSERT INTO ruled SELECT id, body FROM notes', ['notes.body', 'notes.id']],
    ['SELECT id FROM rls', ['rls.email', 'rls.owner']],
    ['INSERT INTO rls_write VALUES (1)', ['secrets.value']],
    ['SELECT id FROM rls_write', []],
    ["UPDATE checks SET id = 1, email = 'x'", ['checks.email', 'checks.other']],
    ['UPDATE indexed SET id = 1', []],
    ["UPDATE indexed SET other = 'x'", ['indexed.email', 'indexed.other']],
  ])('%s', (text, expected) => {
    expect(
      db
        .read(text)
        .command.predicates?.map((one) => one.replace('public.', ''))
        .sort(),
    ).toEqual(expected)
  })
})

describe('what cannot be followed is in doubt', () => {
  test.each([
    ["INSERT INTO opaque_checks VALUES (1, 'x')", 'runs a text as SQL'],
    ['UPDATE opaque_checks SET id = 1', 'runs a text as SQL'],
    ['INSERT INTO shows VALUES (1)', 'may show rows of its own'],
  ])('%s', (text, reason) => {
    expect(db.read(text).command.incomplete).toContain(reason)
  })

  test('but not where it does not run', () => {
    expect(db.read('DELETE FROM opaque_checks').command.incomplete).toBeUndefined()
    expect(db.read('SELECT 1 FROM opaque_checks').command.incomplete).toBeUndefined()
  })
})

test("what a definition names is its maker's to answer for, so that it needs no right to run code", () => {
  const { effects } = db.read("INSERT INTO defaults VALUES (1, 'a', 'b', 'c')").command
  expect(effects).toEqual(['write'])
  expect(db.read('SELECT 1 FROM rls').command.effects).not.toContain('execute')
})

test('functions that carry a value through a variable into a table are found out', () => {
  expect(used(db.read('SELECT carried()'), 'written_from')).toContain('secrets.value')
})

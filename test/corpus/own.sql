-- What our own attacks need besides schema.sql.
-- Protected columns: email of people, refs, traced, ruled, checked and guarded, shapes.word, wages.salary. Read after schema.sql, in the same psql.
SET client_min_messages = warning;
CREATE TABLE wages (id int PRIMARY KEY, salary int, cap int, note text, CHECK (salary <= cap));
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE);
CREATE TABLE refs (id int PRIMARY KEY, email text REFERENCES people (email) ON UPDATE CASCADE);
CREATE TABLE shapes (word text);
CREATE UNIQUE INDEX ON shapes (lower(word)) WHERE word <> '';
CREATE VIEW v_people AS SELECT id, email AS contact FROM people;
CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
CREATE TABLE trace (line text);
CREATE FUNCTION newest() RETURNS text LANGUAGE sql AS 'SELECT email FROM public.people ORDER BY id LIMIT 1';
CREATE TABLE keeps (id int PRIMARY KEY, note text DEFAULT newest());
CREATE FUNCTION traces(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.trace VALUES ($1); RETURN true; END $$;
CREATE TABLE traced (id int PRIMARY KEY, email text, note text);
CREATE FUNCTION trg_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.trace VALUES (OLD.email); RETURN NULL; END $$;
CREATE FUNCTION trg_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := OLD.email; RETURN NEW; END $$;
CREATE FUNCTION trg_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.trace SELECT email FROM gone; RETURN NULL; END $$;
CREATE FUNCTION trg_trace() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.trace VALUES (TG_OP); RETURN NULL; END $$;
CREATE TABLE ruled (id int PRIMARY KEY, email text, note text);
CREATE RULE ruled_trace AS ON UPDATE TO ruled DO ALSO INSERT INTO trace VALUES (OLD.email);
CREATE RULE ruled_shows AS ON INSERT TO ruled DO ALSO SELECT email FROM ruled;
CREATE TABLE checked (id int PRIMARY KEY, email text, note text, CHECK (traces(email)));
CREATE TABLE guarded (id int PRIMARY KEY, email text);
CREATE DOMAIN word_d AS text CHECK (traces(VALUE));
CREATE TABLE worded (id int, w word_d);
CREATE TABLE tops (id int PRIMARY KEY);
CREATE TABLE subs (id int PRIMARY KEY, top int REFERENCES tops ON DELETE CASCADE);
CREATE TRIGGER subs_trace AFTER DELETE ON subs FOR EACH ROW EXECUTE FUNCTION trg_trace();
INSERT INTO wages VALUES (1, 100000, 300000, 'a'), (2, 90000, 300000, 'b');
INSERT INTO people VALUES (1, 'ann@example.com'), (2, 'bo@example.com');
INSERT INTO refs VALUES (1, 'ann@example.com');
INSERT INTO shapes VALUES ('ann');
INSERT INTO parents VALUES (1, 'p');
INSERT INTO children VALUES (1, 1);
INSERT INTO keeps VALUES (1, 'n');
INSERT INTO traced VALUES (1, 'ann@example.com', 'n'), (2, 'bo@example.com', 'n');
INSERT INTO ruled SELECT id, email, 'n' FROM people;
INSERT INTO checked SELECT id, email, 'n' FROM people;
INSERT INTO guarded SELECT id, email FROM people;
INSERT INTO tops VALUES (1);
INSERT INTO subs VALUES (1, 1);
TRUNCATE trace;
CREATE TRIGGER traced_old AFTER UPDATE OF note ON traced FOR EACH ROW EXECUTE FUNCTION trg_old();
CREATE TRIGGER traced_move BEFORE UPDATE OF id ON traced FOR EACH ROW EXECUTE FUNCTION trg_move();
CREATE TRIGGER traced_gone AFTER DELETE ON traced REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION trg_gone();
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY guarded_own ON guarded USING (traces(email));
ANALYZE;
-- variant B
SELECT :'variant' = 'B' AS is_b \gset
\if :is_b
UPDATE wages SET salary = salary * 2;
UPDATE people SET email = 'x' || email;
UPDATE refs SET email = 'xbo@example.com';
UPDATE shapes SET word = 'xann';
UPDATE traced SET email = 'x' || email;
ALTER TABLE ruled DISABLE RULE ruled_trace;
UPDATE ruled SET email = 'x' || email;
ALTER TABLE ruled ENABLE RULE ruled_trace;
UPDATE checked SET email = 'x' || email;
UPDATE guarded SET email = 'x' || email;
TRUNCATE trace;
\endif
ANALYZE;

-- What our own attacks need besides schema.sql.
-- Protected columns: people.email, refs.email, shapes.word, wages.salary. Read after schema.sql, in the same psql.
SET client_min_messages = warning;
CREATE TABLE wages (id int PRIMARY KEY, salary int, cap int, note text, CHECK (salary <= cap));
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE);
CREATE TABLE refs (id int PRIMARY KEY, email text REFERENCES people (email) ON UPDATE CASCADE);
CREATE TABLE shapes (word text);
CREATE UNIQUE INDEX ON shapes (lower(word)) WHERE word <> '';
CREATE VIEW v_people AS SELECT id, email AS contact FROM people;
CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
INSERT INTO wages VALUES (1, 100000, 300000, 'a'), (2, 90000, 300000, 'b');
INSERT INTO people VALUES (1, 'ann@example.com'), (2, 'bo@example.com');
INSERT INTO refs VALUES (1, 'ann@example.com');
INSERT INTO shapes VALUES ('ann');
INSERT INTO parents VALUES (1, 'p');
INSERT INTO children VALUES (1, 1);
ANALYZE;
-- variant B
SELECT :'variant' = 'B' AS is_b \gset
\if :is_b
UPDATE wages SET salary = salary * 2;
UPDATE people SET email = 'x' || email;
UPDATE refs SET email = 'xbo@example.com';
UPDATE shapes SET word = 'xann';
\endif
ANALYZE;

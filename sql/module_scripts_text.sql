-- How scripts may be written, what they may make, and where errors say they are.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_text_owner', 'regress_text_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography'), publicdigit.install_module('geography');
RESET client_min_messages;

\getenv abs_srcdir PG_ABS_SRCDIR
\set attempt :abs_srcdir '/test/include/attempt.psql'
\i :attempt
CREATE FUNCTION install(script text, tables jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', 'forms', 'version', '1.0.0', 'context', 'tenant',
        'tables', tables, 'scripts', jsonb_build_object('migrations/tenant/0001_forms.up.sql', script)));
    SELECT publicdigit.install_module('forms', 'acme')::text
$$;

-- Nothing to do is no error.
SELECT to_json(script), attempt(script) FROM unnest(ARRAY['', ' ', E'\r\n', ';', ';;', '-- comment', '/* comment */', E'-- comment\n;']) AS script;

-- Comments, quotes, line ends, text beyond ASCII.
SELECT attempt(E'/* a /* nested */ ; */ CREATE TABLE t (tenant_id uuid) -- ; no end\n; -- after it\nINSERT INTO t DEFAULT VALUES -- and no end', '{"t": "tenant"}');
SELECT attempt(E'CREATE TABLE t (\r\n\ttenant_id uuid,\r\n\tnote text\r\n);\r\n\r\nINSERT INTO t (note)\r\n\tVALUES (E''a;b'');\r\n', '{"t": "tenant"}');
SELECT attempt(E'CREATE TABLE "naïve Tabelle" (tenant_id uuid, "größe" text DEFAULT ''ü;''); INSERT INTO "naïve Tabelle" DEFAULT VALUES; SELECT ''日本'' || 1 / 0');
SELECT attempt($s$CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN $q$;--$q$; END; $f$;
CREATE FUNCTION g(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT a + 1; END;
CREATE PROCEDURE p() BEGIN ATOMIC SELECT 1; END; CALL p(); SELECT f(), g(1) $s$);
SELECT attempt(E'SELECT ''a\\'', ''b''; SELECT E''\\'';'', U&''\\0041''');
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT attempt('SELECT ' || chr(39) || 'a' || chr(92) || chr(39) || '; SELECT 1');
RESET standard_conforming_strings;
RESET escape_string_warning;

-- Where an error is: statement, and the line on which it begins.
SELECT attempt(E'SELECT 1;\n\n-- why\n/* and\nhow */ SELECT\n  1 / 0;');
SELECT attempt(E'SELECT ''é'';\r\nSELECT ''日本'';\r\nSELEC 1;');
SELECT attempt(E'SELECT 1;\nSELECT (2');
SELECT attempt(E'SELECT 1;\nSELECT ''open');
SELECT attempt(E'SELECT 1;\n\nSELECT * FROM nowhere');
SELECT attempt(E'SELECT 1;\nDO $$\nBEGIN\n  PERFORM 1 / 0;\nEND $$');
SELECT attempt(E'SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''\nSELECT nothing''');

-- What a module consists of besides tables.
SELECT install($s$
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN score AS int CHECK (VALUE >= 0);
CREATE SEQUENCE numbers START 100;
CREATE TABLE "order" ("group" int DEFAULT nextval('numbers') PRIMARY KEY, tenant_id uuid, mood mood, score score, "Total" int);
CREATE TABLE lines (id bigserial PRIMARY KEY, tenant_id uuid, "order" int REFERENCES "order");
ALTER SEQUENCE numbers OWNED BY "order"."group";
COMMENT ON COLUMN lines.id IS 'number';
CREATE INDEX ON lines ("order");
CREATE STATISTICS line_statistics ON id, "order" FROM lines;
CREATE VIEW orders WITH (security_invoker = true) AS SELECT "group", mood FROM "order";
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM generate_series(1, 2);
CREATE FUNCTION order_count() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM "order"';
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW."Total" := 7; RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON "order" FOR EACH ROW EXECUTE FUNCTION stamp();
INSERT INTO "order" (mood, score) VALUES ('good', 1), ('bad', 2);
INSERT INTO lines ("order") SELECT "group" FROM "order";
UPDATE "order" SET score = score + 1;
REFRESH MATERIALIZED VIEW totals;
ALTER TABLE lines ADD COLUMN note text, ALTER COLUMN "order" SET NOT NULL;
ALTER TABLE lines RENAME note TO remark;
$s$, '{"order": "tenant", "lines": "tenant"}');
SELECT relname, relkind, pg_get_userbyid(relowner) AS owner, relrowsecurity AND relforcerowsecurity AS secured
FROM pg_class WHERE relnamespace = 'tenant_acme'::regnamespace AND relkind IN ('r', 'v', 'm', 'S') ORDER BY relname;
-- As the app role, logged in: what was granted is there to use, and the rest is not.
SELECT publicdigit.grant_tenant_access('regress_text_app', '*');
SET SESSION AUTHORIZATION regress_text_app;
BEGIN;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
INSERT INTO "order" (mood) VALUES ('good') RETURNING "group", mood, score, "Total";
INSERT INTO lines ("order") VALUES (100) RETURNING id;
SELECT "group", mood, score FROM "order" ORDER BY "group";
SELECT order_count(), total("group") FROM "order";
SAVEPOINT a;
SELECT * FROM totals;
ROLLBACK TO a;
SELECT setval('numbers', 1);
ROLLBACK TO a;
TRUNCATE lines;
ROLLBACK TO a;
ALTER TABLE lines DISABLE ROW LEVEL SECURITY;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT * FROM tenant_acme.totals;

-- A later migration that only alters a table of another module has not made it.
SELECT attempt('ALTER TABLE lines ADD COLUMN more text', '{}');
-- Refreshing without a lock is the server's ANALYZE, not the script's.
SELECT attempt('CREATE MATERIALIZED VIEW mv AS SELECT n FROM generate_series(1, 3) AS n;  CREATE UNIQUE INDEX ON mv (n); REFRESH MATERIALIZED VIEW CONCURRENTLY mv');
-- A range type, with the casts that come with it.
SELECT attempt('CREATE TYPE span AS RANGE (SUBTYPE = int); CREATE TABLE spans (tenant_id uuid, s span); INSERT INTO spans (s) VALUES (span(1, 2))', '{"spans": "tenant"}');
-- Sequences of its own, by all that draws from one.
SELECT attempt('CREATE TABLE numbered (id serial PRIMARY KEY, tenant_id uuid, n int); INSERT INTO numbered (n) VALUES (1), (2);
    ALTER TABLE numbered ADD m bigserial; SELECT setval(pg_get_serial_sequence(''numbered'', ''id''), max(id) + 5) FROM numbered;
    SELECT setval(''numbered_id_seq'', 9, false);
    CREATE FUNCTION next() RETURNS bigint LANGUAGE plpgsql AS ''BEGIN RETURN nextval(''''numbered_id_seq''''); END'';
    CREATE TABLE more (tenant_id uuid, id bigint DEFAULT nextval(''numbered_id_seq'') CHECK (id = 9)); INSERT INTO more DEFAULT VALUES;
    DO ''BEGIN ASSERT next() = 10; ASSERT (SELECT max(m) FROM numbered) = 2; END''', '{"numbered": "tenant", "more": "tenant"}');
-- Where it cannot be told whose the sequence is, none is drawn from.
SELECT attempt(statement) FROM unnest(ARRAY[
    'CREATE FUNCTION next() RETURNS bigint LANGUAGE sql AS ''SELECT nextval(''''numbers'''')''; SELECT next()',
    'ALTER TABLE lines ADD n bigint DEFAULT nextval(''numbers'')',
    'ALTER TABLE lines ADD n bigserial CHECK (nextval(''numbers'') > 0)',
    'ALTER TABLE lines ADD n bigserial, ADD m bigint DEFAULT nextval(''numbers'')',
    'ALTER TABLE lines ADD CHECK (setval(''numbers'', 7) > 0) NOT VALID; INSERT INTO lines ("order") VALUES (1)']) AS statement;

DROP FUNCTION attempt, install;
SET client_min_messages = warning;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_text_owner, regress_text_app;

-- Modules that are wrong, large or odd; after each error all is as it was.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
-- Registers and installs a module of one script.
CREATE FUNCTION installing(script text, name text DEFAULT 'odd') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('client_min_messages', 'error', true);
    RETURN harmless(format('SELECT module(%L, ''1.0.0'', jsonb_build_object(''0001_odd.up'', %L::text)), publicdigit.install_module(%1$L, ''acme'')', name, script));
END $$;
RESET client_min_messages;

-- Numbers with gaps, twins, from elsewhere; ranges that nobody satisfies.
SELECT harmless(format('SELECT module(''gap'', ''1.0.0'', %L)', s)) FROM unnest('{"{\"0001_a.up\": \"\", \"0003_b.up\": \"\"}", "{\"0001_a.up\": \"\", \"0001_b.up\": \"\"}",
    "{\"0002_a.up\": \"\"}", "{\"0000_a.up\": \"\"}", "{\"1_a.up\": \"\"}", "{\"0001_a.up\": \"\", \"00002_b.up\": \"\"}", "{\"0001_a.down\": \"\"}", "{\"9999999999_a.up\": \"\"}"}'::text[]) AS s;
SELECT module('far', '1.0.0', '{}', '{"requires": {"near": ">=2 <1"}}'), module('near', '1.0.0', '{}'), module('circle', '1.0.0', '{}', '{"requires": {"far": "*"}}');
SELECT harmless($$SELECT publicdigit.install_module('far', 'acme')$$);
SELECT harmless($$SELECT publicdigit.install_module('circle', 'acme')$$);
SELECT harmless($$SELECT * FROM publicdigit.plan_module('install', 'circle', 'acme')$$);

-- Stopped in the middle, by a timeout and by an error: nothing stays, the next call works.
SET statement_timeout = '1s';
SELECT module('slow', '1.0.0', '{"0001_a.up": "CREATE TABLE slow (tenant_id uuid)", "0002_b.up": "SELECT pg_sleep(30)"}');
SELECT publicdigit.install_module('slow', 'acme');
SELECT harmless($$SELECT publicdigit.install_module('slow', 'acme')$$);
RESET statement_timeout;
SELECT installing('CREATE TABLE t (tenant_id uuid); SELECT 1 / 0');
SELECT current_user = session_user AS role, current_setting('search_path') AS path, tenant, source FROM publicdigit.context();
-- In a session that works as another tenant, with a path and settings of its own.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('beta') IS NOT NULL;
SET LOCAL search_path = pg_catalog, public;
SELECT snapshot() AS before \gset
SAVEPOINT s;
SELECT installing('SELECT set_config(''search_path'', ''public'', false); CREATE TABLE t (tenant_id uuid); SELECT 1 / 0');
ROLLBACK TO s;
SELECT snapshot() = :'before' AS as_before;
SELECT installing('CREATE TABLE t (tenant_id uuid)', 'fine');
SELECT current_setting('search_path'), tenant FROM publicdigit.context();
ROLLBACK TO s;
SELECT snapshot() = :'before' AS as_before;
COMMIT;

-- Quotes of every kind, and what has no semicolon where one looks.
SELECT installing($odd$/* a /* nested ' ; */ comment "; */ CREATE TABLE "semi;colon" (tenant_id uuid, "a""b" text DEFAULT ';''--'); -- it's; fine
    CREATE FUNCTION body() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN $$;'$$::text = ';'''; END $f$;
    CREATE FUNCTION atomic() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT "a""b" FROM "semi;colon"; SELECT CASE WHEN true THEN ';' END; END;
    INSERT INTO "semi;colon" ("a""b") VALUES (E'\';'), (U&'\0441;' ), ($x$;$y$;$x$), ('\');
    DO $do$ BEGIN EXECUTE 'CREATE TABLE inner_one (tenant_id uuid);' || $q$ INSERT INTO inner_one SELECT publicdigit.current_tenant_id();$q$; END $do$;;;$odd$);
-- A table gets its default when the statement that makes it has ended.
SELECT installing($$DO 'BEGIN CREATE TABLE early (tenant_id uuid); INSERT INTO early DEFAULT VALUES; END'$$, 'early');
SELECT count(*) FROM tenant_acme."semi;colon" UNION ALL SELECT count(*) FROM tenant_acme.inner_one;
SELECT step, left(statement, 25), right(statement, 12) FROM publicdigit.plan_module('install', 'odd', 'beta');
SELECT broken();
SELECT installing(script, 'bad' || n) FROM unnest(ARRAY[E'SELECT 1;\n\nCOPY t FROM stdin;\n1\n\\.\n', E'SELECT 1;\n\nCOPY t FROM stdin;', E'\nCOPY (SELECT 1) TO stdout', E'SELECT ''open', E'SELECT 1;\n$f$ open',
    E'/* /* open */', E'SELECT 1;\nSELEC 2', E'SELECT 1;\n\\i other.sql', E'BEGIN; CREATE TABLE t (tenant_id uuid); COMMIT', E'SELECT 1;\nROLLBACK', E'CREATE INDEX CONCURRENTLY i ON t (a)',
    E'VACUUM', E'SAVEPOINT s', E'DO ''BEGIN COMMIT; END''', E'SELECT $1', E'SELECT ''a'' \\gexec', E'SELECT\u00a01']) WITH ORDINALITY AS s (script, n);

-- plan_module splits as the scripts run, whatever the caller's setting, and tells where an error is.
SET client_min_messages = error;
SELECT module('backslash', '1.0.0', jsonb_build_object('0001_a.up', $$SELECT '\'; SELECT 'two'$$)), module('wrong', '1.0.0', '{"0001_a.up": "SELECT 1"}');
SET standard_conforming_strings = off;
SELECT step, statement FROM publicdigit.plan_module('install', 'backslash', 'acme');
SELECT current_setting('standard_conforming_strings');
RESET standard_conforming_strings;
RESET client_min_messages;
-- What another server has taken for SQL.
UPDATE publicdigit.module_script SET content = E'SELECT 1;\n\nSELEC 2' WHERE content = 'SELECT 1';
SELECT harmless($$SELECT * FROM publicdigit.plan_module('install', 'wrong', 'acme')$$);

-- Names at 63 bytes, of modules, tables, functions, migrations.
SELECT repeat('m', 63) AS m, repeat('t', 63) AS t, '0001_' || repeat('x', 150) AS x \gset
SELECT module(:'m', '1.0.0', jsonb_build_object(:'x' || '.up', format('CREATE TABLE %s (id serial PRIMARY KEY, tenant_id uuid)', :'t'), :'x' || '.down', 'DROP TABLE ' || :'t',
    'r.repeatable', format('CREATE VIEW v%s AS SELECT 1 AS one', left(:'t', 62))), jsonb_build_object('on_uninstall', 'archive', 'tables', jsonb_build_object(:'t', 'tenant')));
SELECT publicdigit.install_module(:'m', 'acme'), publicdigit.uninstall_module(:'m', 'acme'), publicdigit.install_module(:'m', 'acme');
SELECT broken();
SELECT publicdigit.rollback_tenant('acme');
SELECT harmless(format('SELECT module(%L, ''1.0.0'', ''{}'')', :'m' || 'm'));
SELECT harmless(format('SELECT module(''long'', ''1.0.0'', jsonb_build_object(%L, ''''))', '0001_' || repeat('x', 250) || '.up'));
SELECT harmless(format('SELECT module(''long'', ''1.0.0'', ''{"0001_a.up": ""}'', jsonb_build_object(''tables'', jsonb_build_object(%L, ''tenant'')))', :'t' || 't'));

-- 200 migrations, up, back, and a ledger that agrees.
SELECT module('many', '1.0.0', (SELECT jsonb_object_agg(name || '.up', format('CREATE TABLE m%s (tenant_id uuid)', n)) || jsonb_object_agg(name || '.down', 'DROP TABLE m' || n)
    FROM generate_series(1, 200) AS n, LATERAL (SELECT to_char(n, 'FM0000') || '_m' AS name) AS f),
    jsonb_build_object('tables', (SELECT jsonb_object_agg('m' || n, 'tenant') FROM generate_series(1, 200) AS n)));
SELECT publicdigit.install_module('many', 'acme');
SELECT broken();
SELECT publicdigit.rollback_tenant('acme');
SELECT count(*) FROM pg_class WHERE relnamespace = 'tenant_acme'::regnamespace AND relname ~ '^m\d';

-- A script of five megabytes, in one statement and in many; its memory is given back.
SET client_min_messages = error;
SELECT sum(total_bytes) AS before FROM pg_backend_memory_contexts \gset
SELECT harmless(format('SELECT module(%L, ''1.0.0'', %L), publicdigit.install_module(%1$L, ''acme'')', name, jsonb_build_object('0001_big.up', script, '0001_big.down', 'DROP TABLE ' || name)))
FROM (VALUES ('wide', 'CREATE TABLE wide (tenant_id uuid, n text); INSERT INTO wide (n) VALUES (''' || repeat('x', 5000000) || ''')'),
             ('deep', 'CREATE TABLE deep (tenant_id uuid, n text);' || repeat(E'INSERT INTO deep (n) VALUES (''' || repeat('y', 70) || E''');\n', 2000) || '-- ' || repeat('z', 4800000))) AS s (name, script);
SELECT length(n) AS wide, (SELECT count(*) FROM tenant_acme.deep) AS deep FROM tenant_acme.wide;
SELECT sum(total_bytes) - :before < 4000000 AS given_back FROM pg_backend_memory_contexts;
SELECT publicdigit.uninstall_module('wide', 'acme'), publicdigit.uninstall_module('deep', 'acme');
SELECT broken();

SET client_min_messages = error;
DROP FUNCTION installing;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

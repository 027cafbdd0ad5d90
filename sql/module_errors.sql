-- A module whose script fails leaves nothing, wherever in it and inside whatever it fails.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_errors_owner', 'regress_errors_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography'), publicdigit.register_module('members'), publicdigit.register_module('digital_card');
SELECT publicdigit.install_module('geography');
RESET client_min_messages;

\getenv abs_srcdir PG_ABS_SRCDIR
\set try_call :abs_srcdir '/test/include/try_call.psql'
\i :try_call
-- Everything that an install could leave: rows of the registry, objects, bindings, settings.
CREATE VIEW traces AS
    SELECT (SELECT count(*) FROM publicdigit.installation) AS installations,
           (SELECT count(*) FROM publicdigit.migrations) AS migrations,
           (SELECT count(*) FROM publicdigit.seed) AS seeds,
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'tenant_acme'::regnamespace) AS relations,
           (SELECT count(*) FROM pg_proc WHERE pronamespace = 'tenant_acme'::regnamespace) AS functions,
           current_user = session_user AS role, current_setting('search_path') AS path,
           current_setting('row_security') AS row_security, publicdigit.current_tenant() AS tenant;
SELECT publicdigit.register_module(jsonb_build_object('name', 'broken', 'version', '1.2.3-rc.1', 'context', 'tenant',
    'requires', '{"members": "^1.0"}'::jsonb, 'tables', '{"good": "tenant"}'::jsonb, 'scripts', jsonb_build_object(
    'migrations/tenant/0001_good.up.sql', 'CREATE TABLE good (id int PRIMARY KEY, tenant_id uuid)',
    'migrations/tenant/0002_bad.up.sql', E'-- Three statements.\nINSERT INTO good VALUES (1);\n\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS\n\t''SELECT 1'';\n'
        '/* The third fails. */ INSERT INTO good\n\tVALUES (1);\nSELECT ''never'';')));
SELECT * FROM traces;

-- At top level: what is required goes with it.
SELECT publicdigit.install_module('broken', 'acme');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM traces;
-- In an exception block.
SELECT try($$SELECT publicdigit.install_module('broken', 'acme')$$);
SELECT * FROM traces;
-- In a savepoint, after which a right one installs in the same transaction.
BEGIN;
SAVEPOINT a;
SELECT publicdigit.install_module('broken', 'acme');
ROLLBACK TO a;
SELECT * FROM traces;
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT publicdigit.install_module('members', 'globex');
SELECT try($$SELECT publicdigit.install_module('broken', 'acme')$$) ~ '^23505';
SELECT tenant, module, migration FROM publicdigit.migrations WHERE context = 'tenant' ORDER BY tenant, module;
SELECT publicdigit.uninstall_module('digital_card', 'acme');
SAVEPOINT b;
SELECT publicdigit.uninstall_module('members', 'acme');
ROLLBACK TO b;
SELECT module FROM publicdigit.module_installations WHERE tenant = 'acme' ORDER BY module;
COMMIT;
SELECT module FROM publicdigit.module_installations WHERE tenant = 'acme' ORDER BY module;
SELECT * FROM traces;
-- While a tenant is bound, this one or another: it stays bound.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
SELECT public.try($$SELECT publicdigit.install_module('broken', 'acme')$$) ~ '^23505';
SELECT publicdigit.current_tenant(), current_setting('search_path'), source FROM publicdigit.context();
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT publicdigit.current_tenant(), current_setting('search_path'), source FROM publicdigit.context();
SELECT count(*) FROM members;
ROLLBACK;

-- What a later check refuses goes as well: rules, manifest, a script that verifies.
SELECT publicdigit.register_module(jsonb_build_object('name', 'unruly', 'version', '1.0.0', 'context', 'tenant', 'tables', '{"a": "tenant"}'::jsonb,
    'scripts', '{"migrations/tenant/0001_a.up.sql": "CREATE TABLE a (tenant_id uuid); CREATE TABLE b (id int)"}'::jsonb));
SELECT publicdigit.install_module('unruly', 'globex');
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(jsonb_build_object('name', 'promising', 'version', '1.0.0', 'context', 'tenant', 'tables', '{"a": "tenant", "b": "tenant"}'::jsonb,
    'scripts', '{"migrations/tenant/0001_a.up.sql": "CREATE TABLE a (tenant_id uuid)"}'::jsonb));
SELECT publicdigit.install_module('promising', 'globex');
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(jsonb_build_object('name', 'verified', 'version', '1.0.0', 'context', 'tenant', 'tables', '{"a": "tenant"}'::jsonb, 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', 'CREATE TABLE a (tenant_id uuid)', 'migrations/tenant/0001_a.verify.sql',
    E'SELECT 1;\nDO $$BEGIN RAISE ''% rows, expected 1'', (SELECT count(*) FROM a) USING HINT = ''Write one.''; END$$')));
SELECT try($$SELECT publicdigit.install_module('verified', 'globex')$$);
SELECT relname FROM pg_class WHERE relnamespace = 'tenant_globex'::regnamespace AND relkind = 'r';

-- A question that a script which verifies asks must be answered with yes, in every row; other queries
-- are thrown away, and so is what a query in a function gives.
SELECT count(publicdigit.register_module(jsonb_build_object('name', 'asking', 'version', '1.0.' || n, 'context', 'tenant', 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', 'CREATE DOMAIN answer AS boolean', 'migrations/tenant/0001_a.down.sql', 'DROP DOMAIN answer',
                       'migrations/tenant/0001_a.verify.sql', script))))
FROM unnest(ARRAY[E'SELECT true;\n\nSELECT count(*) = 1 FROM pg_class WHERE false', 'SELECT n < 3 FROM generate_series(1, 9) AS n',
    'VALUES (true::answer), (NULL)', 'SELECT bool_and(true) WHERE false',
    'SELECT true; SELECT false WHERE false; SELECT 0; SELECT false, ''told''; SELECT ''f''::text; EXPLAIN SELECT false; DO ''BEGIN PERFORM false; END'''])
    WITH ORDINALITY AS s (script, n);
SELECT try(format('SELECT publicdigit.install_module(''asking'', ''globex'', ''1.0.%s'')', n)) FROM generate_series(1, 5) AS n;
SELECT publicdigit.uninstall_module('asking', 'globex');
-- Nowhere else.
SELECT publicdigit.register_module(jsonb_build_object('name', 'idle', 'version', '1.0.0', 'context', 'tenant', 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', 'SELECT false', 'migrations/tenant/0001_a.down.sql', 'SELECT false')));
SELECT publicdigit.install_module('idle', 'globex');
SELECT publicdigit.uninstall_module('idle', 'globex');

-- A lock that is not to be had is no fault of the module's, in a script that verifies or for check_drift.
SELECT publicdigit.register_module(jsonb_build_object('name', 'waiting', 'version', '1.0.0', 'context', 'tenant', 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', 'SELECT 1', 'migrations/tenant/0001_a.down.sql', '', 'migrations/tenant/0001_a.verify.sql',
    'DO $$BEGIN IF current_setting(''regress.busy'', true) = ''yes'' THEN RAISE lock_not_available; END IF; END$$')));
SET regress.busy = 'yes';
SELECT try($$SELECT publicdigit.install_module('waiting', 'globex')$$);
RESET regress.busy;
SELECT publicdigit.install_module('waiting', 'globex');
SET regress.busy = 'yes';
SELECT left(try($$SELECT publicdigit.check_drift('globex')$$), 25);
RESET regress.busy;
SELECT publicdigit.uninstall_module('waiting', 'globex');

-- The script's own SQLSTATE, message, detail and hint arrive.
SELECT publicdigit.register_module(jsonb_build_object('name', 'telling', 'version', '1.0.0', 'context', 'tenant', 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', E'\n\nDO $$BEGIN RAISE ''told'' USING ERRCODE = ''XX123'', DETAIL = ''A detail.'', HINT = ''A hint.''; END$$')));
SELECT try($$SELECT publicdigit.install_module('telling', 'globex')$$);
-- And warnings do, from wherever they come, without an error.
SELECT publicdigit.register_module(jsonb_build_object('name', 'warning', 'version', '1.0.0', 'context', 'tenant', 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', 'DO $$BEGIN RAISE WARNING ''take care''; END$$')));
SELECT publicdigit.install_module('warning', 'globex');
-- A script that mends its own error goes on.
SELECT publicdigit.register_module(jsonb_build_object('name', 'mending', 'version', '1.0.0', 'context', 'tenant', 'tables', '{"a": "tenant"}'::jsonb, 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', $s$CREATE TABLE a (id int PRIMARY KEY, tenant_id uuid);
    DO 'BEGIN INSERT INTO a VALUES (1), (1); EXCEPTION WHEN unique_violation THEN INSERT INTO a VALUES (2); END';
    DO 'BEGIN DELETE FROM landlord.countries; EXCEPTION WHEN insufficient_privilege THEN INSERT INTO a VALUES (3); END'$s$)));
SET client_min_messages = error;
SELECT publicdigit.install_module('mending', 'globex');
BEGIN;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
SELECT id FROM a ORDER BY id;
COMMIT;
RESET client_min_messages;

-- What a schema that was changed by hand makes of a higher version, of a lower one and of seeds; the server's own hints stay.
SET client_min_messages = error;
SELECT count(publicdigit.register_module(jsonb_build_object('name', 'drifted', 'version', '1.' || n || '.0', 'context', 'tenant', 'tables', '{"d": "tenant"}'::jsonb,
    'scripts', jsonb_strip_nulls(jsonb_build_object('migrations/tenant/0001_d.up.sql', 'CREATE TABLE d (tenant_id uuid, amount int CONSTRAINT c CHECK (amount > 0))',
        'migrations/tenant/0001_d.down.sql', 'ALTER TABLE d DROP COLUMN amount; DROP TABLE d', 'migrations/tenant/0002_d.up.sql', script,
        'migrations/tenant/0002_d.down.sql', 'SELECT 2 ' || left(script, 0), 'seeds/tenant/d.sql', 'INSERT INTO d (amount) VALUES (1)')))))
FROM unnest(ARRAY[NULL, 'ALTER TABLE d ADD COLUMN amount int', 'ALTER TABLE d ADD CONSTRAINT c CHECK (true)', 'CREATE TABLE d (tenant_id uuid)',
    'ALTER TABLE d DROP COLUMN price', 'ALTER TABLE d DROP CONSTRAINT e', 'ALTER TABLE e ADD COLUMN f int', 'UPDATE d SET amount = 1 WHERE amonut = 2',
    'SELECT 1 / 0', 'ALTER TABLE d ADD COLUMN note text']) WITH ORDINALITY AS s (script, n);
SELECT publicdigit.install_module('drifted', 'globex', '1.1.0');
SELECT n, regexp_replace(try(format('SELECT publicdigit.upgrade_module(''drifted'', ''globex'', ''1.%s.0'')', n)), E'\nCONTEXT.*', '') FROM generate_series(2, 9) AS n;
ALTER TABLE tenant_globex.d RENAME amount TO price;
SELECT difference, object FROM publicdigit.check_drift('globex') WHERE module = 'drifted';
SELECT regexp_replace(try($$SELECT publicdigit.seed_module('drifted', 'globex')$$), E'\nCONTEXT.*', '');
SELECT regexp_replace(try($$SELECT publicdigit.uninstall_module('drifted', 'globex')$$), E'\nCONTEXT.*', '');
ALTER TABLE tenant_globex.d RENAME price TO amount;
-- A table that has lost its protection is mended as the hint says.
DROP POLICY publicdigit_tenant ON tenant_globex.d;
SELECT try($$SELECT publicdigit.upgrade_module('drifted', 'globex', '1.10.0')$$);
SELECT publicdigit.protect_table('tenant_globex.d');
SELECT publicdigit.upgrade_module('drifted', 'globex', '1.10.0');
-- The landlord's.
SELECT count(publicdigit.register_module(jsonb_build_object('name', 'world', 'version', version, 'context', 'landlord', 'scripts', scripts)))
FROM (VALUES ('1.0.0', '{"migrations/0001_a.up.sql": ""}'::jsonb), ('1.1.0', '{"migrations/0001_a.up.sql": "", "migrations/0002_b.up.sql": "ALTER TABLE countries DROP COLUMN flag"}')) AS v (version, scripts);
SELECT publicdigit.install_module('world', version => '1.0.0');
SELECT regexp_replace(try($$SELECT publicdigit.upgrade_module('world')$$), E'\nCONTEXT.*', '');
SELECT publicdigit.register_module('{"name": "chart", "version": "1.0.0", "context": "landlord", "requires": {"world": "^1.1"}, "scripts": {"migrations/0001_a.up.sql": "SELECT 1"}}');
RESET client_min_messages;

-- An aborted transaction, a cancelled script.
BEGIN;
SELECT 1 / 0;
SELECT publicdigit.install_module('members', 'acme');
ROLLBACK;
SELECT publicdigit.register_module(jsonb_build_object('name', 'slow', 'version', '1.0.0', 'context', 'tenant', 'scripts',
    jsonb_build_object('migrations/tenant/0001_a.up.sql', 'CREATE TABLE slow (tenant_id uuid); SELECT pg_sleep(600)')));
SET statement_timeout = '200ms';
SELECT publicdigit.install_module('slow', 'acme');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT to_regclass('tenant_acme.slow');
BEGIN TRANSACTION READ ONLY;
SELECT publicdigit.install_module('digital_card', 'acme');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- Planning takes no locks there, and comes to the same.
CREATE VIEW planned AS SELECT p.* FROM (VALUES ('install', 'digital_card', 'acme'), ('uninstall', 'drifted', 'globex'), ('seed', 'drifted', 'globex'),
    ('upgrade', 'world', '@landlord'), ('install', 'chart', '@landlord')) AS c (action, module, tenant), publicdigit.plan_module(c.action, c.module, c.tenant) AS p;
SELECT string_agg(planned::text, E'\n') AS plan FROM planned \gset
BEGIN TRANSACTION READ ONLY ISOLATION LEVEL REPEATABLE READ;
SELECT count(*), string_agg(planned::text, E'\n') = :'plan' AS same FROM planned;
SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND mode ~ 'RowShare|Exclusive' AND locktype = 'relation';
ROLLBACK;
SELECT publicdigit.suspend_tenant('acme');
BEGIN TRANSACTION READ ONLY;
SELECT * FROM publicdigit.plan_module('install', 'digital_card', 'acme');
ROLLBACK;
SELECT publicdigit.resume_tenant('acme');
DROP VIEW planned;
SELECT * FROM traces;

DROP VIEW traces;
DROP FUNCTION try;
SET client_min_messages = warning;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_errors_owner, regress_errors_app;

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
SELECT * FROM traces;

DROP VIEW traces;
DROP FUNCTION try;
SET client_min_messages = warning;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_errors_owner, regress_errors_app;

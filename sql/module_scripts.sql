-- What a module's script may not do: transactions, roles, settings, kinds of statements.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_scripts_owner', 'regress_scripts_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography'), publicdigit.register_module('members');
SELECT publicdigit.install_module('geography'), publicdigit.install_module('members', 'acme');
RESET client_min_messages;

\getenv abs_srcdir PG_ABS_SRCDIR
\set attempt :abs_srcdir '/test/include/attempt.psql'
\i :attempt
-- In a DO block, where no look at the text finds it.
CREATE FUNCTION hidden(statement text) RETURNS text LANGUAGE sql AS $$
    SELECT format('DO %L', format('BEGIN EXECUTE %L; END', statement))
$$;

-- Transactions.
SELECT string_agg(statement, ', ' ORDER BY statement), attempt(statement) AS outcome FROM unnest('{BEGIN,COMMIT,ROLLBACK,COMMIT AND CHAIN,SAVEPOINT a,ROLLBACK TO a,PREPARE TRANSACTION ''a''}'::text[])
AS statement GROUP BY outcome ORDER BY outcome;
SELECT attempt(E'SELECT 1;\n\nCOMMIT;');
SELECT attempt('DO $$BEGIN COMMIT; END$$');
SELECT attempt('DO $$BEGIN ROLLBACK; END$$');
SELECT attempt('CREATE PROCEDURE p() LANGUAGE plpgsql AS ''BEGIN COMMIT; END''; CALL p()');
SELECT attempt(hidden('COMMIT'));
SELECT attempt(hidden('SAVEPOINT a'));
-- At top level, without an exception block around it.
SELECT publicdigit.register_module('{"name": "commits", "version": "1.0.0", "context": "tenant",
    "scripts": {"migrations/tenant/0001_a.up.sql": "CREATE TABLE t (tenant_id uuid);\nCOMMIT"}}');
SELECT publicdigit.install_module('commits', 'acme');
\echo :LAST_ERROR_SQLSTATE
SELECT to_regclass('tenant_acme.t'), count(*) FROM publicdigit.module_installations WHERE module = 'commits';

-- Roles.
SELECT string_agg(statement, ', ' ORDER BY statement), attempt(statement) AS outcome FROM unnest('{SET ROLE NONE,SET ROLE regress_scripts_app,RESET ROLE,
    SET SESSION AUTHORIZATION regress_scripts_app,RESET SESSION AUTHORIZATION}'::text[])
AS statement GROUP BY outcome ORDER BY outcome;
SELECT left(attempt(hidden(statement)), 5) FROM unnest('{SET ROLE NONE,SET LOCAL ROLE regress_scripts_app,RESET ROLE,SET SESSION AUTHORIZATION regress_scripts_app}'::text[]) AS statement;
SELECT left(attempt($$SELECT set_config('role', 'none', true)$$), 5);
SELECT attempt($$DO 'BEGIN RAISE ''%, %'', current_user, publicdigit.current_tenant(); END'$$);

-- The tenant.
SELECT string_agg(statement, ', ' ORDER BY statement), attempt(statement) AS outcome FROM unnest(
    '{RESET publicdigit.context,SET publicdigit.context = '''',RESET ALL,SELECT publicdigit.forget_tenant()}'::text[])
AS statement GROUP BY outcome ORDER BY outcome;
SELECT left(attempt(hidden(statement)), 5) FROM unnest('{RESET publicdigit.context,SET LOCAL publicdigit.context = '''',RESET ALL,SELECT publicdigit.forget_tenant()}'::text[]) AS statement;
SELECT left(attempt(statement), 5), left(attempt(hidden(statement)), 5) FROM unnest('{SELECT publicdigit.use_tenant(''globex''),
    "SELECT publicdigit.use_tenant(''acme'', local => false)",SELECT publicdigit.use_landlord()}'::text[]) AS statement;

-- The path and row security; what is set back in time is not seen.
SELECT string_agg(statement, ', ' ORDER BY statement), attempt(statement) AS outcome FROM unnest(
    '{SET search_path = landlord,SET LOCAL search_path = pg_temp,RESET search_path}'::text[])
AS statement GROUP BY outcome ORDER BY outcome;
SELECT attempt('SET row_security = off') ~ '^42501: a module script may not change "row_security"';
SELECT left(attempt(hidden(statement)), 5) FROM unnest('{SET search_path = landlord,SET LOCAL search_path = landlord,RESET search_path,SET LOCAL row_security = off,"SELECT set_config(''search_path'', ''landlord'', true)"}'::text[]) AS statement;
SELECT attempt('DO $$BEGIN SET LOCAL search_path = landlord; PERFORM FROM countries; SET LOCAL search_path = tenant_acme, landlord, pg_temp; END$$');

-- Row security of the module's tables, their owner, their policies.
SELECT string_agg(change, ', ' ORDER BY change), attempt('ALTER TABLE members ' || change) AS outcome FROM unnest('{DISABLE ROW LEVEL SECURITY,NO FORCE ROW LEVEL SECURITY,OWNER TO regress_scripts_app}'::text[])
AS change GROUP BY outcome ORDER BY outcome;
SELECT string_agg(change, ', ' ORDER BY change), left(attempt(hidden('ALTER TABLE members ' || change)), 5) AS outcome FROM unnest('{DISABLE ROW LEVEL SECURITY,NO FORCE ROW LEVEL SECURITY,OWNER TO regress_scripts_app}'::text[])
AS change GROUP BY outcome ORDER BY outcome;
SELECT string_agg(statement || change, ', ' ORDER BY statement, change), attempt(statement || ' ON members' || change) AS outcome FROM (VALUES ('DROP POLICY publicdigit_tenant', ''),
    ('ALTER POLICY publicdigit_tenant', ' USING (true)'), ('ALTER POLICY publicdigit_tenant', ' WITH CHECK (true)'),
    ('ALTER POLICY publicdigit_tenant', ' TO regress_scripts_app'), ('ALTER POLICY publicdigit_tenant', ' RENAME TO other'),
    ('ALTER POLICY publicdigit_bound', ' USING (true)')) AS v (statement, change)
GROUP BY outcome ORDER BY outcome;
SELECT left(attempt(hidden('DROP POLICY publicdigit_tenant ON members')), 5);

-- Privileges: a script may take away, and from its own objects only.
SELECT string_agg(what, '; ' ORDER BY what), attempt('GRANT ' || what) AS outcome FROM unnest('{SELECT ON members TO PUBLIC,SELECT ON countries TO PUBLIC,USAGE ON SCHEMA tenant_acme TO PUBLIC,regress_scripts_owner TO regress_scripts_app}'::text[])
AS what GROUP BY outcome ORDER BY outcome;
SELECT string_agg(what, '; ' ORDER BY what), attempt('REVOKE ' || what) AS outcome FROM unnest('{SELECT ON members FROM regress_scripts_app,SELECT ON countries FROM regress_scripts_app,USAGE ON SCHEMA tenant_acme FROM regress_scripts_app,ALL ON ALL TABLES IN SCHEMA landlord FROM regress_scripts_app}'::text[])
AS what GROUP BY outcome ORDER BY outcome;
SELECT attempt('CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC');
SELECT left(attempt(hidden('GRANT SELECT ON members TO PUBLIC')), 5);

-- Files, programs, the client.
SELECT string_agg(place, ', ' ORDER BY place), attempt('COPY members ' || place) AS outcome FROM unnest('{TO PROGRAM ''cat'',FROM PROGRAM ''cat'',TO ''/nowhere/file'',FROM ''/nowhere/file'',FROM stdin,TO stdout}'::text[])
AS place GROUP BY outcome ORDER BY outcome;
SELECT left(attempt(hidden('COPY members ' || place)), 5) FROM unnest('{TO PROGRAM ''cat'',FROM ''/nowhere/file'',FROM stdin}'::text[]) AS place;
SELECT left(attempt($$SELECT pg_read_file('PG_VERSION')$$), 5);

-- What cannot be undone, or is no module's business.
SELECT attempt('CREATE INDEX CONCURRENTLY ON members (email)');
SELECT attempt('DROP INDEX CONCURRENTLY members_tenant_id_email_key');
SELECT statement, left(attempt(statement), 5) || ' ' || left(attempt(hidden(statement)), 5) FROM unnest(ARRAY[
    'DROP EXTENSION publicdigit CASCADE', 'CREATE EXTENSION plpgsql', 'CREATE EXTENSION IF NOT EXISTS plpgsql',
    'ALTER EXTENSION plpgsql ADD TABLE members', 'CREATE SCHEMA other', 'DROP SCHEMA tenant_acme CASCADE',
    'DROP SCHEMA tenant_globex CASCADE', 'DROP SCHEMA landlord CASCADE', 'ALTER SCHEMA tenant_acme RENAME TO other',
    'ALTER SCHEMA tenant_acme OWNER TO regress_scripts_app', 'CREATE ROLE regress_scripts_other',
    'ALTER ROLE regress_scripts_app SUPERUSER', 'ALTER ROLE regress_scripts_owner SET search_path = landlord',
    'DROP OWNED BY regress_scripts_owner', 'REASSIGN OWNED BY regress_scripts_owner TO regress_scripts_app',
    'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC', 'ALTER SYSTEM SET work_mem = 64',
    'ALTER DATABASE postgres SET work_mem = 64', 'CREATE DATABASE other', 'VACUUM members', 'ANALYZE members',
    'CLUSTER members', 'REINDEX TABLE members', 'CHECKPOINT', 'LOAD ''plpgsql''', 'DISCARD ALL', 'DISCARD TEMP',
    'LISTEN channel', 'UNLISTEN *', 'NOTIFY channel', 'CREATE PUBLICATION other', 'CREATE CAST (int AS members) WITH INOUT',
    'CREATE FOREIGN TABLE other (tenant_id uuid) SERVER other', 'SECURITY LABEL ON TABLE members IS ''x''',
    'CREATE EVENT TRIGGER other ON ddl_command_end EXECUTE FUNCTION f()', 'CREATE TEMP TABLE other (id int)',
    'CREATE TABLE pg_temp.other (id int)', 'CREATE TEMP VIEW other AS SELECT 1', 'CREATE TEMP SEQUENCE other',
    'CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS ''SELECT 1''', 'SELECT 1 AS a INTO TEMP other',
    'SELECT lo_create(0)', 'SELECT lo_from_bytea(0, ''x'')', 'SELECT publicdigit.install_module(''members'', ''globex'')',
    'UPDATE publicdigit.setting SET environment = ''testing''', 'UPDATE pg_class SET relname = relname',
    'ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default']) AS statement;
SELECT attempt('DROP EXTENSION publicdigit CASCADE');
SELECT attempt(hidden('VACUUM'));

-- The session is as it was, and what is allowed still is.
SELECT current_user = session_user, current_setting('search_path'), current_setting('row_security'), publicdigit.current_tenant();
SELECT attempt('CREATE TABLE t (tenant_id uuid); SELECT 1; VALUES (1); TABLE t; EXPLAIN SELECT 1; LOCK TABLE t; SHOW work_mem', '{"t": "tenant"}');

DROP FUNCTION attempt, hidden;
SET client_min_messages = warning;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_scripts_owner, regress_scripts_app;

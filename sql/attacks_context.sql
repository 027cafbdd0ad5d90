-- Attempts to choose a tenant without use_tenant(): by the setting, from every side it can be set.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\set attack :include 'attack.psql'
\i :attack

-- The best forgery there is without the key: the layout is right, and its signature is made up.
SELECT 'b:' || replace(encode(decode('02010000', 'hex')
           || decode(substr(hex, 7, 2) || substr(hex, 5, 2) || substr(hex, 3, 2) || substr(hex, 1, 2), 'hex')
           || uuid_send(:'beta'::uuid) || decode(repeat('00', 32), 'hex'), 'base64'), E'\n', '') AS forged
FROM pg_roles, lpad(to_hex(oid::bigint), 8, '0') AS hex WHERE rolname = 'regress_web' \gset
SELECT length(:'forged');

-- SET, SET LOCAL, set_config(), by an application that has bound a tenant already.
\c - regress_web
\set bound 'SELECT publicdigit.current_tenant(), (SELECT string_agg(body, $$, $$ ORDER BY body) FROM landlord.event), public.probe($$forged$$);'
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SET publicdigit.context = :'forged';
\echo :LAST_ERROR_SQLSTATE
:bound
BEGIN;
SET LOCAL publicdigit.context = :'forged';
ROLLBACK;
SELECT value, public.try(format('SET publicdigit.context = %L', value)) ~ '^28000: invalid value',
       public.try(format('SELECT set_config(''publicdigit.context'', %L, true)', value)) ~ '^28000: invalid value'
FROM unnest(ARRAY['tenant', 'acme', 'b:', 'b:AAAA', ' ', repeat('A', 78), 'b:' || repeat('A', 76),
                  'b:' || repeat('A', 75) || '=', 'b:' || repeat('!', 76), 'b:' || repeat('é', 38)]) AS value;
SELECT public.try(format('SET publicdigit.context = %L', :'acme'));
SELECT public.try(format('SELECT set_config(''publicdigit.context'', %L, true)', :'forged'));
SELECT public.try(format('UPDATE pg_settings SET setting = %L WHERE name = ''publicdigit.context''', :'forged'));
SELECT public.try('SET publicdigit.contexts = ''x''');
:bound

-- By statements that change who one is, by functions, and by what is put back.
SELECT public.attack(statement, statement, true)
FROM unnest(ARRAY['SELECT publicdigit.use_tenant(''beta'')', 'SELECT publicdigit.use_tenant(''*'')',
    'SET SESSION AUTHORIZATION regress_other', 'SET ROLE regress_owner', 'SET ROLE regress_admin', 'SET ROLE pg_read_all_data',
    'SET ROLE regress_app; SELECT publicdigit.use_tenant(''beta'')', 'SET row_security = off; TABLE landlord.event',
    'SELECT publicdigit.grant_tenant_access(''regress_web'', ''beta'')', 'SELECT publicdigit.issue_token(''beta'', ''1 min'')',
    'INSERT INTO publicdigit.access (role_name) VALUES (''regress_web'')', 'SELECT publicdigit.suspend_tenant(''acme'')',
    'SELECT publicdigit.unprotect_table(''landlord.event'')', 'TABLE publicdigit.tenant', 'TABLE publicdigit.tenants',
    'SELECT publicdigit.use_token(''a.b.c'')', 'SET publicdigit.key_file = ''/etc/passwd''', 'SHOW publicdigit.key_file',
    'SET publicdigit.token_audience = ''x''', 'SET publicdigit.token_max_ttl = 1000000', 'SET publicdigit.shared_schemas = ''tenant_beta''',
    'ALTER FUNCTION publicdigit.current_tenant_id() IMMUTABLE', 'CREATE FUNCTION publicdigit.current_tenant() RETURNS text LANGUAGE sql RETURN ''beta''',
    'LOAD ''publicdigit''', 'UPDATE pg_proc SET proname = proname WHERE proname = ''current_tenant_id''']) AS statement;
SELECT public.attack('use_tenant by id', format('SELECT publicdigit.use_tenant(%L)', :'beta'), true);
SELECT public.attack('use_tenant by id', format('SELECT publicdigit.use_tenant(%L::uuid)', :'beta'), true);
SELECT public.try(format('SELECT publicdigit.use_tenant(%L)', repeat('eyJ0.', 30)));
-- What undoes a switch undoes it for good: nothing of beta is left behind.
SELECT public.attack(statement, statement)
FROM unnest(ARRAY['RESET publicdigit.context', 'RESET ALL', 'RESET SESSION AUTHORIZATION', 'RESET ROLE', 'SET ROLE regress_app',
    'SET SESSION AUTHORIZATION DEFAULT', 'DISCARD PLANS', 'DISCARD SEQUENCES', 'DISCARD TEMP',
    'SET LOCAL publicdigit.context TO DEFAULT', 'SELECT set_config(''publicdigit.context'', NULL, false)']) AS statement;
:bound

-- In exception blocks and savepoints.
BEGIN;
SAVEPOINT s;
SET LOCAL publicdigit.context = :'forged';
ROLLBACK TO s;
:bound
COMMIT;

-- The value does not show: not in SHOW, not in pg_settings, not for a function to take along.
SHOW publicdigit.context;
SELECT current_setting('publicdigit.context');
SELECT setting, boot_val, reset_val, source FROM pg_settings WHERE name = 'publicdigit.context';
SELECT public.try('SELECT set_config(''publicdigit.context'', current_setting(''publicdigit.context''), false)');
SELECT public.try('CREATE FUNCTION pg_temp.f() RETURNS int SET publicdigit.context FROM CURRENT LANGUAGE sql RETURN 1');
SELECT public.try(format('CREATE FUNCTION pg_temp.f() RETURNS int SET publicdigit.context = %L LANGUAGE sql RETURN 1', :'forged'));
CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql RETURN publicdigit.current_tenant();
SELECT public.try(format('ALTER FUNCTION pg_temp.f() SET publicdigit.context = %L', :'forged'));
SELECT pg_temp.f();

-- ALTER ROLE and ALTER DATABASE, by oneself and by a superuser.
SELECT public.try(format('ALTER ROLE regress_web SET publicdigit.context = %L', :'forged'));
SELECT public.try(format('ALTER DATABASE %I SET publicdigit.context = %L', current_database(), :'forged'));
SELECT public.try('ALTER ROLE regress_web SET publicdigit.context FROM CURRENT');
\c - :superuser
SELECT publicdigit.environment();
SELECT try(format('ALTER ROLE regress_web SET publicdigit.context = %L', :'forged'));
SELECT try(format('ALTER DATABASE %I SET publicdigit.context = %L', current_database(), :'forged'));
\c - regress_web
:bound

-- A value that stands there all the same, put there before the library was, is dropped at log-in or
-- when the library is loaded, with a warning.
\c - :superuser
INSERT INTO pg_db_role_setting
SELECT 0, oid, ARRAY['client_min_messages=error', 'publicdigit.context=' || :'forged']
FROM pg_authid WHERE rolname = 'regress_web';
\c - regress_web
:bound
SHOW publicdigit.context;
RESET publicdigit.context;
:bound
RESET ALL;
:bound
DISCARD ALL;
:bound
\c - :superuser
ALTER ROLE regress_web RESET ALL;

-- The same in a session of which the library may not be part yet: stacked placeholders.
\c - regress_web
SET client_min_messages = error;
DO $$ BEGIN
    PERFORM set_config('publicdigit.context', 'b:AAAA', false);
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
BEGIN;
\set VERBOSITY sqlstate
\o /dev/null
SAVEPOINT a;
SELECT public.try(format('SET LOCAL publicdigit.context = %L', :'forged'));
SAVEPOINT b;
SELECT public.try(format('SET publicdigit.context = %L', :'forged'));
\o
\set VERBOSITY default
:bound
ROLLBACK TO a;
:bound
COMMIT;
:bound
SHOW publicdigit.context;

-- From the client's side: PGOPTIONS.  Refused, at log-in or when the library is loaded.
\setenv PGDATABASE :DBNAME
\setenv PGUSER regress_web
\setenv FORGED :forged
\! PGOPTIONS="-c publicdigit.context=$FORGED" psql -XAtc 'SELECT publicdigit.current_tenant_id() IS NULL' 2>&1 | grep -c 'invalid value for parameter "publicdigit.context"'
\! PGOPTIONS="-c publicdigit.context=$FORGED" psql -XAtc 'SELECT body FROM landlord.event' 2>/dev/null
\! PGOPTIONS="-c publicdigit.context=" psql -XAtc 'SELECT publicdigit.current_tenant_id() IS NULL' 2>&1

-- The right to set a parameter is no right to set it to this.
\c - :superuser
SELECT publicdigit.environment();
GRANT SET ON PARAMETER publicdigit.context TO regress_web;
ALTER SYSTEM SET publicdigit.context = :'forged';
\echo :LAST_ERROR_SQLSTATE
\c - regress_web
SELECT publicdigit.environment();
SELECT public.try(format('SET publicdigit.context = %L', :'forged')) ~ '^28000';
\c - :superuser
REVOKE SET ON PARAMETER publicdigit.context FROM regress_web;

-- A hostile search_path: what stands in front of pg_catalog is not what the functions use.
CREATE SCHEMA regress_evil;
GRANT USAGE, CREATE ON SCHEMA regress_evil TO regress_web;
\c - regress_web
CREATE FUNCTION regress_evil.fail() RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'caught as %', current_user; END $$;
CREATE FUNCTION regress_evil.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT regress_evil.fail()';
CREATE FUNCTION regress_evil.same(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT regress_evil.fail()';
CREATE FUNCTION regress_evil.same(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT regress_evil.fail()';
CREATE OPERATOR regress_evil.= (FUNCTION = regress_evil.same, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR regress_evil.= (FUNCTION = regress_evil.same, LEFTARG = uuid, RIGHTARG = uuid);
CREATE OPERATOR regress_evil.= (FUNCTION = regress_evil.same, LEFTARG = name, RIGHTARG = name);
CREATE TABLE regress_evil.tenant (id uuid, slug text);
CREATE TEMP TABLE event (body text);
CREATE TEMP TABLE pg_class (x int);
SET search_path = pg_temp, regress_evil, pg_catalog;
BEGIN;
SELECT publicdigit.use_tenant('acme') IS NOT NULL, publicdigit.current_tenant(), publicdigit.find_tenant('x.org');
SELECT count(*) FROM event;
COMMIT;
SELECT count(*) FROM landlord.event;
\c - :superuser
SET search_path = regress_evil, pg_catalog;
SELECT publicdigit.create_tenant('gamma', domains => '{g.example.org}') IS NOT NULL;
SELECT publicdigit.grant_tenant_access('regress_web', 'gamma'), publicdigit.find_tenant('g.example.org') IS NOT NULL;
SELECT publicdigit.protect_table('tenant_acme.note');
SELECT publicdigit.drop_tenant('gamma', true);
SELECT publicdigit.setup('regress_owner', 'regress_app', admin => 'regress_admin');
RESET search_path;

\set attack_end :include 'attack_end.psql'
\i :attack_end
\set clean :include 'clean.psql'
\i :clean

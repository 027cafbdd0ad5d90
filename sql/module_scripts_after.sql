-- What a module's script may not leave behind: code that runs later as somebody else,
-- and changes of the session.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_after_owner', 'regress_after_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography'), publicdigit.install_module('geography');
SELECT publicdigit.register_module('members'), publicdigit.install_module('members', slug) FROM publicdigit.tenants;

\getenv abs_srcdir PG_ABS_SRCDIR
\set attempt :abs_srcdir '/test/include/attempt.psql'
\i :attempt
CREATE FUNCTION install(script text, tables jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', 'm' || md5(script), 'version', '1.0.0', 'context', 'tenant',
        'tables', tables, 'scripts', jsonb_build_object('migrations/tenant/0001_left_over.up.sql', script)));
    SELECT publicdigit.install_module('m' || md5(script), 'acme')::text
$$;
-- Installs, or leaves it where it is refused, without a word.
CREATE FUNCTION leave(script text, tables jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE messages text := current_setting('client_min_messages');
BEGIN
    PERFORM set_config('client_min_messages', 'error', true);
    PERFORM install(script, tables);
    PERFORM set_config('client_min_messages', messages, true);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR SQLSTATE 'PD001' THEN NULL;
END $$;
-- Triggers that say who they run as.
CREATE FUNCTION who(name text, also text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format('CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS %L;', name, format(
        'BEGIN RAISE WARNING ''%s: %%, tenant %%'', current_user, publicdigit.current_tenant(); %s RETURN NULL; END', name, also))
$$;
CREATE FUNCTION two_tables(how text) RETURNS text LANGUAGE sql AS $$
    SELECT format('CREATE TABLE t (tenant_id uuid); CREATE TABLE u (tenant_id uuid);
    CREATE CONSTRAINT TRIGGER first AFTER INSERT ON t DEFERRABLE INITIALLY %s FOR EACH ROW EXECUTE FUNCTION first();
    CREATE CONSTRAINT TRIGGER second AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION second();', how)
$$;

-- Deferred triggers fire before the script's role is put back, also those that other triggers bring about.
BEGIN;
SELECT install(who('first', 'INSERT INTO u DEFAULT VALUES;') || who('second') || two_tables('DEFERRED') || 'INSERT INTO t DEFAULT VALUES',
    '{"t": "tenant", "u": "tenant"}');
\echo nothing is left for COMMIT
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- Those that the script defers itself, and those that a trigger defers once more.
BEGIN;
SELECT install(who('first') || who('second') || two_tables('IMMEDIATE') || 'SET CONSTRAINTS first, tenant_acme.second DEFERRED; INSERT INTO t DEFAULT VALUES; INSERT INTO u DEFAULT VALUES',
    '{"t": "tenant", "u": "tenant"}');
\echo nothing is left for COMMIT
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
BEGIN;
SELECT leave(who('first', 'SET CONSTRAINTS second DEFERRED; INSERT INTO u DEFAULT VALUES;') || who('second') || two_tables('DEFERRED') || 'INSERT INTO t DEFAULT VALUES',
    '{"t": "tenant", "u": "tenant"}');
\echo nothing is left for COMMIT
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- Those of a partition, to which a later script writes by the parent.
BEGIN;
SELECT install(who('first') || 'CREATE TABLE p (tenant_id uuid, k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
    CREATE CONSTRAINT TRIGGER first AFTER INSERT ON p1 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION first();', '{"p": "tenant"}');
SELECT install('INSERT INTO p (k) VALUES (1)');
\echo nothing is left for COMMIT
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- Those of a table to which only another trigger writes, and those that a trigger itself makes.
BEGIN;
SELECT install(who('second') || 'CREATE TABLE u (tenant_id uuid);
    CREATE CONSTRAINT TRIGGER second AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION second()', '{"u": "tenant"}');
SELECT install(who('first', 'INSERT INTO u DEFAULT VALUES;') || 'CREATE TABLE t (tenant_id uuid);
    CREATE CONSTRAINT TRIGGER first AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION first(); INSERT INTO t DEFAULT VALUES', '{"t": "tenant"}');
\echo nothing is left for COMMIT
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
CREATE FUNCTION made_for(target text) RETURNS text LANGUAGE sql AS $$
    SELECT who('second') || who('first', format('IF (SELECT count(*) FROM t) = 1 THEN
        CREATE CONSTRAINT TRIGGER second AFTER INSERT ON %1$s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION second();
        INSERT INTO %1$s DEFAULT VALUES; END IF;', target)) || 'CREATE TABLE t (tenant_id uuid); CREATE TABLE u (tenant_id uuid);
    CREATE CONSTRAINT TRIGGER first AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION first(); INSERT INTO t DEFAULT VALUES'
$$;
BEGIN;
SELECT install(made_for('u'), '{"t": "tenant", "u": "tenant"}');
\echo nothing is left for COMMIT
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
SELECT attempt(made_for('t'), '{"t": "tenant", "u": "tenant"}');
-- What the caller has deferred is not the script's to fire or to defer.
SELECT attempt(format('SET CONSTRAINTS %s', what)) FROM unnest('{ALL IMMEDIATE,ALL DEFERRED,landlord.k IMMEDIATE,k DEFERRED}'::text[]) AS what;
-- A deferred key that does not hold is the script's error, not COMMIT's.
SELECT attempt('CREATE TABLE t (id int PRIMARY KEY, tenant_id uuid, t int REFERENCES t DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1, DEFAULT, 2)', '{"t": "tenant"}');
-- Two keys of one name, only one of them deferrable: refused while it has something to check.
SELECT attempt('CREATE TABLE t (id int PRIMARY KEY, tenant_id uuid);
    CREATE TABLE u (tenant_id uuid, t int CONSTRAINT k REFERENCES t DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE v (tenant_id uuid, t int CONSTRAINT k REFERENCES t); INSERT INTO t VALUES (1); INSERT INTO v (t) VALUES (1)',
    '{"t": "tenant", "u": "tenant", "v": "tenant"}') LIKE '%installed';
SELECT attempt('CREATE TABLE t (id int PRIMARY KEY, tenant_id uuid);
    CREATE TABLE u (tenant_id uuid, t int CONSTRAINT k REFERENCES t DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE v (tenant_id uuid, t int CONSTRAINT k REFERENCES t); INSERT INTO t VALUES (1); INSERT INTO u (t) VALUES (1)',
    '{"t": "tenant", "u": "tenant", "v": "tenant"}');
-- What the caller has deferred stays deferred.
BEGIN;
CREATE TABLE mine (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO mine VALUES (1), (1);
SELECT install('SELECT 1');
DELETE FROM mine;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;

-- A cursor's query would run when the caller fetches or commits, as the caller.
BEGIN;
SELECT leave('DECLARE c CURSOR FOR SELECT 1');
SELECT name FROM pg_cursors WHERE name = 'c';
ROLLBACK;
BEGIN;
SELECT leave('DECLARE c CURSOR WITH HOLD FOR SELECT 1');
SELECT name FROM pg_cursors WHERE name = 'c';
ROLLBACK;
BEGIN;
SELECT leave(format('DO %L', 'BEGIN EXECUTE ''DECLARE c CURSOR WITH HOLD FOR SELECT 1''; END'));
SELECT leave(format('DO %L', 'DECLARE d refcursor := ''d''; BEGIN OPEN d FOR SELECT 1; END'));
SELECT name FROM pg_cursors WHERE name IN ('c', 'd') ORDER BY name;
ROLLBACK;

-- Nor may it put another query into the caller's cursor, or read from it.
BEGIN;
DECLARE mine CURSOR FOR VALUES ('mine'), ('too');
SELECT attempt('DO ''DECLARE c refcursor := ''''mine''''; BEGIN CLOSE c; OPEN c FOR SELECT 1; END''');
SELECT attempt('DO ''DECLARE c refcursor := ''''mine''''; r record; BEGIN FETCH c INTO r; END''');
SELECT attempt('DO ''DECLARE c refcursor := ''''mine''''; BEGIN CLOSE c; EXCEPTION WHEN OTHERS THEN NULL; END''') ~ 'installed';
FETCH mine;
CLOSE mine;
ROLLBACK;
-- A caller's loop goes on.
DO $$
DECLARE slug text; c CURSOR FOR SELECT t.slug FROM publicdigit.tenants AS t ORDER BY 1;
BEGIN
    OPEN c;
    LOOP
        FETCH c INTO slug;
        EXIT WHEN NOT FOUND;
        PERFORM attempt('SELECT 1'), attempt('SELECT 1 / 0');
        RAISE WARNING '%', slug;
    END LOOP;
    CLOSE c;
END $$;

-- Settings, cursors and prepared statements: those of the session are the caller's.
SET statement_timeout = '1h';
PREPARE mine AS SELECT 'mine';
BEGIN;
SELECT leave('SET statement_timeout = 5000');
SHOW statement_timeout;
ROLLBACK;
BEGIN;
SELECT leave('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET DateStyle = ''German''; SET my.setting = 1');
SELECT current_setting('default_transaction_read_only'), current_setting('DateStyle') ~ 'German', coalesce(current_setting('my.setting', true), '') = '1';
ROLLBACK;
BEGIN;
SELECT leave('PREPARE theirs AS SELECT 1');
SELECT attempt('PREPARE theirs_failing AS SELECT 1; SELECT 1 / 0') <> 'installed';
SELECT name FROM pg_prepared_statements ORDER BY name;
SELECT leave('DEALLOCATE ALL');
SELECT name FROM pg_prepared_statements ORDER BY name;
ROLLBACK;
BEGIN;
DECLARE mine CURSOR FOR VALUES ('mine');
SELECT leave('CLOSE ALL');
SELECT name FROM pg_cursors WHERE name = 'mine';
ROLLBACK;
RESET statement_timeout;
DEALLOCATE ALL;

-- A rule would write the landlord's table as the owner whenever the app role writes its own.
SELECT attempt('CREATE RULE r AS ON INSERT TO members DO ALSO UPDATE landlord.countries SET name = ''x''') <> 'installed';
SELECT attempt('CREATE VIEW v AS SELECT * FROM landlord.countries; CREATE RULE r AS ON INSERT TO members DO ALSO UPDATE v SET name = ''x''');
-- Nor a table that becomes a view afterwards, up to 15 by a rule.
SELECT attempt('CREATE TABLE v (LIKE landlord.countries); CREATE RULE r AS ON INSERT TO members DO ALSO UPDATE v SET name = ''x''; CREATE RULE "_RETURN" AS ON SELECT TO v DO INSTEAD SELECT * FROM landlord.countries');
-- A rule inside the schema does no harm.
SELECT attempt('CREATE TABLE t (tenant_id uuid); CREATE TABLE u (tenant_id uuid); CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u DEFAULT VALUES; INSERT INTO t DEFAULT VALUES',
    '{"t": "tenant", "u": "tenant"}');

-- Functions and operators of its own are not what the extension calls meanwhile.
SELECT attempt('CREATE FUNCTION format(text, name, name) RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE WARNING ''''called''''; RETURN pg_catalog.format($1, $2, $3); END'';
    CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, tenant_id uuid); INSERT INTO t VALUES (1)', '{"t": "tenant"}') ~ 'installed';
SELECT attempt('CREATE FUNCTION same(oid, int) RETURNS boolean LANGUAGE sql AS ''SELECT true''; CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = int, FUNCTION = same)');

-- SECURITY DEFINER with a path that its caller can get in front of.
SELECT attempt('CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS ''SELECT 1''');
SELECT attempt('CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''; ALTER FUNCTION f() SECURITY DEFINER');
SELECT attempt('CREATE PROCEDURE p() LANGUAGE sql SECURITY DEFINER AS ''SELECT 1''');
SELECT path, left(attempt('CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = ' || path || ' AS ''SELECT 1'''), 5)
FROM unnest(ARRAY['pg_catalog, pg_temp', 'tenant_acme, pg_temp', 'pg_temp, tenant_acme', 'tenant_acme']) AS path;
SELECT attempt('CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ''SELECT 1''; ALTER FUNCTION f() RESET ALL') ~ '^PD001';

-- Nothing of all this is there any more.
SELECT relname FROM pg_class WHERE relnamespace = 'tenant_acme'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'tenant_acme'::regnamespace;

DROP FUNCTION attempt, install, leave, who, two_tables;
SET client_min_messages = warning;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_after_owner, regress_after_app;

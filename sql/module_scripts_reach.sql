-- What a module's script may not reach: the landlord's and other tenants' objects.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_reach_owner', 'regress_reach_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography'), publicdigit.register_module('members');
SELECT publicdigit.install_module('geography'), publicdigit.install_module('members', slug) FROM publicdigit.tenants;
SELECT publicdigit.seed_module('geography');
-- Things of the landlord's that no module made.
SET ROLE regress_reach_owner;
CREATE TABLE landlord.plans (id serial PRIMARY KEY, name text);
INSERT INTO landlord.plans (name) VALUES ('free');
CREATE VIEW landlord.plan_names AS SELECT name FROM landlord.plans;
CREATE MATERIALIZED VIEW landlord.plan_count AS SELECT count(*) FROM landlord.plans;
CREATE FUNCTION landlord.plan() RETURNS text LANGUAGE sql AS 'SELECT name FROM landlord.plans';
CREATE TYPE landlord.mood AS ENUM ('good');
CREATE SEQUENCE landlord.numbers;
-- And of the other tenant's.
CREATE SEQUENCE tenant_globex.numbers;
CREATE VIEW tenant_globex.names AS SELECT full_name FROM tenant_globex.members;
RESET ROLE;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
INSERT INTO members (full_name, email) VALUES ('Grace', 'grace@globex.example');
COMMIT;
SET client_min_messages = warning;

\getenv abs_srcdir PG_ABS_SRCDIR
\set attempt :abs_srcdir '/test/include/attempt.psql'
\i :attempt
-- The state alone, plain and in a DO block, where both must be the same.
CREATE FUNCTION state(script text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE plain WHEN hidden THEN plain ELSE plain || ', in DO ' || hidden END
    FROM split_part(attempt(script), ':', 1) AS p (plain),
         split_part(attempt(format('DO %L', format('BEGIN EXECUTE %L; END', script))), ':', 1) AS h (hidden)
$$;

-- Messages, once for each way in which it is noticed.
SELECT attempt('SELECT * FROM tenant_globex.members');
SELECT attempt('DO $$BEGIN EXECUTE ''DELETE FROM tenant_globex.members''; END$$');
SELECT attempt('CREATE TEMP TABLE t (id int)');
SELECT attempt('UPDATE countries SET name = upper(name)');
SELECT attempt('CREATE TABLE landlord.other (id int)') ~ '^42501: a module script may not change .*\nDETAIL: It may change objects of schema "tenant_acme" only\.';
SELECT attempt('ALTER TABLE countries ADD flag text');
SELECT attempt('DROP FUNCTION landlord.plan()');
SELECT attempt('CREATE TABLE t (tenant_id uuid); ALTER TABLE t SET SCHEMA landlord');

-- Another tenant's schema, by name.
SELECT statement, state(statement) FROM unnest(ARRAY[
    'SELECT count(*) FROM tenant_globex.members', 'INSERT INTO tenant_globex.members DEFAULT VALUES',
    'UPDATE tenant_globex.members SET full_name = ''x''', 'TRUNCATE tenant_globex.members',
    'DROP TABLE tenant_globex.members', 'CREATE TABLE tenant_globex.t (tenant_id uuid)',
    'ALTER TABLE tenant_globex.members DISABLE ROW LEVEL SECURITY', 'LOCK TABLE tenant_globex.members',
    'DROP POLICY publicdigit_tenant ON tenant_globex.members', 'CREATE INDEX ON tenant_globex.members (email)',
    'COMMENT ON TABLE tenant_globex.members IS ''x''', 'REVOKE ALL ON tenant_globex.members FROM regress_reach_app',
    'CREATE VIEW v AS SELECT * FROM tenant_globex.members', 'CREATE TABLE t (LIKE tenant_globex.members)',
    'CREATE TABLE t (tenant_id uuid, m uuid REFERENCES tenant_globex.members)', 'SELECT * FROM tenant_globex.names',
    'CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM tenant_globex.members; END',
    'CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS ''SELECT count(*) FROM tenant_globex.members''',
    'SELECT nextval(''tenant_globex.numbers'')', 'SELECT ''tenant_globex.members''::regclass',
    'SELECT last_value FROM tenant_globex.numbers', 'CREATE TABLE t (tenant_id uuid); ALTER TABLE t SET SCHEMA tenant_globex',
    'CREATE FUNCTION tenant_globex.f() RETURNS int LANGUAGE sql AS ''SELECT 1''']) AS statement;
-- By a path that a function sets, by OID.
SELECT left(attempt('CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql SET search_path = tenant_globex AS ''BEGIN RETURN (SELECT count(*) FROM members); END''; SELECT f()'), 5);
SELECT state(format('SELECT %s FROM pg_class AS c WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ''tenant_globex'') AND relkind = %L', call, kind))
FROM (VALUES ('setval(oid, 77)', 'S'), ('nextval(oid)', 'S'), ('table_to_xml(oid, true, false, '''')', 'r')) AS v (call, kind);

-- Within the action of a foreign key, where row-level security is not forced.
BEGIN;
SET ROLE regress_reach_owner;
CREATE TABLE landlord.events (tenant_id uuid, body text);
RESET ROLE;
SELECT publicdigit.protect_table('landlord.events');
SELECT attempt('CREATE TABLE pk (id int PRIMARY KEY, tenant_id uuid); CREATE TABLE fk (tenant_id uuid, id int REFERENCES pk ON DELETE CASCADE);
    CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN PERFORM body FROM landlord.events; RETURN OLD; END'';
    CREATE TRIGGER spy BEFORE DELETE ON fk FOR EACH ROW EXECUTE FUNCTION spy();
    INSERT INTO pk VALUES (1); INSERT INTO fk (id) VALUES (1); DELETE FROM pk', '{"pk": "tenant", "fk": "tenant"}');
-- Refused before it takes effect, not only after the statement.
SELECT attempt(format('DO %L', $$BEGIN ALTER POLICY publicdigit_tenant ON landlord.events USING (true); RAISE EXCEPTION 'too late'; END$$));
ROLLBACK;

-- From a parallel worker.
SET ROLE regress_reach_owner;
CREATE MATERIALIZED VIEW tenant_globex.summary AS SELECT 'a secret' AS secret;
RESET ROLE;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT left(attempt('CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS ''DECLARE r text; BEGIN EXECUTE $$SELECT secret FROM tenant_globex.summary$$ INTO r; RETURN r; END'';
    CREATE TABLE t AS SELECT publicdigit.current_tenant_id() AS tenant_id, f() FROM countries', '{"t": "tenant"}'), 5);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;

-- The landlord's schema: no writes, no changes, by qualified name and by its place in the path.
SELECT statement, state(statement) FROM unnest(ARRAY[
    'INSERT INTO countries VALUES (''XX'', ''x'')', 'UPDATE landlord.countries SET name = ''x''', 'DELETE FROM countries',
    'MERGE INTO plans USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE',
    'WITH gone AS (DELETE FROM plans RETURNING id) SELECT * FROM gone', 'EXPLAIN ANALYZE DELETE FROM plans',
    'INSERT INTO plan_names VALUES (''x'')', 'CREATE VIEW v AS SELECT name FROM plans; INSERT INTO v VALUES (''x'')',
    'TRUNCATE plans', 'TRUNCATE members, plans', 'DROP TABLE plans CASCADE', 'DROP VIEW plan_names',
    'ALTER TABLE plans RENAME TO other', 'ALTER TABLE plans RENAME name TO other', 'ALTER TABLE plans DISABLE TRIGGER ALL',
    'ALTER TABLE plans SET (fillfactor = 50)', 'ALTER INDEX plans_pkey RENAME TO other',
    'ALTER VIEW plan_names ALTER name SET DEFAULT ''x''', 'CREATE OR REPLACE VIEW landlord.plan_names AS SELECT ''x''::text AS name',
    'CREATE INDEX ON plans (name)', 'CREATE POLICY p ON plans', 'CREATE RULE r AS ON INSERT TO plans DO ALSO NOTHING',
    'CREATE TRIGGER t AFTER INSERT ON plans EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE TABLE t (tenant_id uuid) INHERITS (plans)', 'CREATE STATISTICS landlord.s ON id, name FROM plans',
    'COMMENT ON TABLE plans IS ''x''', 'COMMENT ON COLUMN plans.name IS ''x''', 'REFRESH MATERIALIZED VIEW plan_count',
    'CREATE OR REPLACE FUNCTION landlord.plan() RETURNS text LANGUAGE sql AS ''SELECT 1''', 'ALTER FUNCTION plan() COST 7',
    'ALTER TYPE mood ADD VALUE ''bad''', 'ALTER TYPE mood RENAME VALUE ''good'' TO ''bad''', 'DROP TYPE mood',
    'ALTER SEQUENCE numbers RESTART 7', 'REVOKE SELECT ON countries FROM regress_reach_app',
    'DO ''BEGIN SET LOCAL search_path = landlord; DELETE FROM plans; SET LOCAL search_path = tenant_acme, landlord, pg_temp; END''']) AS statement;
-- Nor is anything of the landlord's drawn from, locked, taken over, or tied to something else.
SELECT statement, state(statement) FROM unnest(ARRAY[
    'SELECT nextval(''landlord.numbers'')', 'SELECT setval(''landlord.numbers'', 77)',
    'LOCK TABLE plans IN ACCESS EXCLUSIVE MODE', 'ALTER TABLE plans SET SCHEMA tenant_acme',
    'ALTER VIEW plan_names SET SCHEMA tenant_acme', 'ALTER MATERIALIZED VIEW plan_count SET SCHEMA tenant_acme',
    'ALTER SEQUENCE numbers SET SCHEMA tenant_acme', 'ALTER FUNCTION plan() SET SCHEMA tenant_acme',
    'ALTER TYPE mood SET SCHEMA tenant_acme', 'ALTER FUNCTION plan() DEPENDS ON EXTENSION plpgsql',
    'ALTER INDEX plans_pkey DEPENDS ON EXTENSION plpgsql',
    'CREATE STATISTICS s ON (upper(name)), id FROM plans',
    'CREATE STATISTICS s ON id, name FROM plans NATURAL JOIN countries', 'CREATE STATISTICS s ON a, b FROM (SELECT 1) AS x', 'CREATE VIEW v AS SELECT * FROM plans; LOCK TABLE v',
    'CREATE FUNCTION other(text, text) RETURNS boolean LANGUAGE sql AS ''SELECT true''; CREATE OPERATOR !== (LEFTARG = text, RIGHTARG = text, FUNCTION = other)'
    ]) AS statement;
-- Nor its statistics written, by functions that came with 18.
SELECT name, attempt(statement) FROM (VALUES
    ('pg_restore_relation_stats', 'SELECT pg_restore_relation_stats(''schemaname'', ''landlord'', ''relname'', ''plans'', ''reltuples'', 7::real)'),
    ('pg_restore_attribute_stats', 'SELECT pg_restore_attribute_stats(''schemaname'', ''landlord'', ''relname'', ''plans'', ''attname'', ''name'', ''inherited'', false)'),
    ('pg_clear_relation_stats', 'SELECT pg_clear_relation_stats(''landlord'', ''plans'')'),
    ('pg_clear_attribute_stats', 'DO ''BEGIN PERFORM pg_clear_attribute_stats($$landlord$$, $$plans$$, $$name$$, false); END''')) AS v (name, statement)
WHERE to_regproc(name) IS NOT NULL AND attempt(statement) NOT LIKE format('42501: a module script may not call %s%%', name);

-- Reading it, and referring to it, are allowed; locking the rows read is.
SELECT attempt(statement, '{"t": "tenant"}') FROM unnest(ARRAY[
    'CREATE TABLE t AS SELECT publicdigit.current_tenant_id() AS tenant_id, name FROM countries',
    'CREATE TABLE t (tenant_id uuid, c char(2) REFERENCES countries); INSERT INTO t (c) SELECT code FROM landlord.countries',
    'CREATE TABLE t (tenant_id uuid, mood landlord.mood); SELECT plan() FROM plan_names FOR UPDATE',
    'CREATE TABLE t (tenant_id uuid, LIKE plans); CREATE VIEW v AS SELECT * FROM plans']) AS statement;

-- All is as it was.
SELECT count(*) FROM landlord.countries;
SELECT name, (SELECT last_value FROM landlord.numbers), (SELECT is_called FROM tenant_globex.numbers) FROM landlord.plans;
SELECT relname FROM pg_class WHERE relnamespace = 'tenant_globex'::regnamespace AND relkind IN ('r', 'v', 'S') ORDER BY 1;

DROP FUNCTION attempt, state;
SET client_min_messages = warning;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_reach_owner, regress_reach_app;

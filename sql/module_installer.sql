-- Modules that make their tables by functions: installer.sql and the manifest's key "installer".
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
SELECT publicdigit.install_module('trace', 'acme');
-- A version: the bodies of the two functions, more scripts, more of the manifest.
CREATE FUNCTION made(version text, make text, unmake text, scripts jsonb DEFAULT '{}', more jsonb DEFAULT '{}', name text DEFAULT 'made')
RETURNS text LANGUAGE sql AS $$
    SELECT module(name, version, scripts || jsonb_build_object('installer', format(
        E'CREATE OR REPLACE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS %L;\n'
        'CREATE OR REPLACE FUNCTION unmake(tenant uuid) RETURNS void LANGUAGE plpgsql AS %L;'
        'INSERT INTO trace (step) VALUES (''installer'')', 'BEGIN ' || make || '; END', 'BEGIN ' || unmake || '; END')),
        '{"installer": {"install": "make", "uninstall": "unmake"}}' || more)
$$;
SELECT made('1.0.0', 'CREATE TABLE made (id serial PRIMARY KEY, tenant_id uuid); INSERT INTO trace (step) VALUES (''make '' || publicdigit.current_tenant() || '' '' || (tenant = publicdigit.current_tenant_id()) || '' '' || current_user)',
            'DROP TABLE made', '{}', '{"tables": {"made": "tenant"}, "grants": {"made": ["select", "insert"]}}'),
       made('1.1.0', 'CREATE TABLE made (id serial PRIMARY KEY, tenant_id uuid)', 'INSERT INTO trace (step) VALUES (''unmake''); DROP TABLE made',
            '{"0001_more.up": "CREATE TABLE more (tenant_id uuid)", "0001_more.down": "DROP TABLE more"}', '{"tables": {"made": "tenant", "more": "tenant"}}'),
       module('made', '1.2.0', '{"0001_more.up": "CREATE TABLE more (tenant_id uuid)", "0001_more.down": "DROP TABLE more"}'),
       module('made', '0.9.0', '{}');
RESET client_min_messages;

-- Made, with the tenant's id; protected; the app role's use; the functions are the module's.
SELECT action, migration, regexp_replace(statement, '[0-9a-f]{8}-[0-9a-f-]*', 'ID') FROM publicdigit.plan_module('install', 'made', 'acme', '1.0.0');
SELECT publicdigit.install_module('made', 'acme', '1.0.0');
SELECT step FROM tenant_acme.trace ORDER BY n;
SELECT c.relrowsecurity, c.relforcerowsecurity, has_table_privilege('regress_app', c.oid, 'insert') AS inserts,
       has_table_privilege('regress_app', c.oid, 'delete') AS deletes, pg_get_userbyid(relowner) AS owner
FROM pg_class AS c WHERE oid = 'tenant_acme.made'::regclass;
SELECT type, identity, migration FROM publicdigit.module_object AS o JOIN publicdigit.installation AS i ON i.id = o.installation_id
WHERE i.module = 'made' ORDER BY position;
SELECT broken();
-- Changed functions are made again, and not called; both ways in one module.
SELECT action, migration FROM publicdigit.plan_module('upgrade', 'made', 'acme', '1.1.0');
SELECT publicdigit.upgrade_module('made', 'acme', '1.1.0');
SELECT broken();
-- A higher version must keep it; a lower one without it undoes what it has made.
SELECT harmless($$SELECT publicdigit.upgrade_module('made', 'acme', '1.2.0')$$);
BEGIN;
SELECT publicdigit.downgrade_module('made', 'acme', '1.0.0');
SELECT to_regclass('tenant_acme.made'), to_regclass('tenant_acme.more');
SELECT broken();
ROLLBACK;
SELECT publicdigit.downgrade_module('made', 'acme', '0.9.0');
SELECT * FROM installed;
SELECT broken();
SELECT count(*) FROM pg_proc WHERE pronamespace = 'tenant_acme'::regnamespace;
SELECT publicdigit.upgrade_module('made', 'acme', '1.1.0');
SELECT harmless($$SELECT publicdigit.rollback_tenant('acme')$$);
SELECT publicdigit.uninstall_module('made', 'acme');
SELECT * FROM installed;
SELECT publicdigit.install_module('made', 'acme', '1.1.0');
SELECT publicdigit.uninstall_module('made', 'acme');
SELECT step FROM tenant_acme.trace ORDER BY n;
SELECT broken();

-- One table both ways, or made by hand: refused with the guide's hint.
SELECT made('1.0.0', 'CREATE TABLE twice (tenant_id uuid)', 'DROP TABLE twice', '{"0001_twice.up": "CREATE TABLE twice (tenant_id uuid)"}', '{"tables": {"twice": "tenant"}}', 'twice'),
       made('1.1.0', 'CREATE TABLE IF NOT EXISTS twice (tenant_id uuid)', 'DROP TABLE twice', '{}', '{"tables": {"twice": "tenant"}}', 'twice');
SELECT harmless($$SELECT publicdigit.install_module('twice', 'acme', '1.0.0')$$);
CREATE TABLE tenant_acme.twice (tenant_id uuid);
CREATE TABLE tenant_acme.made (tenant_id uuid);
SELECT harmless($$SELECT publicdigit.install_module('made', 'acme', '1.0.0')$$);
SELECT harmless($$SELECT publicdigit.install_module('twice', 'acme', '1.1.0')$$);
DROP TABLE tenant_acme.twice, tenant_acme.made;

-- Functions that are missing, take something else, raise, or reach elsewhere.
SET client_min_messages = error;
SELECT module('wrong', '1.0.' || n, jsonb_build_object('installer', script), '{"installer": {"install": "make", "uninstall": "unmake"}}')
FROM unnest(ARRAY['SELECT 1', 'CREATE FUNCTION make(tenant text) RETURNS void LANGUAGE sql AS ''SELECT 1''',
    'CREATE FUNCTION make() RETURNS void LANGUAGE sql AS ''SELECT 1''', 'CREATE PROCEDURE make(tenant uuid) LANGUAGE sql AS ''SELECT 1''',
    E'CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  RAISE EXCEPTION ''not today'' USING HINT = ''tomorrow'';\nEND $$',
    'CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$BEGIN CREATE TABLE tenant_beta.t (tenant_id uuid); END$$',
    'CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM publicdigit.use_tenant(''beta''); END$$',
    'CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN CREATE TABLE t (tenant_id uuid); END$$',
    'CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$BEGIN CREATE TABLE t (); EXECUTE ''ALTER TABLE t DISABLE ROW LEVEL SECURITY''; END$$',
    'CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$BEGIN CREATE TABLE t (n int); END$$']) WITH ORDINALITY AS s (script, n) \g /dev/null
RESET client_min_messages;
SELECT n || ': ' || harmless(format('SELECT publicdigit.install_module(''wrong'', ''acme'', ''1.0.%s'')', n)) FROM generate_series(1, 10) AS n;
-- Found out only when it is uninstalled.
SELECT made('1.0.0', 'CREATE TABLE late (tenant_id uuid)', 'DROP TABLE late; RAISE EXCEPTION ''not today''', '{}', '{"tables": {"late": "tenant"}}', 'late'),
       made('1.1.0', 'CREATE TABLE late (tenant_id uuid)', 'NULL', '{}', '{"tables": {"late": "tenant"}}', 'late'),
       made('1.2.0', 'CREATE TABLE late (tenant_id uuid)', 'DROP TABLE late', '{}', '{"tables": {"late": "tenant"}}', 'late');
SELECT publicdigit.install_module('late', 'acme', '1.0.0');
SELECT harmless($$SELECT publicdigit.uninstall_module('late', 'acme')$$);
SELECT publicdigit.upgrade_module('late', 'acme', '1.1.0');
SELECT harmless($$SELECT publicdigit.uninstall_module('late', 'acme')$$);
SELECT publicdigit.upgrade_module('late', 'acme', '1.2.0');
DROP FUNCTION tenant_acme.unmake;
SELECT harmless($$SELECT publicdigit.uninstall_module('late', 'acme')$$);

-- The landlord has no tenant to hand over; script and key go together.
SELECT harmless($$SELECT module('mine', '1.0.0', '{"installer": "SELECT 1"}', '{"context": "landlord", "installer": {"install": "make", "uninstall": "unmake"}}')$$);
SELECT harmless($$SELECT module('mine', '1.0.0', '{"installer": "SELECT 1"}', '{"context": "landlord"}')$$);
SELECT harmless($$SELECT module('mine', '1.0.0', '{"installer": "SELECT 1"}')$$);
SELECT harmless($$SELECT module('mine', '1.0.0', '{}', '{"installer": {"install": "make", "uninstall": "unmake"}}')$$);

SET client_min_messages = error;
DROP FUNCTION made;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

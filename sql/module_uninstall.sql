-- Uninstalling modules: down scripts in reverse, all or nothing, one tenant only.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_uninstall_owner', 'regress_uninstall_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography'), publicdigit.register_module('members'),
       publicdigit.register_module('digital_card');
SELECT publicdigit.install_module('geography');
SELECT publicdigit.install_module('digital_card', slug) FROM publicdigit.tenants ORDER BY slug;
RESET client_min_messages;

\getenv abs_srcdir PG_ABS_SRCDIR
\set try_call :abs_srcdir '/test/include/try_call.psql'
\i :try_call
CREATE VIEW installed AS
    SELECT coalesce(tenant, 'the landlord') AS target, module FROM publicdigit.module_installations;
-- A tenant's module from pairs of a script's name and its text.
CREATE FUNCTION module(name text, tables jsonb, VARIADIC scripts text[]) RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', name, 'version', '1.0.0',
        'context', 'tenant', 'tables', tables, 'scripts', (
            SELECT jsonb_object_agg('migrations/tenant/' || key || '.sql', value) FROM jsonb_each(jsonb_object(scripts)))))
$$;

-- Rows of both, to see whose go.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
INSERT INTO members (full_name, email) VALUES ('Ada', 'ada@acme.example');
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
INSERT INTO members (full_name, email) VALUES ('Grace', 'grace@globex.example');
INSERT INTO digital_cards (member_id, card_number) SELECT id, 'G-1' FROM members;
COMMIT;

-- What is not there.
SELECT try($$SELECT publicdigit.uninstall_module('nothing', 'acme')$$);
SELECT try($$SELECT publicdigit.uninstall_module('members', 'nobody')$$);
SELECT try($$SELECT publicdigit.uninstall_module('members', NULL::text)$$);
SELECT try($$SELECT publicdigit.uninstall_module('members', NULL::uuid)$$);
SELECT try($$SELECT publicdigit.uninstall_module(NULL, 'acme')$$);
SELECT try($$SELECT publicdigit.uninstall_module('members', 'acme', NULL)$$);
SELECT try($$SELECT publicdigit.uninstall_module('members', '@current')$$);
SELECT try($$SELECT publicdigit.uninstall_module('members', '@landlord')$$);
SELECT try($$SELECT publicdigit.uninstall_module('geography', 'acme')$$);
-- What destroys has no default tenant.
SELECT try($$SELECT publicdigit.uninstall_module('members')$$) ~ '^42883: ';

-- What others need stays, for the tenant and for the landlord.
SELECT try($$SELECT publicdigit.uninstall_module('members', 'acme')$$)
       ~ '^2BP01: module "members" is still needed by module "digital_card"\n.*\nHINT: .*cascade => true';
SELECT try($$SELECT publicdigit.uninstall_module('geography', '@landlord')$$);
SELECT try($$SELECT publicdigit.uninstall_module('geography', '@landlord', cascade => true)$$);
SELECT * FROM installed ORDER BY target, module;

-- One module, one tenant.
SELECT publicdigit.uninstall_module('digital_card', 'acme');
SELECT to_regclass('tenant_acme.digital_cards'), to_regclass('tenant_acme.members'),
       to_regclass('tenant_globex.digital_cards');
SELECT tenant, module, migration, batch FROM publicdigit.migrations ORDER BY tenant NULLS FIRST, module;
SELECT try($$SELECT publicdigit.uninstall_module('digital_card', 'acme')$$);
-- Installed again it is another batch.
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT migration, batch FROM publicdigit.migrations WHERE tenant = 'acme' ORDER BY batch;

-- With cascade what needs it goes first; by id as well as by slug.
SELECT publicdigit.uninstall_module('members', id, cascade => true) FROM publicdigit.tenants WHERE slug = 'acme';
SELECT * FROM installed ORDER BY target, module;
SELECT count(*) FROM pg_class WHERE relnamespace = 'tenant_acme'::regnamespace;
SELECT nspname FROM pg_namespace WHERE nspname = 'tenant_acme';
-- The other tenant's rows are all there.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
SELECT full_name, card_number FROM members JOIN digital_cards ON member_id = members.id;
ROLLBACK;

-- Down scripts run last migration first, and each sees what the later ones left.
SELECT module('chain', '{"a": "tenant", "b": "tenant", "log": "tenant"}',
    '0001_a.up', 'CREATE TABLE a (id int PRIMARY KEY, tenant_id uuid); CREATE TABLE log (n serial, tenant_id uuid, step text)',
    '0001_a.down', $$DO 'BEGIN RAISE NOTICE ''down 1: %'', (SELECT string_agg(step, '','' ORDER BY n) FROM log); END'; DROP TABLE a, log$$,
    '0002_b.up', 'CREATE TABLE b (a int REFERENCES a, tenant_id uuid)',
    '0002_b.down', $$DROP TABLE b; INSERT INTO log (step) VALUES ('down 2')$$,
    '0003_c.up', '', '0003_c.down', $$INSERT INTO log (step) VALUES ('down 3')$$);
SET client_min_messages = error;
SELECT publicdigit.install_module('chain', 'acme');
RESET client_min_messages;
SELECT migration, batch FROM publicdigit.migrations WHERE module = 'chain' ORDER BY migration;
SELECT publicdigit.uninstall_module('chain', 'acme');
SELECT count(*) FROM pg_class WHERE relnamespace = 'tenant_acme'::regnamespace;

-- A missing down script is told before anything runs.
SELECT module('stuck', '{"t": "tenant"}', '0001_a.up', 'CREATE TABLE t (tenant_id uuid)',
    '0002_b.up', 'SELECT 2', '0002_b.down', $$DO 'BEGIN RAISE NOTICE ''ran''; END'$$);
SELECT publicdigit.install_module('stuck', 'acme');
SELECT try($$SELECT publicdigit.uninstall_module('stuck', 'acme')$$);
-- With cascade too: what needs it keeps standing.
SELECT publicdigit.register_module('{"name": "above", "version": "1.0.0", "context": "tenant",
    "requires": {"stuck": "*"}, "scripts": {"migrations/tenant/0001_a.up.sql": "", "migrations/tenant/0001_a.down.sql":
    "DO ''BEGIN RAISE NOTICE ''''ran''''; END''"}}');
SELECT publicdigit.install_module('above', 'acme');
SELECT try($$SELECT publicdigit.uninstall_module('stuck', 'acme', cascade => true)$$);
SELECT publicdigit.uninstall_module('above', 'acme');
-- A suspended tenant stays as it is.
SELECT publicdigit.suspend_tenant('acme');
SELECT try($$SELECT publicdigit.uninstall_module('stuck', 'acme')$$);
SELECT publicdigit.resume_tenant('acme');
-- A down script that leaves a table which the manifest names.
SELECT module('messy', '{"u": "tenant"}', '0001_a.up', 'CREATE TABLE u (tenant_id uuid)', '0001_a.down', 'SELECT 1');
SELECT publicdigit.install_module('messy', 'acme');
SELECT try($$SELECT publicdigit.uninstall_module('messy', 'acme')$$);
-- One that fails half way: all is as it was.
SELECT module('halfway', '{"v": "tenant"}', '0001_a.up', 'CREATE TABLE v (tenant_id uuid)',
    '0001_a.down', E'DROP TABLE v;\n\nSELECT 1 / 0');
SELECT publicdigit.install_module('halfway', 'acme');
SELECT publicdigit.uninstall_module('halfway', 'acme');
SELECT try($$SELECT publicdigit.uninstall_module('halfway', 'acme')$$);
-- One that reaches into the other tenant, or takes its own tables' protection off.
SELECT module('greedy', '{"w": "tenant"}', '0001_a.up', 'CREATE TABLE w (tenant_id uuid)',
    '0001_a.down', 'DROP TABLE w; DROP TABLE tenant_globex.members');
SELECT publicdigit.install_module('greedy', 'acme');
SELECT try($$SELECT publicdigit.uninstall_module('greedy', 'acme')$$);
SELECT module('leaky', '{}', '0001_a.up', '', '0001_a.down', 'DROP POLICY publicdigit_tenant ON t');
SELECT publicdigit.install_module('leaky', 'acme');
SELECT try($$SELECT publicdigit.uninstall_module('leaky', 'acme')$$);
SELECT to_regclass('tenant_acme.' || name) FROM unnest('{t,u,v,w}'::text[]) AS name;
SELECT module FROM installed WHERE target = 'acme' ORDER BY module;

-- The landlord's, when no tenant needs it any more.
SELECT publicdigit.uninstall_module('members', 'globex', cascade => true);
SELECT publicdigit.uninstall_module('geography', '@landlord');
SELECT to_regclass('landlord.countries');
SELECT target, module FROM installed ORDER BY target, module;

-- A table that the manifest does not name may not be left either; what else is left is told.
SELECT publicdigit.register_module($${"name": "forgetful", "version": "1.0.0", "context": "tenant", "scripts": {
    "migrations/tenant/0001_a.up.sql": "CREATE TABLE kept (tenant_id uuid)", "migrations/tenant/0001_a.down.sql": "SELECT 1"}}$$);
SELECT publicdigit.register_module($${"name": "untidy", "version": "1.0.0", "context": "tenant", "scripts": {
    "migrations/tenant/0001_a.up.sql": "CREATE DOMAIN kept_too AS text; CREATE FUNCTION kept_as_well() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "migrations/tenant/0001_a.down.sql": "SELECT 1"}}$$);
SELECT publicdigit.install_module(m, 'acme') FROM unnest('{forgetful,untidy}'::text[]) AS m;
SELECT try($$SELECT publicdigit.uninstall_module('forgetful', 'acme')$$);
SELECT publicdigit.uninstall_module('untidy', 'acme');

SET client_min_messages = warning;
DROP VIEW installed;
DROP FUNCTION try, module;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_uninstall_owner, regress_uninstall_app;

-- Batches that rollback may not undo, and what of repeatable scripts belongs to which batch.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
-- Versions 1.0.0, 1.1.0 with another view, 1.2.0 with one more table and another view.
\set one '{"0001_a.up": "CREATE TABLE card (tenant_id uuid, n int)", "0001_a.down": "DROP TABLE card"}'
\set two '{"0002_b.up": "CREATE TABLE more (tenant_id uuid)", "0002_b.down": "DROP TABLE more"}'
CREATE FUNCTION card(version text, scripts jsonb, view text) RETURNS text LANGUAGE sql AS $$
    SELECT module('card', version, scripts || jsonb_build_object('v.repeatable', format('CREATE OR REPLACE VIEW v WITH (security_invoker) AS SELECT %L::text AS version', view)))
$$;
SELECT card('1.0.0', :'one', 'one'), card('1.1.0', :'one', 'two'), card('1.2.0', :'one'::jsonb || :'two', 'three');
SELECT module('base', '1.0.0', '{"0001_base.up": "CREATE TABLE base (tenant_id uuid)", "0001_base.down": "DROP TABLE base"}', '{"tables": {"base": "tenant"}}'),
       module('report', '1.0.0', '{"r.repeatable": "CREATE OR REPLACE VIEW r AS SELECT 1 AS one"}', '{"requires": {"base": "*"}}'),
       module('report', '1.1.0', '{"r.repeatable": "CREATE OR REPLACE VIEW r AS SELECT 2 AS one"}', '{"requires": {"base": "*"}}');
RESET client_min_messages;
CREATE VIEW batches AS SELECT string_agg(format('%s %s %s', module, migration, batch), ', ' ORDER BY batch, module, migration) FROM publicdigit.migrations;

-- A batch of repeatable scripts alone is not passed over: the batch before made the table.
SELECT publicdigit.install_module('card', 'acme', '1.0.0'), publicdigit.upgrade_module('card', 'acme', '1.1.0');
INSERT INTO tenant_acme.card SELECT id, 1 FROM publicdigit.tenants;
SELECT * FROM batches;
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.rollback_tenant(''acme'')", "SELECT publicdigit.rollback_tenant(''acme'', 2)"}'::text[]) AS call;
-- Nor where it comes to be the last one again as the one after it is undone.
SELECT publicdigit.upgrade_module('card', 'acme');
SELECT * FROM batches;
SELECT harmless('SELECT publicdigit.rollback_tenant(''acme'', 2)');
SELECT publicdigit.rollback_tenant('acme');
SELECT * FROM installed;
SELECT * FROM batches;
SELECT * FROM tenant_acme.v;
SELECT harmless('SELECT publicdigit.rollback_tenant(''acme'')');
-- The way that the hint tells: then the first batch is the last.
SELECT publicdigit.downgrade_module('card', 'acme', '1.0.0');
SELECT * FROM batches;
SELECT broken();
SELECT count(*) FROM tenant_acme.card;
SELECT publicdigit.rollback_tenant('acme');
SELECT * FROM installed;
-- One that was never installed takes the batch of its last migration.
SELECT publicdigit.install_module('card', 'acme'), publicdigit.downgrade_module('card', 'acme', '1.0.0');
SELECT * FROM batches;
SELECT publicdigit.rollback_tenant('acme');
SELECT * FROM installed;

-- What has no migration goes with the batch that installed it; another batch is refused, also as a part.
SELECT publicdigit.install_module('report', 'acme', '1.0.0');
SELECT * FROM batches;
SELECT publicdigit.rollback_tenant('acme');
SELECT * FROM installed;
-- Also where it has come, gone and come again in one transaction.
BEGIN;
SELECT publicdigit.install_module('report', 'acme', '1.0.0');
SELECT publicdigit.uninstall_module('base', 'acme', cascade => true);
SELECT publicdigit.install_module('report', 'acme', '1.0.0');
COMMIT;
SELECT harmless('SELECT publicdigit.rollback_tenant(''acme'')');
SELECT * FROM installed;
SELECT publicdigit.install_module('report', 'acme', '1.0.0'), publicdigit.install_module('card', 'acme', '1.1.0');
SELECT publicdigit.migrate_tenant('acme');
SELECT * FROM batches;
SELECT harmless('SELECT publicdigit.rollback_tenant(''acme'')');
SELECT broken();
SELECT publicdigit.uninstall_module('report', 'acme'), publicdigit.uninstall_module('card', 'acme');

-- What was there before it was entered is nobody's to undo.
CREATE TABLE landlord.zone (id int);
ALTER TABLE landlord.zone OWNER TO regress_owner;
CREATE TABLE tenant_acme.site (tenant_id uuid);
ALTER TABLE tenant_acme.site OWNER TO regress_owner;
SELECT publicdigit.protect_table('tenant_acme.site');
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_acme.site TO regress_app;
INSERT INTO tenant_acme.site SELECT id FROM publicdigit.tenants;
SET client_min_messages = error;
SELECT module('zone', '1.0.0', '{"0001_z.up": "CREATE TABLE zone (id int)", "0001_z.down": "DROP TABLE zone"}', '{"context": "landlord"}'),
       module('site', '1.0.0', '{"0001_s.up": "CREATE TABLE site (tenant_id uuid)", "0001_s.down": "DROP TABLE site"}', '{"tables": {"site": "tenant"}}'),
       module('site', '1.1.0', '{"0001_s.up": "CREATE TABLE site (tenant_id uuid)", "0001_s.down": "DROP TABLE site", "0002_s.up": "ALTER TABLE site ADD n int", "0002_s.down": "ALTER TABLE site DROP n"}', '{"tables": {"site": "tenant"}}');
RESET client_min_messages;
SELECT publicdigit.baseline_module('site', 'acme', '1.0.0'), publicdigit.baseline_module('zone', '@landlord', '1.0.0');
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.rollback_tenant(''acme'')", "SELECT publicdigit.rollback_landlord()"}'::text[]) AS call;
SELECT publicdigit.upgrade_module('site', 'acme');
SELECT harmless('SELECT publicdigit.rollback_tenant(''acme'', 2)');
SELECT publicdigit.rollback_tenant('acme');
SELECT harmless('SELECT publicdigit.rollback_tenant(''acme'')');
SELECT count(*) FROM tenant_acme.site;
SELECT broken();
SELECT publicdigit.uninstall_module('site', 'acme'), publicdigit.uninstall_module('zone', '@landlord');

-- Versions that were unregistered are no way back, until they are registered again; the one that is installed takes itself away.
CREATE FUNCTION stair(last int) RETURNS text LANGUAGE sql AS $$
    SELECT module('stair', format('1.%s.0', last), jsonb_object_agg(format('000%s_s.%s', n, way),
        format(CASE way WHEN 'up' THEN 'CREATE TABLE stair_%s (tenant_id uuid)' ELSE 'DROP TABLE stair_%s' END, n)))
    FROM generate_series(1, last) AS n, (VALUES ('up'), ('down')) AS w (way)
$$;
SET client_min_messages = error;
SELECT stair(1), stair(2), stair(3);
SELECT publicdigit.install_module('stair', 'acme', '1.1.0'), publicdigit.upgrade_module('stair', 'acme', '1.2.0'), publicdigit.upgrade_module('stair', 'acme');
RESET client_min_messages;
SELECT publicdigit.unregister_module('stair', '1.2.0');
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.unregister_module(''stair'', ''1.3.0'')", "SELECT publicdigit.unregister_module(''stair'')",
    "SELECT publicdigit.downgrade_module(''stair'', ''acme'', ''1.2.0'')", "SELECT publicdigit.rollback_tenant(''acme'')",
    "SELECT publicdigit.rollback_tenant(''acme'', 2)", "SELECT publicdigit.rollback_tenant(''acme'', 3)",
    "SELECT statement FROM publicdigit.plan_module(''downgrade'', ''stair'', ''acme'', ''1.2.0'')"}'::text[]) AS call;
SELECT action, migration, version FROM publicdigit.plan_module('downgrade', 'stair', 'acme', '1.1.0');
SET client_min_messages = error;
SELECT publicdigit.downgrade_module('stair', 'acme', '1.1.0'), publicdigit.upgrade_module('stair', 'acme');
RESET client_min_messages;
SELECT * FROM batches;
SELECT stair(2);
SELECT publicdigit.downgrade_module('stair', 'acme', '1.2.0');
SELECT * FROM installed;
SELECT broken();
SELECT publicdigit.unregister_module('stair', version) FROM unnest('{1.1.0,1.3.0}'::text[]) AS version;
SELECT publicdigit.uninstall_module('stair', 'acme');
SELECT publicdigit.unregister_module('stair');
SELECT count(*) FROM publicdigit.modules WHERE module = 'stair';
DROP FUNCTION stair;

-- Down to a version whose script is not the one that is applied: only where somebody has accepted that.
SET client_min_messages = error;
SELECT module('odd', '1.0.0', '{"0001_o.up": "CREATE TABLE odd (tenant_id uuid, one int)", "0001_o.down": "DROP TABLE odd"}'),
       module('odd', '1.1.0', '{"0001_o.up": "CREATE TABLE odd (tenant_id uuid, two int)", "0001_o.down": "DROP TABLE odd", "0002_o.up": "SELECT 1", "0002_o.down": "SELECT 1"}');
SELECT publicdigit.install_module('odd', 'acme'), publicdigit.install_module('odd', 'beta', '1.0.0');
RESET client_min_messages;
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.downgrade_module(''odd'', ''acme'', ''1.0.0'')", "SELECT * FROM publicdigit.plan_module(''downgrade'', ''odd'', ''acme'', ''1.0.0'')"}'::text[]) AS call;
SELECT publicdigit.accept_migration('odd', '0001_o', 'beta', 'the same to us'), publicdigit.upgrade_module('odd', 'beta'), publicdigit.downgrade_module('odd', 'beta', '1.0.0');
SELECT broken();
-- That holds for what was applied then, not for what has been applied since.
SET client_min_messages = error;
SELECT module('odd', '1.2.0', '{"0001_o.up": "CREATE TABLE odd (tenant_id uuid, three int)", "0001_o.down": "DROP TABLE odd", "0002_o.up": "SELECT 1", "0002_o.down": "SELECT 1"}');
SELECT publicdigit.uninstall_module('odd', 'beta'), publicdigit.install_module('odd', 'beta');
RESET client_min_messages;
SELECT harmless('SELECT publicdigit.downgrade_module(''odd'', ''beta'', ''1.0.0'')');
SELECT publicdigit.accept_migration('odd', '0001_o', 'acme', 'as good'), publicdigit.upgrade_module('odd', 'acme'), publicdigit.downgrade_module('odd', 'acme', '1.1.0');
SELECT broken();

-- A change to a version that has no script of its own is no batch, and is not passed over: the one
-- before made the table.
SET client_min_messages = error;
SELECT publicdigit.uninstall_module('odd', t) FROM unnest('{acme,beta}'::text[]) AS t;
SELECT module('plain', version, scripts || '{"0001_p.up": "CREATE TABLE plain (tenant_id uuid)", "0001_p.down": "DROP TABLE plain"}', more::jsonb)
FROM (VALUES ('1.0.0', '{}'::jsonb, '{}'), ('1.0.1', '{}', '{"title": "Plain"}'),
    ('1.1.0', '{"0002_p.up": "SELECT 1", "0002_p.down": "SELECT 1"}', '{}'), ('1.1.1', '{"0002_p.up": "SELECT 1", "0002_p.down": "SELECT 1"}', '{"title": "Plain"}')) AS v (version, scripts, more);
SELECT publicdigit.install_module('plain', 'beta', '1.0.0'), publicdigit.upgrade_module('plain', 'beta', '1.0.1');
RESET client_min_messages;
SELECT harmless('SELECT publicdigit.rollback_tenant(''beta'')');
SELECT publicdigit.upgrade_module('plain', 'beta', '1.1.0'), publicdigit.upgrade_module('plain', 'beta');
SELECT harmless('SELECT publicdigit.rollback_tenant(''beta'', 2)');
SELECT publicdigit.downgrade_module('plain', 'beta', '1.1.0'), publicdigit.rollback_tenant('beta');
-- What rollback itself has led to can be undone.
SELECT * FROM installed;
SELECT publicdigit.rollback_tenant('beta');
SELECT broken();

-- Nor is an installation without a migration, whose installer made the table.
SET client_min_messages = error;
SELECT module('late', version, scripts || '{"installer": "CREATE OR REPLACE FUNCTION make(t uuid) RETURNS void LANGUAGE plpgsql AS ''BEGIN CREATE TABLE late (tenant_id uuid); END''; CREATE OR REPLACE FUNCTION drop_it(t uuid) RETURNS void LANGUAGE plpgsql AS ''BEGIN DROP TABLE late; END''"}',
    '{"tables": {"late": "tenant"}, "installer": {"install": "make", "uninstall": "drop_it"}}')
FROM (VALUES ('1.0.0', '{}'::jsonb), ('1.1.0', '{"0001_l.up": "SELECT 1", "0001_l.down": "SELECT 1"}')) AS v (version, scripts);
SELECT publicdigit.install_module('late', 'beta', '1.0.0'), publicdigit.upgrade_module('late', 'beta');
RESET client_min_messages;
SELECT harmless('SELECT publicdigit.rollback_tenant(''beta'')');
SELECT publicdigit.downgrade_module('late', 'beta', '1.0.0'), publicdigit.rollback_tenant('beta');
SELECT * FROM installed;
SELECT broken();

SET client_min_messages = error;
DROP VIEW batches;
DROP FUNCTION card;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

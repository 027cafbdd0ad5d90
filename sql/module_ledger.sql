-- The ledger: what is applied, what ever was, batches back, and what somebody has done to it by hand.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
SELECT module('a', '1.0.0', '{"0001_a.up": "CREATE TABLE a (tenant_id uuid)", "0001_a.down": "DROP TABLE a"}'),
       module('a', '1.1.0', '{"0001_a.up": "CREATE TABLE a (tenant_id uuid)", "0001_a.down": "DROP TABLE a",
                              "0002_a.up": "ALTER TABLE a ADD n int", "0002_a.down": "ALTER TABLE a DROP n"}'),
       module('a', '1.1.1', '{"0001_a.up": "CREATE TABLE a (tenant_id uuid)", "0001_a.down": "DROP TABLE a",
                              "0002_a.up": "ALTER TABLE a ADD n int", "0002_a.down": "ALTER TABLE a DROP n",
                              "view.repeatable": "CREATE VIEW a_view WITH (security_invoker) AS SELECT n FROM a"}'),
       module('b', '1.0.0', '{"0001_b.up": "CREATE TABLE b (tenant_id uuid)", "0001_b.down": "DROP TABLE b"}', '{"requires": {"a": "^1.0"}}'),
       module('b', '1.1.0', '{"0001_b.up": "CREATE TABLE b (tenant_id uuid)", "0001_b.down": "DROP TABLE b",
                              "0002_b.up": "SELECT 2", "0002_b.down": "SELECT 2",
                              "0003_b.up": "SELECT 3", "0003_b.down": "SELECT 3"}', '{"requires": {"a": "^1.1"}}'),
       module('l', '1.0.0', '{"0001_l.up": "CREATE TABLE l (n int)", "0001_l.down": "DROP TABLE l"}', '{"context": "landlord"}'),
       module('l', '1.1.0', '{"0001_l.up": "CREATE TABLE l (n int)", "0001_l.down": "DROP TABLE l",
                              "0002_l.up": "ALTER TABLE l ADD m int", "0002_l.down": "ALTER TABLE l DROP m"}', '{"context": "landlord"}');
CREATE VIEW ledger AS
    SELECT string_agg(format('%s %s %s #%s', module, migration, version, batch), ', ' ORDER BY batch, module, migration)
    FROM publicdigit.migrations WHERE tenant IS DISTINCT FROM 'beta';
CREATE VIEW pending AS
    SELECT string_agg(concat_ws(' ', coalesce(tenant, context), module, version, migration), ', '
                      ORDER BY tenant NULLS FIRST, module, migration) AS pending FROM publicdigit.pending_migrations();
RESET client_min_messages;

-- A call is a batch, whatever it takes along; what is pending, and all of it at once.
SET client_min_messages = error;
SELECT publicdigit.install_module('b', 'acme', '1.0.0'), publicdigit.install_module('l', '@landlord', '1.0.0');
RESET client_min_messages;
SELECT publicdigit.downgrade_module('a', 'acme', '1.0.0');
SELECT * FROM installed;
SELECT * FROM ledger;
SELECT * FROM pending;
SELECT * FROM publicdigit.pending_migrations('@landlord');
SELECT context, tenant_id = :'acme', tenant, module, migration, version FROM publicdigit.pending_migrations('acme');
SELECT count(*) FROM publicdigit.pending_migrations(:'beta'::uuid);
SELECT try($$SELECT publicdigit.pending_migrations('nobody')$$);
SELECT try($$SELECT publicdigit.pending_migrations(NULL::uuid)$$);
SELECT publicdigit.migrate_tenant('acme'), publicdigit.migrate_landlord();
SELECT broken();
SELECT publicdigit.migrate_tenant(:'acme'::uuid), publicdigit.migrate_landlord(), publicdigit.migrate_tenant('beta');
SELECT * FROM pending;
SELECT * FROM ledger;
SELECT * FROM installed;

-- Batches back, over several modules; the history tells all of it, and loses nothing.
SELECT publicdigit.rollback_tenant('acme');
SELECT broken();
SELECT * FROM installed;
SELECT * FROM ledger;
SELECT action, module, migration, version, batch, checksum ~ '^sha256:' AS checksum, duration >= '0' AS duration,
       by = session_user AS by, at <= clock_timestamp() AS at, tenant, tenant_id = :'acme' AS tenant_id
FROM publicdigit.migration_events WHERE context = 'tenant' ORDER BY id;
SELECT publicdigit.migrate_tenant('acme');
SELECT publicdigit.rollback_tenant(:'acme'::uuid, 99), publicdigit.rollback_tenant('acme'), publicdigit.rollback_landlord();
SELECT * FROM installed;
SELECT broken();
SELECT publicdigit.rollback_landlord(5);
SELECT * FROM ledger;
SELECT broken();
-- Batches are counted on.
SET client_min_messages = error;
SELECT publicdigit.install_module('a', 'acme', '1.0.0');
RESET client_min_messages;
SELECT * FROM ledger;
SELECT publicdigit.rollback_tenant('acme');
SELECT try(call) FROM unnest('{"SELECT publicdigit.rollback_tenant(''acme'', 0)", "SELECT publicdigit.rollback_tenant(''acme'', NULL)",
    "SELECT publicdigit.rollback_tenant(NULL::text)", "SELECT publicdigit.rollback_tenant(NULL::uuid)", "SELECT publicdigit.rollback_tenant(''nobody'')",
    "SELECT publicdigit.rollback_tenant(''@landlord'')", "SELECT publicdigit.rollback_landlord(-1)", "SELECT publicdigit.migrate_tenant(NULL::text)",
    "SELECT publicdigit.migrate_tenant(''@current'')", "SELECT publicdigit.migrate_tenant(''nobody'')"}'::text[]) AS call;

-- Down scripts that are missing, said before any script runs; that fail; steps that verify.
SET client_min_messages = error;
SELECT module('deep', '1.0.0', '{"0001_a.up": "CREATE TABLE d (tenant_id uuid)"}'),
       module('deep', '1.1.0', '{"0001_a.up": "CREATE TABLE d (tenant_id uuid)", "0001_a.down": "DROP TABLE d",
                                 "0002_b.up": "SELECT 2", "0002_b.down": "DO ''BEGIN RAISE NOTICE $$ran$$; END''"}'),
       module('deep', '1.2.0', '{"0001_a.up": "CREATE TABLE d (tenant_id uuid)", "0001_a.down": "DROP TABLE d",
                                 "0002_b.up": "SELECT 2", "0002_b.down": "DO ''BEGIN RAISE NOTICE $$ran$$; END''",
                                 "0003_c.up": "ALTER TABLE d ADD n int", "0003_c.down": "ALTER TABLE d DROP n;\n\nSELECT 1 / 0"}'),
       module('deep', '1.3.0', '{"0001_a.up": "CREATE TABLE d (tenant_id uuid)",
                                 "0002_b.up": "SELECT 2", "0003_c.up": "ALTER TABLE d ADD n int",
                                 "0004_d.up": "CREATE TABLE f (tenant_id uuid)", "0004_d.down": "DROP TABLE f",
                                 "0004_d.verify": "DO ''BEGIN ASSERT (SELECT count(*) FROM f) > 0, $$no rows$$; END''"}');
SELECT publicdigit.install_module('deep', 'acme', '1.0.0');
RESET client_min_messages;
SELECT harmless($$SELECT publicdigit.rollback_tenant('acme')$$);
SELECT publicdigit.upgrade_module('deep', 'acme', '1.1.0');
SELECT harmless($$SELECT publicdigit.rollback_tenant('acme', 2)$$);
SELECT publicdigit.upgrade_module('deep', 'acme', '1.2.0');
SELECT harmless($$SELECT publicdigit.rollback_tenant('acme')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('deep', 'acme', '1.1.0')$$);
SELECT harmless($$SELECT publicdigit.upgrade_module('deep', 'acme')$$);
SELECT harmless($$SELECT publicdigit.migrate_tenant('acme')$$);
SELECT action, statement FROM publicdigit.plan_module('upgrade', 'deep', 'acme');
SELECT broken();

-- A script that has changed since it was applied, and one in which only comments and line ends have.
SET client_min_messages = error;
SELECT module('s', '1.0.0', '{"0001_s.up": "CREATE TABLE s (tenant_id uuid);\nSELECT ''one''", "0001_s.down": "DROP TABLE s"}'),
       module('s', '1.0.1', '{"0001_s.up": "-- it\r\nCREATE /* one */ TABLE s\r\n(tenant_id uuid); SELECT ''one''", "0001_s.down": "DROP TABLE s"}'),
       module('s', '1.1.0', '{"0001_s.up": "CREATE TABLE s (tenant_id uuid);\nSELECT ''two''", "0001_s.down": "DROP TABLE s", "0002_s.up": "SELECT 2", "0002_s.down": ""}');
SELECT publicdigit.install_module('s', slug, '1.0.0') FROM publicdigit.tenants ORDER BY slug;
RESET client_min_messages;
SELECT publicdigit.upgrade_module('s', 'acme', '1.0.1');
SELECT broken();
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.upgrade_module(''s'', ''acme'')", "SELECT publicdigit.migrate_tenant(''acme'')",
    "SELECT publicdigit.accept_migration(''s'', ''0001_s'', ''acme'', NULL)", "SELECT publicdigit.accept_migration(''s'', ''0001_s'', ''acme'', '' '')",
    "SELECT publicdigit.accept_migration(''s'', NULL, ''acme'', ''why'')", "SELECT publicdigit.accept_migration(''s'', ''0002_s'', ''acme'', ''why'')",
    "SELECT publicdigit.accept_migration(''s'', ''0001_s'', NULL::text, ''why'')", "SELECT publicdigit.accept_migration(''s'', ''0001_s'', NULL::uuid, ''why'')",
    "SELECT publicdigit.accept_migration(''l'', ''0001_l'', ''@landlord'', ''why'')"}'::text[]) AS call;
SELECT publicdigit.accept_migration('s', '0001_s', 'acme', 'says the same to us');
SELECT publicdigit.accept_migration('s', '0001_s', 'acme', 'again');
SELECT broken();
SELECT publicdigit.upgrade_module('s', 'acme');
SELECT harmless($$SELECT publicdigit.upgrade_module('s', 'beta')$$);
SELECT e.tenant, e.action, e.migration, e.reason, e.checksum = f.checksum AS now, former_checksum, duration
FROM publicdigit.migration_events AS e JOIN publicdigit.module_version AS v ON v.module = 's' AND v.version = '1.1.0'
JOIN publicdigit.module_script AS f ON f.version_id = v.id AND f.kind = 'up' AND f.migration = e.migration
WHERE e.action = 'accepted';
SELECT publicdigit.accept_migration('s', '0001_s', :'beta'::uuid, 'for beta as well');
SELECT publicdigit.migrate_tenant('beta');
SELECT publicdigit.downgrade_module('s', 'beta', '1.0.0');
SELECT broken();

-- What a superuser has changed by hand is found before anything is built on it.
CREATE FUNCTION found(tampering text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE tampering;
    RETURN QUERY SELECT replace(left(try(call), 5), 'done', 'DONE') || ' ' || call FROM (VALUES
        ($c$upgrade_module('s', 'beta')$c$), ($c$downgrade_module('s', 'acme', '1.0.0')$c$), ($c$uninstall_module('s', 'acme')$c$),
        ($c$rollback_tenant('acme', 9)$c$), ($c$migrate_tenant('beta')$c$), ($c$accept_migration('s', '0001_s', 'acme', 'why')$c$)) AS c (name),
        LATERAL (SELECT 'SELECT publicdigit.' || name) AS s (call);
    RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
END $$;
SELECT found($$UPDATE publicdigit.tenant_migration SET statements = 'sha256:' || repeat('0', 64) WHERE migration ~ 's$'$$);
SELECT found($$DELETE FROM publicdigit.tenant_migration WHERE migration = '0001_s'$$);
SELECT found($$UPDATE publicdigit.tenant_migration SET migration = '0009_s' WHERE migration = '0001_s'$$);
SELECT found($$INSERT INTO publicdigit.tenant_migration (installation_id, migration, version, batch, checksum, statements, duration)
    SELECT installation_id, '0003_s', version, batch, checksum, statements, duration FROM publicdigit.tenant_migration WHERE migration = '0001_s'$$);
SELECT found($$UPDATE publicdigit.installation SET head = 'sha256:' || repeat('0', 64) WHERE module = 's'$$);
-- So is what the chain is not over, and what has been made to fit it, by the history, as long as there is one.
SELECT found($$UPDATE publicdigit.tenant_migration SET batch = batch + 1 WHERE migration ~ 's$'$$);
SELECT found($$UPDATE publicdigit.tenant_migration SET checksum = 'sha256:' || repeat('0', 64) WHERE migration ~ 's$'$$);
SELECT found($$UPDATE publicdigit.tenant_migration SET version = '1.0.7' WHERE migration ~ 's$'$$);
SELECT found($$UPDATE publicdigit.migration_event SET batch = batch + 1 WHERE module = 's'$$);
SELECT found($$WITH gone AS (DELETE FROM publicdigit.tenant_migration WHERE migration = '0002_s')
    UPDATE publicdigit.installation AS i SET head = e.head FROM publicdigit.migration_event AS e
    WHERE e.module = i.module AND e.tenant_id = i.tenant_id AND e.action = 'accepted'$$);
SELECT found($$DELETE FROM publicdigit.migration_event$$);
BEGIN;
UPDATE publicdigit.tenant_migration SET batch = 77 WHERE migration = '0002_s';
SELECT regexp_replace(harmless($$SELECT publicdigit.downgrade_module('s', 'acme', '1.0.1')$$), '[0-9a-f]{60}', '…', 'g');
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.install_module('l');
DELETE FROM publicdigit.landlord_migration WHERE migration = '0002_l';
UPDATE publicdigit.installation AS i SET head = e.head FROM publicdigit.migration_event AS e
WHERE e.module = 'l' AND i.module = 'l' AND e.migration = '0001_l' AND e.action = 'applied';
SELECT regexp_replace(harmless($$SELECT publicdigit.uninstall_module('l', '@landlord')$$), '[0-9a-f]{60}', '…', 'g');
ROLLBACK;

-- Checksums are the same from CRLF, in another encoding's database, from a folder or inline.
BEGIN;
SELECT publicdigit.register_module('members');
SELECT v.checksum AS folder, v.head AS folder_head, v.manifest || jsonb_build_object('scripts', jsonb_object_agg(s.path,
    CASE WHEN s.path ~ 'up' THEN replace(s.content, E'\n', E'\r\n') ELSE s.content END)) AS document
FROM publicdigit.module_version AS v JOIN publicdigit.module_script AS s ON s.version_id = v.id WHERE module = 'members' GROUP BY v.id \gset
SELECT publicdigit.unregister_module('members');
SELECT publicdigit.register_module(:'document'::jsonb);
SELECT checksum = :'folder' AS checksum, head = :'folder_head' AS head FROM publicdigit.module_version WHERE module = 'members';
ROLLBACK;
\set document '{"name": "word", "version": "1.0.0", "context": "tenant", "scripts": {"migrations/tenant/0001_a.up.sql": "SELECT \'caf\\u00e9\'"}}'
SELECT publicdigit.register_module(:'document'::jsonb);
SELECT checksum, head FROM publicdigit.module_version WHERE module = 'word' \gset
\set database :DBNAME
CREATE DATABASE regress_latin1 TEMPLATE template0 ENCODING latin1 LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_latin1
SET client_min_messages = error;
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.register_module(:'document'::jsonb);
SELECT octet_length(s.content) AS bytes, v.checksum = :'checksum' AS checksum, head = :'head' AS head
FROM publicdigit.module_version AS v JOIN publicdigit.module_script AS s ON s.version_id = v.id;
\c :database
DROP DATABASE regress_latin1;

SET client_min_messages = error;
DROP VIEW ledger, pending;
DROP FUNCTION found;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

-- Versions side by side: up, down, and what plan_module shows of it beforehand.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
SELECT publicdigit.install_module('trace', 'acme');
-- A script that makes something and leaves a trace: 1.0 0001 up, ...
CREATE FUNCTION traced(step text, sql text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT to_jsonb(format(E'-- %s\n%s;\nINSERT INTO trace (step) VALUES (%L)', step, sql, step)) $$;
CREATE FUNCTION migration(name text, up text, down text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(name || '.up', traced(name || ' up', up), name || '.down', traced(name || ' down', down))
$$;
CREATE TABLE step AS SELECT * FROM (VALUES
    (1, migration('0001_cards', 'CREATE TABLE cards (id serial PRIMARY KEY, tenant_id uuid, n text)', 'DROP TABLE cards')),
    (2, migration('0002_notes', 'CREATE TABLE notes (tenant_id uuid, n text)', 'DROP TABLE notes')),
    (3, migration('0003_rename', 'ALTER TABLE notes RENAME TO remarks', 'ALTER TABLE remarks RENAME TO notes')),
    (4, migration('0004_column', 'ALTER TABLE cards ADD COLUMN m int', 'ALTER TABLE cards DROP COLUMN m'))
) AS s (n, scripts);
-- Version of card with the first n migrations.
CREATE FUNCTION card(version text, n int, more jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT module('card', version, (SELECT jsonb_object_agg(key, value) FROM step CROSS JOIN jsonb_each(scripts)
                                    WHERE step.n <= card.n), more)
$$;
SELECT card('1.0.0', 1, '{"tables": {"cards": "tenant"}, "grants": {"cards": ["select", "insert"]}}'),
       card('1.1.0', 2, '{"tables": {"cards": "tenant", "notes": "tenant"}, "grants": {"cards": ["select", "update"]}}'),
       card('1.2.0', 3, '{"tables": {"cards": "tenant", "remarks": "tenant"}, "grants": {"cards": ["select"]}}'),
       card('2.0.0', 4, '{"tables": {"cards": "tenant", "remarks": "tenant"}}'),
       card('3.0.0-rc.1', 4, '{"tables": {"cards": "tenant", "remarks": "tenant"}, "title": "soon"}');
CREATE VIEW granted AS
    SELECT string_agg(g, '; ' ORDER BY g) AS granted FROM (
        SELECT table_name || ': ' || string_agg(lower(privilege_type), ' ' ORDER BY privilege_type)
        FROM information_schema.role_table_grants WHERE grantee = 'regress_app' AND table_schema = 'tenant_acme'
            AND table_name <> 'trace' GROUP BY table_name
        UNION ALL SELECT c.relname || ': usage' FROM pg_class AS c
        WHERE relnamespace = 'tenant_acme'::regnamespace AND relname <> 'trace_n_seq'
            AND CASE relkind WHEN 'S' THEN has_sequence_privilege('regress_app', c.oid, 'usage') END) AS all_grants (g);
RESET client_min_messages;

-- An old version first, then one by one up, to the highest, and down again.
SELECT did('install', 'card', version => '1.0.0');
SELECT * FROM granted;
SELECT did('upgrade', 'card', version => '1.1.0');
SELECT * FROM granted;
SELECT did('upgrade', 'card');
SELECT * FROM granted;
SELECT did('upgrade', 'card');
SELECT did('upgrade', 'card', version => '2.0.0');
SELECT did('upgrade', 'card', version => '3.0.0-rc.1');
SELECT did('upgrade', 'card');
SELECT did('downgrade', 'card', version => '2.0.0');
SELECT did('downgrade', 'card', version => '1.1.0');
SELECT * FROM granted;
SELECT did('downgrade', 'card', version => '1.1.0');
SELECT did('upgrade', 'card', version => '1.2.0');
SELECT did('downgrade', 'card', version => '1.0.0');
SELECT * FROM granted;
-- Up is no way down, nor the reverse.
SELECT harmless($$SELECT publicdigit.downgrade_module('card', 'acme', '1.2.0')$$);
SELECT publicdigit.upgrade_module('card', 'acme', '1.2.0');
SELECT harmless($$SELECT publicdigit.upgrade_module('card', 'acme', '1.1.0')$$);
SELECT harmless($$SELECT publicdigit.upgrade_module('card', 'acme', '9.0.0')$$);
SELECT harmless($$SELECT publicdigit.upgrade_module('card', 'beta')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('card', 'beta', '1.0.0')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('card', 'acme', NULL)$$);
SELECT harmless($$SELECT publicdigit.downgrade_module(NULL, 'acme', '1.0.0')$$);
SELECT harmless($$SELECT publicdigit.upgrade_module('card', '@landlord')$$);
SELECT harmless($$SELECT * FROM publicdigit.plan_module('downgrade', 'card', 'acme')$$);
SELECT harmless($$SELECT * FROM publicdigit.plan_module('mend', 'card', 'acme')$$);
SELECT harmless($$SELECT * FROM publicdigit.plan_module(NULL, 'card', 'acme')$$);
SELECT did('uninstall', 'card');
-- Planned, and taken back.
BEGIN;
SELECT snapshot() AS before \gset
SAVEPOINT s;
SELECT did('install', 'card', version => '1.1.0');
ROLLBACK TO s;
SELECT snapshot() = :'before' AS as_before;
COMMIT;

-- What is required comes along, as far as others let it.
SELECT module('base', '1.0.0', migration('0001_base', 'SELECT 1', 'SELECT 1')),
       module('base', '1.5.0', migration('0001_base', 'SELECT 1', 'SELECT 1') || migration('0002_base', 'SELECT 2', 'SELECT 2')),
       module('base', '2.0.0', migration('0001_base', 'SELECT 1', 'SELECT 1') || migration('0002_base', 'SELECT 2', 'SELECT 2')),
       module('top', '1.0.0', '{}', '{"requires": {"base": "^1.0"}}'),
       module('top', '1.1.0', migration('0001_top', 'SELECT 1', 'SELECT 1'), '{"requires": {"base": "^1.5"}}'),
       module('top', '2.0.0', migration('0001_top', 'SELECT 1', 'SELECT 1'), '{"requires": {"base": "^2.0"}}');
SELECT did('install', 'base', version => '1.0.0');
SELECT did('install', 'top', version => '1.0.0');
SELECT did('upgrade', 'top', version => '1.1.0');
SELECT harmless($$SELECT publicdigit.downgrade_module('base', 'acme', '1.0.0')$$);
SELECT did('upgrade', 'base');
SELECT did('upgrade', 'top');
SELECT harmless($$SELECT publicdigit.downgrade_module('base', 'acme', '1.5.0')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('top', 'acme', '1.1.0')$$);
SELECT publicdigit.uninstall_module('base', 'acme', cascade => true);

-- Tenants' ranges hold the landlord's module.
SELECT module('zone', '1.0.0', '{"0001_zone.up": "CREATE TABLE zone (id int)", "0001_zone.down": "DROP TABLE zone"}',
              '{"context": "landlord", "tables": {"zone": "shared"}}'),
       module('zone', '1.1.0', '{"0001_zone.up": "CREATE TABLE zone (id int)", "0001_zone.down": "DROP TABLE zone",
              "0002_more.up": "ALTER TABLE zone ADD n text", "0002_more.down": "ALTER TABLE zone DROP n"}',
              '{"context": "landlord", "tables": {"zone": "shared"}}'),
       module('post', '1.0.0', '{}', '{"requires": {"zone": "^1.1"}}'),
       module('post', '1.1.0', '{}', '{"requires": {"zone": "^1.1", "base": "^3"}}');
SELECT publicdigit.install_module('zone', '@landlord', '1.0.0');
SELECT harmless($$SELECT publicdigit.install_module('post', 'beta', '1.0.0')$$);
SELECT publicdigit.upgrade_module('zone');
SELECT publicdigit.install_module('post', 'beta', '1.0.0');
SELECT harmless($$SELECT publicdigit.downgrade_module('zone', '@landlord', '1.0.0')$$);
SELECT harmless($$SELECT publicdigit.rollback_landlord()$$);
SELECT publicdigit.uninstall_module('post', 'beta');
SELECT publicdigit.downgrade_module('zone', '@landlord', '1.0.0');
SELECT harmless($$SELECT publicdigit.install_module('post', 'acme', '1.1.0')$$);
SELECT * FROM installed;
SELECT broken();

-- A lower version may require what the higher one did not.
SET client_min_messages = error;
SELECT module('free', '1.0.0', '{"0001_a.up": "SELECT 1"}', '{"requires": {"base": "*"}}'),
       module('free', '1.0.1', '{"0001_a.up": "SELECT 1"}', '{"requires": {"zone": "^1.1"}}'),
       module('free', '1.1.0', '{"0001_a.up": "SELECT 1", "0002_b.up": "SELECT 2", "0002_b.down": "SELECT 2"}');
SELECT publicdigit.install_module('free', 'acme');
RESET client_min_messages;
SELECT harmless($$SELECT publicdigit.downgrade_module('free', 'acme', '1.0.0')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('free', 'acme', '1.0.1')$$);
SELECT publicdigit.install_module('base', 'acme', '1.0.0');
SELECT publicdigit.downgrade_module('free', 'acme', '1.0.0');
SELECT * FROM installed;

-- A version that lacks what is applied, or has something else in its place.
SELECT publicdigit.install_module('card', 'acme', '1.1.0');
SELECT card('1.3.0', 1, '{"tables": {"cards": "tenant"}}'),
       module('card', '0.9.0', migration('0001_other', 'CREATE TABLE cards (tenant_id uuid)', 'DROP TABLE cards')),
       module('card', '1.0.1', migration('0001_cards', 'CREATE TABLE cards (tenant_id uuid)', 'DROP TABLE cards')
                            || migration('0002_hotfix', 'SELECT 2', 'SELECT 2')),
       module('card', '1.4.0', '{"0001_cards.up": "SELECT 1", "0002_notes.up": "SELECT 2"}');
SELECT harmless($$SELECT publicdigit.upgrade_module('card', 'acme', '1.3.0')$$);
SELECT harmless($$SELECT publicdigit.upgrade_module('card', 'acme', '1.4.0')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('card', 'acme', '0.9.0')$$);
SELECT harmless($$SELECT publicdigit.downgrade_module('card', 'acme', '1.0.1')$$);

-- Tables that a version names and does not make, and down scripts that leave one behind.
SET client_min_messages = error;
SELECT module('named', '1.0.0', migration('0001_a', 'CREATE TABLE a (tenant_id uuid)', 'DROP TABLE a'), '{"tables": {"a": "tenant"}}'),
       module('named', '1.1.0', migration('0001_a', 'CREATE TABLE a (tenant_id uuid)', 'DROP TABLE a'), '{"tables": {"a": "tenant", "b": "tenant"}}'),
       module('named', '1.2.0', migration('0001_a', 'CREATE TABLE a (tenant_id uuid)', 'DROP TABLE a'), '{"tables": {"a": "tenant", "cards": "tenant"}}'),
       module('named', '1.3.0', migration('0001_a', 'CREATE TABLE a (tenant_id uuid)', 'DROP TABLE a')
                             || migration('0002_b', 'DROP TABLE a', 'SELECT 1'), '{"tables": {"a": "tenant"}}'),
       module('named', '1.4.0', migration('0001_a', 'CREATE TABLE a (tenant_id uuid)', 'DROP TABLE a')
                             || migration('0002_b', 'CREATE TABLE b (tenant_id uuid)', 'SELECT 1'), '{"tables": {"a": "tenant", "b": "tenant"}}');
RESET client_min_messages;
SELECT publicdigit.install_module('named', 'acme', '1.0.0');
SELECT harmless(format('SELECT publicdigit.upgrade_module(''named'', ''acme'', ''1.%s.0'')', n)) FROM generate_series(1, 4) AS n;
SELECT harmless($$SELECT publicdigit.downgrade_module('named', 'acme', '1.0.0')$$);
SELECT broken();

-- What messages tell: what is in the way of a higher version, a migration's other name, a version that there is not.
SET client_min_messages = error;
SELECT module('held', '1.0.0', '{"0001_a.up": "SELECT 1", "0002_b.up": "SELECT 2"}'), module('holder', '1.0.0', '{}', '{"requires": {"held": "^1.0"}}'), module('held', '2.0.0', '{"0001_a.up": "SELECT 1", "0002_b.up": "SELECT 2"}'),
       module('held', '1.1.0-a', '{"0001_z.up": "SELECT 1", "0002_b.up": "SELECT 2"}'), module('held', '1.1.0-b', '{"0001_a.up": "SELECT 1", "0002_y.up": "SELECT 3"}'), module('held', '1.1.0-c', '{"0001_a.up": "SELECT 1"}'),
       module('held', '1.0.1', '{"0001_a.up": "SELECT 1", "0001_a.down": "SELECT 1", "0002_b.up": "SELECT 2", "0002_b.down": "SELECT 1"}');
SELECT publicdigit.install_module('held', 'acme', '1.0.0'), publicdigit.install_module('held', 'beta', '1.0.0');
SELECT harmless($$SELECT publicdigit.uninstall_module('held', 'beta')$$);
SELECT publicdigit.upgrade_module('held', 'beta', '1.0.1'), publicdigit.uninstall_module('held', 'beta');
SELECT publicdigit.install_module('holder', 'acme'), publicdigit.upgrade_module('held', 'acme', '1.0.1');
RESET client_min_messages;
SELECT publicdigit.upgrade_module('held', 'acme');
SELECT publicdigit.uninstall_module('holder', 'acme');
SELECT v, harmless(format('SELECT publicdigit.upgrade_module(''held'', ''acme'', %L)', v)) FROM unnest('{1.1.0-a,1.1.0-b,1.1.0-c}'::text[]) AS v;
SELECT harmless(format('SELECT publicdigit.install_module(''held'', ''acme'', %L)', v)) FROM unnest('{1.0.0,9.9.9}'::text[]) AS v;
SELECT harmless($$SELECT publicdigit.baseline_module('held', 'acme', '1.0.0')$$);
SELECT harmless($$SELECT publicdigit.migrate_tenant('@landlord')$$);


-- A sequence that is taken from its column is taken from the app role, too: a table's go with the
-- table's privileges, and come with them.
SELECT module('numbered', '1.0.0', '{"0001_a.up": "CREATE TABLE numbered (tenant_id uuid, n serial, m serial)"}', '{"tables": {"numbered": "tenant"}}'),
    module('numbered', '1.1.0', '{"0001_a.up": "CREATE TABLE numbered (tenant_id uuid, n serial, m serial)",
        "0002_b.up": "ALTER SEQUENCE numbered_n_seq OWNED BY NONE; ALTER SEQUENCE numbered_m_seq OWNED BY numbered.n", "0002_b.down": "ALTER SEQUENCE numbered_n_seq OWNED BY numbered.n"}',
        '{"tables": {"numbered": "tenant"}}');
CREATE VIEW drawn AS SELECT relname, has_sequence_privilege('regress_app', oid, 'USAGE') FROM pg_class WHERE relname ~ '^numbered_._seq' ORDER BY 1;
SELECT publicdigit.install_module('numbered', 'acme', '1.0.0');
SELECT * FROM drawn;
SELECT publicdigit.upgrade_module('numbered', 'acme');
SELECT * FROM drawn;
SELECT publicdigit.downgrade_module('numbered', 'acme', '1.0.0');
SELECT * FROM drawn;
DROP VIEW drawn;

SET client_min_messages = error;
DROP VIEW granted;
DROP TABLE step;
DROP FUNCTION card, migration, traced;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

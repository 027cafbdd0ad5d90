-- Disabled modules: their tables stay, and the app role has no use of them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
SELECT module('zone', '1.0.0', '{"0001_zone.up": "CREATE TABLE zone (id int)", "0001_zone.down": "DROP TABLE zone"}', '{"context": "landlord", "tables": {"zone": "shared"}}'),
       module('card', '1.0.0', '{"0001_card.up": "CREATE TABLE card (id serial PRIMARY KEY, tenant_id uuid)", "0001_card.down": "DROP TABLE card"}',
              '{"tables": {"card": "tenant"}, "grants": {"card": ["select", "insert"]}}'),
       module('card', '1.1.0', '{"0001_card.up": "CREATE TABLE card (id serial PRIMARY KEY, tenant_id uuid)", "0001_card.down": "DROP TABLE card",
              "0002_more.up": "CREATE TABLE more (id serial PRIMARY KEY, tenant_id uuid)", "0002_more.down": "DROP TABLE more"}',
              '{"tables": {"card": "tenant", "more": "tenant"}, "grants": {"card": ["select"], "more": ["select", "insert", "update"]}}'),
       module('deck', '1.0.0', '{"0001_deck.up": "CREATE TABLE deck (tenant_id uuid)", "0001_deck.down": "DROP TABLE deck"}', '{"requires": {"card": "^1.0", "zone": "*"}, "tables": {"deck": "tenant"}}'),
       module('loner', '1.0.0', '{"0001_loner.up": "CREATE TABLE loner (tenant_id uuid)", "0001_loner.down": "DROP TABLE loner"}', '{"tables": {"loner": "tenant"}}'),
       module('loner', '1.1.0', '{"0001_loner.up": "CREATE TABLE loner (tenant_id uuid)", "0001_loner.down": "DROP TABLE loner"}', '{"tables": {"loner": "tenant"}, "requires": {"card": "*"}}');
CREATE VIEW granted AS
    SELECT coalesce(string_agg(g, '; ' ORDER BY g), 'nothing') AS granted FROM (
        SELECT table_name || ': ' || string_agg(lower(privilege_type), ' ' ORDER BY privilege_type)
        FROM information_schema.role_table_grants WHERE grantee = 'regress_app' AND table_schema IN ('tenant_acme', 'landlord') GROUP BY table_name
        UNION ALL SELECT c.relname || ': usage' FROM pg_class AS c WHERE relnamespace = 'tenant_acme'::regnamespace
            AND CASE relkind WHEN 'S' THEN has_sequence_privilege('regress_app', c.oid, 'usage') END) AS all_grants (g);
CREATE ROLE regress_web LOGIN IN ROLE regress_app;
SELECT publicdigit.grant_tenant_access('regress_web', 'acme');
SELECT publicdigit.install_module('zone'), publicdigit.install_module('card', 'acme', '1.0.0'), publicdigit.install_module('deck', 'acme');
SELECT publicdigit.install_module('card', 'beta', '1.0.0');
RESET client_min_messages;
SELECT * FROM granted;

-- Who needs it holds it; then one after the other, and back the other way round.
SELECT harmless($$SELECT publicdigit.disable_module('card', 'acme')$$);
SELECT harmless($$SELECT publicdigit.disable_module('zone', '@landlord')$$);
SELECT publicdigit.disable_module('deck', 'acme');
SELECT publicdigit.disable_module('card', :'acme'::uuid);
SELECT publicdigit.disable_module('card', 'acme');
SELECT * FROM installed;
SELECT * FROM granted;
SELECT harmless($$SELECT publicdigit.enable_module('deck', 'acme')$$);
\c - regress_web
SELECT publicdigit.use_tenant('acme', local => false) IS NOT NULL;
SELECT public.try('SELECT * FROM card');
SELECT public.try('INSERT INTO card DEFAULT VALUES');
SELECT public.try($$SELECT nextval('card_id_seq')$$);
\c - :superuser
SELECT has_table_privilege('regress_app', 'tenant_beta.card', 'insert') AS beta_as_before;
SELECT broken();

-- What is new may not rest on what is disabled, of the tenant's or the landlord's.
SELECT publicdigit.install_module('loner', 'acme', '1.0.0');
SELECT harmless($$SELECT publicdigit.upgrade_module('loner', 'acme')$$);
SELECT harmless($$SELECT publicdigit.migrate_tenant('acme')$$);
SELECT publicdigit.uninstall_module('loner', 'acme'), publicdigit.uninstall_module('deck', 'acme');
SELECT harmless($$SELECT publicdigit.install_module('deck', 'acme')$$);
SELECT publicdigit.disable_module('zone', '@landlord');
SELECT harmless($$SELECT publicdigit.install_module('deck', 'beta')$$);
SELECT harmless($$SELECT publicdigit.baseline_module('deck', 'beta', '1.0.0')$$);
SELECT publicdigit.enable_module('zone', '@landlord');
SELECT publicdigit.enable_module('zone', '@landlord');

-- Changed while it is disabled: it stays so, and nothing is granted.
SELECT publicdigit.upgrade_module('card', 'acme', '1.1.0');
SELECT * FROM installed;
SELECT * FROM granted;
SELECT broken();
SELECT publicdigit.archive_tenant('acme'), publicdigit.restore_tenant('acme');
SELECT * FROM granted;
SELECT harmless($$SELECT publicdigit.install_module('card', 'acme')$$);
SELECT publicdigit.enable_module('card', 'acme');
SELECT * FROM granted;
SELECT publicdigit.archive_tenant('acme');
SELECT * FROM granted;
SELECT harmless($$SELECT publicdigit.disable_module('card', 'acme')$$);
SELECT publicdigit.restore_tenant('acme');
SELECT * FROM granted;
SELECT publicdigit.disable_module('card', 'acme'), publicdigit.downgrade_module('card', 'acme', '1.0.0');
SELECT * FROM granted;
SELECT publicdigit.enable_module('card', :'acme'::uuid);
SELECT * FROM granted;
SELECT publicdigit.disable_module('card', 'acme'), publicdigit.rollback_tenant('acme', 9);
SELECT * FROM installed;
SELECT broken();

-- Arguments.
SELECT try(call) FROM unnest('{"SELECT publicdigit.disable_module(''card'', ''acme'')", "SELECT publicdigit.enable_module(''nothing'', ''acme'')",
    "SELECT publicdigit.disable_module(NULL, ''beta'')", "SELECT publicdigit.enable_module(''card'', NULL::text)", "SELECT publicdigit.enable_module(''card'', NULL::uuid)",
    "SELECT publicdigit.disable_module(''card'', ''@landlord'')", "SELECT publicdigit.disable_module(''zone'', ''acme'')", "SELECT publicdigit.disable_module(''card'', ''@current'')"}'::text[]) AS call;
SET ROLE regress_app;
SELECT try($$SELECT publicdigit.disable_module('card', 'beta')$$);
RESET ROLE;

SET client_min_messages = error;
DROP VIEW granted;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

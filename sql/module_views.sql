-- Views that a manifest lets the app role read, and versions that change what it may do alone.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
SELECT publicdigit.install_module('trace', 'acme');
CREATE VIEW granted AS
    SELECT coalesce(string_agg(g, '; ' ORDER BY g), 'nothing') AS granted FROM (
        SELECT table_name || ': ' || string_agg(lower(privilege_type), ' ' ORDER BY privilege_type)
        FROM information_schema.role_table_grants WHERE grantee = 'regress_app' AND table_schema = 'tenant_acme' AND table_name <> 'trace' GROUP BY table_name) AS all_grants (g);
CREATE ROLE regress_web LOGIN IN ROLE regress_app;
SELECT publicdigit.grant_tenant_access('regress_web', 'acme');
-- Version of card: its repeatable script, and what else its manifest says.
CREATE FUNCTION card(version text, totals text, more jsonb, name text DEFAULT 'card') RETURNS text LANGUAGE sql AS $$
    SELECT module(name, version, jsonb_build_object('0001_cards.up', 'CREATE TABLE cards (id serial PRIMARY KEY, tenant_id uuid, n int); CREATE VIEW card_list WITH (security_invoker = on) AS SELECT id, n FROM cards',
        '0001_cards.down', 'DROP VIEW card_list; DROP TABLE cards', 'totals.repeatable', totals), '{"tables": {"cards": "tenant"}}' || more)
$$;
\set totals 'CREATE OR REPLACE VIEW card_totals WITH (security_invoker) AS SELECT count(*) AS n FROM cards'
\set anew 'DROP VIEW IF EXISTS card_totals; CREATE VIEW card_totals WITH (security_invoker = true) AS SELECT count(*) AS n, sum(n) AS total FROM cards'
SELECT card('1.0.0', :'totals', '{"views": ["card_totals"]}'),
       card('1.1.0', :'anew', '{"views": ["card_totals"]}'),
       card('1.2.0', :'anew', '{"views": ["card_list"], "grants": {"cards": ["select"]}}'),
       card('1.2.1', :'anew', '{"views": ["card_list"], "grants": {"cards": ["select"]}, "title": "Cards"}');
RESET client_min_messages;

-- The app role reads them as itself: rows of its tenant, and tables that it may read.
SELECT did('install', 'card', version => '1.0.0');
SELECT * FROM granted;
SELECT publicdigit.install_module('card', 'beta', '1.0.0');
BEGIN;
SELECT publicdigit.use_tenant('beta') \g /dev/null
INSERT INTO cards (n) VALUES (1), (2), (3);
SELECT publicdigit.use_tenant('acme') \g /dev/null
INSERT INTO cards (n) VALUES (4);
COMMIT;
\c - regress_web
SELECT publicdigit.use_tenant('acme', local => false) IS NOT NULL;
SELECT * FROM card_totals;
SELECT public.try('SELECT * FROM card_list');
SELECT public.try('SELECT * FROM tenant_beta.card_totals');
\c - :superuser
-- A view that is made anew has its grant again; one that the way down drops first, as planned.
SELECT did('upgrade', 'card', version => '1.1.0');
SELECT * FROM granted;
SELECT did('downgrade', 'card', version => '1.0.0');
SELECT * FROM granted;
-- How the session has names spelled makes no difference.
SET quote_all_identifiers = on;
SELECT publicdigit.upgrade_module('card', 'acme', '1.1.0');
SELECT action, statement FROM publicdigit.plan_module('downgrade', 'card', 'acme', '1.0.0');
RESET quote_all_identifiers;
SELECT * FROM publicdigit.check_drift('acme');

-- A version that changes what the app role may do, and no script, is pending without a migration.
SELECT tenant, module, migration, version FROM publicdigit.pending_migrations();
SELECT action, version, statement FROM publicdigit.plan_module('upgrade', 'card', 'acme', '1.2.0');
SELECT did('upgrade', 'card', version => '1.2.0');
SELECT * FROM granted;
-- Nor does one with another title.
SELECT tenant, migration, version FROM publicdigit.pending_migrations('acme');
SELECT * FROM publicdigit.plan_module('upgrade', 'card', 'acme');
SELECT publicdigit.migrate_tenant('acme');
SELECT tenant, migration, version FROM publicdigit.pending_migrations('acme');
SELECT tenant, migration, version FROM publicdigit.pending_migrations();
SELECT publicdigit.migrate_tenant('beta');
SELECT count(*) FROM publicdigit.pending_migrations();
SELECT * FROM installed;
-- What is higher than the highest that counts is not behind it; what is in the archive does not count.
SELECT card('1.3.0-rc.1', :'anew', '{"views": ["card_list"], "on_uninstall": "archive"}');
SELECT publicdigit.upgrade_module('card', 'acme', '1.3.0-rc.1');
SELECT count(*) FROM publicdigit.pending_migrations();
SELECT did('downgrade', 'card', version => '1.0.0');
SELECT * FROM granted;
SELECT tenant, migration, version FROM publicdigit.pending_migrations();

-- Disabled, in the archive, put away with the tenant, and back.
SELECT publicdigit.disable_module('card', 'acme');
SELECT * FROM granted;
SELECT did('upgrade', 'card', version => '1.1.0');
SELECT * FROM publicdigit.check_drift('acme');
SELECT publicdigit.enable_module('card', 'acme');
SELECT * FROM granted;
SELECT publicdigit.archive_tenant('acme');
SELECT * FROM granted;
SELECT publicdigit.restore_tenant('acme');
SELECT * FROM granted;
SELECT publicdigit.upgrade_module('card', 'acme', '1.3.0-rc.1');
SELECT regexp_replace(statement, '[0-9a-f]{32}_[0-9]+', 'ID', 'g') FROM publicdigit.plan_module('uninstall', 'card', 'acme');
SELECT publicdigit.uninstall_module('card', 'acme');
SELECT count(*) FROM publicdigit.pending_migrations();
SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'regress_app' AND table_schema ~ '^archive_';
SELECT regexp_replace(statement, '[0-9a-f]{32}_[0-9]+', 'ID', 'g') FROM publicdigit.plan_module('install', 'card', 'acme');
SELECT publicdigit.install_module('card', 'acme');
SELECT * FROM granted;
SELECT * FROM publicdigit.check_drift('acme');
SELECT broken();

-- What somebody does by hand shows as drift; what would let it read more, at the next grant.
ALTER VIEW tenant_acme.card_list RESET (security_invoker);
REVOKE SELECT ON tenant_acme.card_list FROM regress_app;
SELECT module, object, expected, actual FROM publicdigit.check_drift('acme');
SELECT harmless($$SELECT publicdigit.downgrade_module('card', 'acme', '1.2.0')$$);
SELECT publicdigit.disable_module('card', 'acme');
SELECT harmless($$SELECT publicdigit.enable_module('card', 'acme')$$);
ALTER VIEW tenant_acme.card_list SET (security_invoker = yes);
ALTER VIEW tenant_acme.card_list OWNER TO regress_web;
SELECT harmless($$SELECT publicdigit.enable_module('card', 'acme')$$);
ALTER VIEW tenant_acme.card_list OWNER TO regress_owner;
SELECT publicdigit.enable_module('card', 'acme');
SELECT * FROM granted;
DROP VIEW tenant_acme.card_list;
SELECT publicdigit.disable_module('card', 'acme'), publicdigit.enable_module('card', 'acme');
SELECT * FROM granted;
SELECT harmless($$SELECT publicdigit.seed_module('card', 'acme')$$);
CREATE TABLE tenant_acme.card_list (n int);
SELECT publicdigit.disable_module('card', 'acme'), publicdigit.enable_module('card', 'acme');
SELECT * FROM granted;
SELECT harmless($$SELECT publicdigit.seed_module('card', 'acme')$$);
DROP TABLE tenant_acme.card_list;
DROP VIEW tenant_acme.card_totals;
DELETE FROM publicdigit.installation WHERE module = 'card' AND tenant_id = :'acme';
DROP TABLE tenant_acme.cards;

-- What no view of the module is, or no view that may be given.
SET client_min_messages = error;
CREATE FUNCTION install(up text) RETURNS text LANGUAGE sql AS $$
    SELECT public.try_and_undo(format('SELECT module(''bad'', ''1.0.0'', %L, ''{"views": ["v"]}''); SELECT publicdigit.install_module(''bad'', ''acme'')',
        jsonb_build_object('0001_bad.up', up)))
$$;
SELECT install('CREATE VIEW v AS SELECT 1 AS one');
SELECT install('CREATE VIEW v WITH (security_invoker = off, security_barrier) AS SELECT 1 AS one');
SELECT install('CREATE MATERIALIZED VIEW v AS SELECT 1 AS one');
SELECT install('SELECT 1');
SELECT install('CREATE TABLE v (tenant_id uuid)');
SELECT install('CREATE VIEW v WITH (security_invoker) AS SELECT 1 AS one; ALTER VIEW v SET (security_invoker = f)');
SELECT install('CREATE VIEW v AS SELECT 1 AS one; ALTER VIEW v SET (security_invoker = 1)');
-- The landlord's, over a shared table.
SELECT module('zone', '1.0.0', '{"0001_zone.up": "CREATE TABLE zone (id int); INSERT INTO zone VALUES (1); CREATE VIEW zones WITH (security_invoker) AS SELECT id FROM zone", "0001_zone.down": "DROP VIEW zones; DROP TABLE zone"}',
              '{"context": "landlord", "tables": {"zone": "shared"}, "views": ["zones"]}');
SELECT publicdigit.install_module('zone');
SELECT action, statement FROM publicdigit.plan_module('uninstall', 'zone', '@landlord');
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'zones' AND grantee <> grantor;
SELECT publicdigit.uninstall_module('zone', '@landlord');

-- A view in a table's place and a table in a view's, from version to version.
CREATE FUNCTION turn(version text, up2 text, more jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT module('turn', version, jsonb_strip_nulls(jsonb_build_object('0001_turn.up', 'CREATE TABLE a (tenant_id uuid); CREATE VIEW b WITH (security_invoker) AS SELECT FROM a', '0001_turn.down', 'DROP VIEW b; DROP TABLE a',
        '0002_turn.up', up2, '0002_turn.down', CASE WHEN up2 IS NOT NULL THEN 'DROP VIEW a; DROP TABLE b; CREATE TABLE a (tenant_id uuid); CREATE VIEW b WITH (security_invoker) AS SELECT FROM a' END)), more)
$$;
SELECT turn('1.0.0', NULL, '{"tables": {"a": "tenant"}, "views": ["b"]}'),
       turn('1.1.0', 'DROP VIEW b; DROP TABLE a; CREATE TABLE b (tenant_id uuid); CREATE VIEW a WITH (security_invoker) AS SELECT FROM b', '{"tables": {"b": "tenant"}, "views": ["a"]}');
RESET client_min_messages;
SELECT did('install', 'turn', version => '1.0.0');
SELECT did('upgrade', 'turn');
SELECT * FROM granted;
SELECT did('downgrade', 'turn', version => '1.0.0');
SELECT * FROM granted;
SELECT * FROM publicdigit.check_drift('acme');
SELECT did('uninstall', 'turn');
-- Modules of which the app role gets nothing take no step for it.
SELECT module('bare', '1.0.0', '{"0001_bare.up": "SELECT 1"}'), module('over', '1.0.0', '{"0001_over.up": "SELECT 2"}', '{"requires": {"bare": "*", "turn": "1.0.0"}}');
SELECT step, action, module, statement FROM publicdigit.plan_module('install', 'over', 'acme');

SET client_min_messages = error;
DROP VIEW public.granted;
DROP FUNCTION public.card, public.install, public.turn;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

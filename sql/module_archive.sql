-- What uninstalling does with what is there: archive it, refuse while there are rows, or drop it.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
\set up 'CREATE TYPE mood AS ENUM (\'good\', \'bad\'); CREATE DOMAIN word AS text CHECK (value <> \'\'); CREATE SEQUENCE "Ticket-no" START 100; CREATE FUNCTION next_word(m mood) RETURNS text LANGUAGE sql RETURN \'w\' || m; CREATE TABLE crate (id serial PRIMARY KEY, tenant_id uuid, mood mood DEFAULT \'good\', word word DEFAULT next_word(\'bad\'), ticket int DEFAULT nextval(\'"Ticket-no"\'), CHECK (next_word(mood) <> \'\')); CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY, tenant_id uuid, box_id int REFERENCES crate, PRIMARY KEY (id)); CREATE TABLE day (tenant_id uuid, d date NOT NULL) PARTITION BY RANGE (d); CREATE TABLE day_1 PARTITION OF day FOR VALUES FROM (\'2026-01-01\') TO (\'2027-01-01\'); CREATE INDEX ON item (box_id); CREATE STATISTICS item_stat ON id, box_id FROM item; CREATE FUNCTION boxes(b crate) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT count(*)::int FROM crate; END; CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.word := NEW.word || \'!\'; RETURN NEW; END$$; CREATE TRIGGER stamp BEFORE INSERT ON crate FOR EACH ROW EXECUTE FUNCTION stamp(); CREATE VIEW items WITH (security_invoker) AS SELECT i.id, b.word FROM item AS i JOIN crate AS b ON b.id = box_id'
\set down 'DROP VIEW items; DROP FUNCTION boxes; DROP TABLE day, item, crate; DROP FUNCTION stamp, next_word; DROP DOMAIN word; DROP TYPE mood; DROP SEQUENCE "Ticket-no"'
CREATE FUNCTION store(version text, scripts jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT module('store', version, scripts, '{"on_uninstall": "archive", "tables": {"crate": "tenant", "item": "tenant", "day": "tenant"}}' || more)
$$;
SELECT store('1.0.0', jsonb_build_object('0001_store.up', :'up', '0001_store.down', :'down',
                 'loud.repeatable', 'CREATE OR REPLACE VIEW loud WITH (security_invoker) AS SELECT upper(word) AS word FROM items')),
       store('1.1.0', jsonb_build_object('0001_store.up', :'up', '0001_store.down', :'down',
                 '0002_store.up', 'ALTER TABLE item ADD n int DEFAULT 7', '0002_store.down', 'ALTER TABLE item DROP n'), '{"grants": {"crate": ["select"]}}'),
       module('label', '1.0.0', '{"0001_label.up": "CREATE TABLE label (id serial, tenant_id uuid, box_id int REFERENCES crate)", "0001_label.down": "DROP TABLE label"}',
              '{"on_uninstall": "archive", "requires": {"store": "^1.0"}, "tables": {"label": "tenant"}}');
CREATE ROLE regress_web LOGIN IN ROLE regress_app;
SELECT publicdigit.grant_tenant_access('regress_web', 'acme');
-- What the app sees in acme, or why not.
CREATE FUNCTION seen() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM publicdigit.use_tenant('acme');
    RETURN QUERY EXECUTE 'SELECT concat_ws('' '', b.id, b.mood, b.word, b.ticket, i.id, (SELECT count(*) FROM day)) FROM crate AS b LEFT JOIN item AS i ON i.box_id = b.id ORDER BY b.id';
EXCEPTION WHEN OTHERS THEN RETURN NEXT SQLSTATE || ': ' || SQLERRM;
END $$;
GRANT EXECUTE ON FUNCTION seen TO PUBLIC;
CREATE VIEW protection AS SELECT format('%s %s %s', c.oid::regclass, relrowsecurity AND relforcerowsecurity,
        (SELECT string_agg(polname, ' ' ORDER BY polname) FROM pg_policy WHERE polrelid = c.oid)) AS protection
    FROM pg_class AS c WHERE relkind IN ('r', 'p') AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(tenant_acme|archive_)');
SELECT publicdigit.install_module('store', slug, '1.0.0') FROM publicdigit.tenants;
SELECT publicdigit.install_module('label', 'acme');
BEGIN;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
INSERT INTO crate DEFAULT VALUES; INSERT INTO crate (mood) VALUES ('bad');
INSERT INTO item (box_id) SELECT id FROM crate; INSERT INTO label (box_id) SELECT id FROM crate; INSERT INTO day (d) VALUES ('2026-05-05');
COMMIT;
RESET client_min_messages;

-- Dependents first, with what they want; the app role does not get there.
SELECT harmless($$SELECT publicdigit.uninstall_module('store', 'acme')$$);
SELECT regexp_replace(statement, '[0-9a-f]{32}_[0-9]+', 'ID', 'g') FROM publicdigit.plan_module('uninstall', 'label', 'acme');
-- As whom its objects move: an event trigger of the server's is told.
CREATE TABLE moved (tag text, role name);
GRANT INSERT ON moved TO PUBLIC;
CREATE FUNCTION note_move() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.moved VALUES (tg_tag, current_user); END$$;
CREATE EVENT TRIGGER note_move ON ddl_command_end WHEN tag IN ('CREATE SCHEMA', 'ALTER TABLE', 'ALTER VIEW', 'ALTER FUNCTION', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER SEQUENCE', 'ALTER STATISTICS')
    EXECUTE FUNCTION note_move();
SELECT publicdigit.uninstall_module('store', 'acme', cascade => true);
DROP EVENT TRIGGER note_move;
SELECT tag, role = session_user AS superuser, role = 'regress_owner' AS owner, count(*) FROM moved GROUP BY 1, role ORDER BY 1;
DROP FUNCTION note_move;
DROP TABLE moved;
SELECT * FROM installed;
-- Nor has it any privilege there.
SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'regress_app' AND table_schema ~ '^archive_';
SELECT count(*) FROM information_schema.usage_privileges WHERE grantee = 'regress_app' AND object_schema ~ '^archive_';
SELECT count(*) FROM pg_depend WHERE refobjid = 'tenant_acme'::regnamespace AND deptype = 'n';
SELECT regexp_replace(nspname, '[0-9a-f]{32}_[0-9]+', 'ID') AS archive, count(*), pg_get_userbyid(nspowner) AS owner, has_schema_privilege('regress_app', n.oid, 'usage') AS usage
FROM pg_namespace AS n JOIN pg_class AS c ON relnamespace = n.oid AND relkind IN ('r', 'p', 'v', 'S') WHERE nspname ~ '^archive' GROUP BY n.oid ORDER BY count(*);
SELECT count(*) FILTER (WHERE protection ~ ' t publicdigit_bound publicdigit_tenant$'), count(*) FROM protection;
SELECT n.nspname AS archive FROM publicdigit.installation AS i JOIN pg_namespace AS n ON n.nspname ~ ('^archive_.*_' || i.id || '$') WHERE module = 'store' AND status = 'archived' \gset
\c - regress_web
SELECT seen();
SELECT replace(public.try(format('SELECT FROM %s.crate', :'archive')), :'archive', 'archive_ID');
BEGIN;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
SELECT replace(public.try(format('SELECT FROM %s.crate', :'archive')), :'archive', 'archive_ID');
ROLLBACK;
\c - :superuser
-- Another's view of it, and what an archived module is not.
SELECT broken();
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.upgrade_module(''store'', ''acme'')", "SELECT publicdigit.downgrade_module(''store'', ''acme'', ''1.0.0'')",
    "SELECT publicdigit.disable_module(''store'', ''acme'')", "SELECT publicdigit.seed_module(''store'', ''acme'')", "SELECT publicdigit.rollback_tenant(''acme'')",
    "SELECT publicdigit.migrate_tenant(''acme'')", "SELECT publicdigit.unregister_module(''store'', ''1.0.0'')", "SELECT publicdigit.unregister_module(''label'')", "SELECT publicdigit.accept_migration(''store'', ''0001_store'', ''acme'', ''why'')"}'::text[]) AS call;
SELECT count(*) FROM publicdigit.pending_migrations('acme');

-- Back as it was, rows and all; as a requirement, and in a higher version.
BEGIN;
SELECT publicdigit.install_module('store', 'acme');
SELECT * FROM installed;
SELECT broken();
SELECT * FROM tenant_acme.loud;
ROLLBACK;
SELECT regexp_replace(statement, '[0-9a-f]{32}_[0-9]+', 'ID', 'g') FROM publicdigit.plan_module('install', 'store', 'acme', '1.1.0');
SELECT publicdigit.install_module('label', 'acme');
SELECT * FROM installed;
SELECT broken();
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^archive';
SELECT * FROM protection ORDER BY 1;
SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type) FROM information_schema.role_table_grants
WHERE grantee = 'regress_app' AND table_schema = 'tenant_acme' GROUP BY 1 ORDER BY 1;
SELECT b.id, b.word, b.ticket, i.n, l.id FROM tenant_acme.crate AS b JOIN tenant_acme.item AS i ON i.box_id = b.id JOIN tenant_acme.label AS l ON l.box_id = b.id ORDER BY 1;
SELECT string_agg(privilege_type, ' ') FROM information_schema.role_table_grants WHERE grantee = 'regress_app' AND table_name = 'crate' AND table_schema = 'tenant_acme';
\c - regress_web
SELECT seen();
\c - :superuser
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
INSERT INTO crate DEFAULT VALUES RETURNING id, mood, word, ticket, boxes(crate);
SELECT public.try('INSERT INTO item (box_id) VALUES (99)');
ROLLBACK;

-- Twice there and back; a name taken meanwhile; what somebody has dropped, or added, by hand.
SELECT publicdigit.uninstall_module('label', 'acme'), publicdigit.uninstall_module('store', 'acme'), publicdigit.install_module('store', 'acme');
SELECT publicdigit.uninstall_module('store', 'acme');
CREATE TABLE tenant_acme.item (n int);
SELECT regexp_replace(harmless($$SELECT publicdigit.install_module('store', 'acme')$$), '[0-9a-f]{32}_[0-9]+', 'ID');
DROP TABLE tenant_acme.item;
SET client_min_messages = error;
DROP VIEW :archive.items CASCADE;
RESET client_min_messages;
CREATE TABLE :archive.stray (n int);
SELECT regexp_replace(harmless($$SELECT publicdigit.install_module('store', 'acme')$$), '[0-9a-f]{32}_[0-9]+', 'ID', 'g');
DROP TABLE :archive.stray;
SELECT publicdigit.install_module('store', 'acme');
SELECT broken();
-- A function of a table that was renamed since.
SET client_min_messages = error;
SELECT module('renamed', '1.0.0', '{"0001_a.up": "CREATE TABLE one (tenant_id uuid); CREATE FUNCTION f(one) RETURNS int LANGUAGE sql RETURN 1", "0002_b.up": "ALTER TABLE one RENAME TO two"}',
              '{"on_uninstall": "archive"}');
SELECT publicdigit.install_module('renamed', 'acme'), publicdigit.uninstall_module('renamed', 'acme'), publicdigit.install_module('renamed', 'acme');
RESET client_min_messages;
SELECT to_regprocedure('tenant_acme.f(tenant_acme.two)');
SELECT broken();
-- Thrown away, which takes cascade: what needs it goes first, and all that lies there.
SET client_min_messages = error;
SELECT publicdigit.install_module('label', 'acme'), publicdigit.uninstall_module('store', 'acme', cascade => true);
RESET client_min_messages;
SELECT harmless($$SELECT publicdigit.uninstall_module('store', 'acme')$$);
SELECT harmless($$SELECT * FROM publicdigit.plan_module('uninstall', 'label', 'acme')$$);
SELECT harmless($$SELECT publicdigit.baseline_module('label', 'acme', '1.0.0')$$);
-- A table that somebody has dropped there keeps the module away, until it is thrown away.
SELECT n.nspname AS archive FROM publicdigit.installation AS i JOIN pg_namespace AS n ON n.nspname ~ ('^archive_.*_' || i.id || '$') WHERE module = 'store' AND status = 'archived' \gset
SET client_min_messages = error;
DROP TABLE :archive.day;
SELECT harmless($$SELECT publicdigit.install_module('store', 'acme')$$);
SELECT publicdigit.uninstall_module('store', 'acme', cascade => true);
RESET client_min_messages;
SELECT * FROM installed;
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^archive_';
SELECT action, migration, version, duration IS NULL AS no_duration, head = 'sha256:' || encode(sha256(''), 'hex') AS empty FROM publicdigit.migration_events WHERE tenant = 'acme' AND module = 'store' ORDER BY id DESC LIMIT 3;
SELECT harmless($$SELECT publicdigit.uninstall_module('store', 'acme')$$);
SET client_min_messages = error;
SELECT publicdigit.install_module('label', 'acme');
RESET client_min_messages;
SELECT broken();
SELECT count(*) FROM tenant_acme.crate;
SELECT publicdigit.uninstall_module('label', 'acme');
-- The tenant takes its archive along.
SELECT publicdigit.uninstall_module('store', slug) FROM publicdigit.tenants;
SELECT publicdigit.drop_tenant('acme', force => true);
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^archive';
SELECT * FROM installed;

-- The landlord has an archive, too.
SET client_min_messages = error;
SELECT module('zone', '1.0.0', '{"0001_zone.up": "CREATE TABLE zone (id int PRIMARY KEY); INSERT INTO zone VALUES (1)", "0001_zone.down": "DROP TABLE zone"}',
              '{"context": "landlord", "on_uninstall": "archive", "tables": {"zone": "shared"}}');
RESET client_min_messages;
SELECT publicdigit.install_module('zone'), publicdigit.uninstall_module('zone', '@landlord');
SELECT * FROM installed;
SELECT nspname ~ '^archive_landlord_\d+$' AS archive FROM pg_namespace WHERE nspname ~ '^archive_landlord';
SELECT publicdigit.install_module('zone');
SELECT count(*) FROM landlord.zone;
-- Rows in a tenant's archive hold the landlord's keys, which they will need again.
SET client_min_messages = error;
SELECT module('refers', '1.0.0', '{"0001_a.up": "CREATE TABLE refers (tenant_id uuid, zone int); SELECT publicdigit.reference_landlord(''refers'', ''zone'', ''zone''); INSERT INTO refers (zone) VALUES (1)"}',
              '{"on_uninstall": "archive", "requires": {"zone": "*"}}');
SELECT publicdigit.install_module('refers', 'beta'), publicdigit.uninstall_module('refers', 'beta');
RESET client_min_messages;
SELECT regexp_replace(try('DELETE FROM landlord.zone'), '[0-9a-f]{32}_[0-9]+', 'ID');
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.uninstall_module(''zone'', ''@landlord'')", "SELECT publicdigit.rollback_landlord()"}'::text[]) AS call;
SELECT publicdigit.install_module('refers', 'beta');
SELECT count(*) FROM tenant_beta.refers JOIN landlord.zone ON zone = id;
SET client_min_messages = error;
SELECT publicdigit.uninstall_module('refers', 'beta'), publicdigit.uninstall_module('refers', 'beta', cascade => true);
SELECT publicdigit.uninstall_module('zone', '@landlord'), publicdigit.uninstall_module('zone', '@landlord', cascade => true);
RESET client_min_messages;
SELECT * FROM installed;
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^archive_landlord';
-- The landlord goes down all the same: only what the archive refers to stays, and what comes back is resolved anew.
SET client_min_messages = error;
SELECT module('area', '1.0.0', '{"0001_a.up": "CREATE TABLE area (id int)", "0001_a.down": "DROP TABLE area"}', '{"context": "landlord"}'),
       module('area', '1.1.0', '{"0001_a.up": "CREATE TABLE area (id int)", "0001_a.down": "DROP TABLE area",
                                 "0002_b.up": "CREATE TABLE part (id int PRIMARY KEY); INSERT INTO part VALUES (1)", "0002_b.down": "DROP TABLE part"}', '{"context": "landlord"}'),
       module('plot', '1.0.0', '{"0001_a.up": "CREATE TABLE plot (tenant_id uuid); INSERT INTO plot DEFAULT VALUES"}', '{"on_uninstall": "archive", "requires": {"area": "^1.1"}}'),
       module('lot', '1.0.0', '{"0001_a.up": "CREATE TABLE lot (tenant_id uuid, part int REFERENCES part)"}', '{"on_uninstall": "archive", "requires": {"area": "^1.1"}}');
SELECT publicdigit.install_module('area', version => '1.0.0'), publicdigit.upgrade_module('area');
SELECT publicdigit.install_module(name, 'beta'), publicdigit.uninstall_module(name, 'beta') FROM unnest('{plot,lot}'::text[]) AS name;
RESET client_min_messages;
SELECT regexp_replace(harmless($$SELECT publicdigit.downgrade_module('area', '@landlord', '1.0.0')$$), '[0-9a-f]{32}_[0-9]+', 'ID');
SET client_min_messages = error;
SELECT publicdigit.uninstall_module('lot', 'beta', cascade => true);
RESET client_min_messages;
SELECT publicdigit.rollback_landlord();
SELECT harmless(call) FROM unnest('{"SELECT publicdigit.install_module(''plot'', ''beta'')", "SELECT publicdigit.rollback_landlord()"}'::text[]) AS call;
SELECT publicdigit.migrate_landlord();
SET client_min_messages = error;
SELECT publicdigit.install_module('plot', 'beta');
SELECT count(*) FROM tenant_beta.plot;
SELECT * FROM installed;
SELECT broken();
SELECT publicdigit.uninstall_module('plot', 'beta'), publicdigit.uninstall_module('plot', 'beta', cascade => true);
SELECT publicdigit.uninstall_module('area', '@landlord');
RESET client_min_messages;

-- Rows keep a module that says so, unnamed tables' and those that only a bound tenant sees as well.
SET client_min_messages = error;
SELECT module('dear', '1.0.0', '{"0001_dear.up": "CREATE TABLE dear (tenant_id uuid); CREATE TABLE unnamed (tenant_id uuid)", "0001_dear.down": "DROP TABLE dear, unnamed"}',
              '{"on_uninstall": "refuse_if_data", "tables": {"dear": "tenant"}}');
SELECT publicdigit.install_module('dear', 'beta');
RESET client_min_messages;
CREATE FUNCTION with_row(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO tenant_beta.%I SELECT id FROM publicdigit.tenants', name);
    RETURN harmless('SELECT publicdigit.uninstall_module(''dear'', ''beta'')') || ' / ' || harmless('SELECT publicdigit.rollback_tenant(''beta'')');
END $$;
-- To look for rows runs nothing of the module's: planning a query would run this.
SET client_min_messages = error;
SELECT module('sly', '1.0.0', jsonb_build_object('0001_sly.up', $$CREATE TABLE sly (tenant_id uuid, a int);
    CREATE FUNCTION peek() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''peek as %'', CASE current_user WHEN session_user THEN ''superuser'' ELSE current_user END; RETURN true; END';
    CREATE INDEX ON sly (a) WHERE peek()$$, '0001_sly.down', 'DROP TABLE sly; DROP FUNCTION peek'), '{"on_uninstall": "refuse_if_data", "tables": {"sly": "tenant"}}');
SELECT publicdigit.install_module('sly', 'beta');
RESET client_min_messages;
SELECT count(*) FROM tenant_beta.sly;
SELECT publicdigit.uninstall_module('sly', 'beta');

SELECT with_row('dear');
TRUNCATE tenant_beta.dear;
SELECT with_row('unnamed');
TRUNCATE tenant_beta.unnamed;
SELECT publicdigit.uninstall_module('dear', 'beta');
SELECT * FROM installed;
SELECT broken();

SET client_min_messages = error;
DROP VIEW protection;
DROP FUNCTION store, seen, with_row;
\set ECHO none
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname ~ '^archive_' \gexec
\set ECHO all
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

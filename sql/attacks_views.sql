-- Attempts of a module's author to have the app role read through a view as the owner role: tables
-- that it was not granted, and another tenant's without row-level security; and to have it keep what
-- no manifest gives it.  It gets through where a view that the app role may read is not
-- security_invoker, or a table has no row-level security, or no manifest names it, or a row of beta shows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\set attack :include 'attack.psql'
\i :attack
SET client_min_messages = error;
SET ROLE regress_owner;
CREATE TABLE tenant_beta.plain (body text);
INSERT INTO tenant_beta.plain VALUES ('beta plain');
RESET ROLE;
CREATE FUNCTION public.module(name text, version text, scripts jsonb, more jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', name, 'version', version, 'context', 'tenant') || more
        || jsonb_build_object('scripts', (SELECT jsonb_object_agg(CASE WHEN key = 'installer' THEN 'installer.sql' WHEN key ~ '^seed' THEN 'seeds/tenant/seed.sql'
            WHEN more->>'context' = 'landlord' THEN format('migrations/%s.sql', key) ELSE format('migrations/tenant/%s.sql', key) END, value) FROM jsonb_each(scripts))))
$$;
-- What is to be robbed: "vault" is the owner role's alone, "open" is for the app role.
\set up 'CREATE TABLE cards (tenant_id uuid, body text); CREATE TABLE vault (tenant_id uuid, body text)'
\set open 'CREATE VIEW open WITH (security_invoker) AS SELECT body FROM cards'
CREATE FUNCTION public.honest(version text, up text, open text, more jsonb DEFAULT '{"views": ["open"]}') RETURNS text LANGUAGE sql AS $$
    SELECT module('honest', version, jsonb_build_object('0001_it.up', up, '0001_it.down', 'DROP TABLE cards, vault', 'open.repeatable', open),
        '{"tables": {"cards": "tenant", "vault": "tenant"}, "grants": {"vault": []}}' || more)
$$;
SELECT honest('1.0.0', :'up', :'open'), module('world', '1.0.0', '{"0001_it.up": "CREATE TABLE country (body text); CREATE TABLE hidden (body text)"}', '{"context": "landlord", "tables": {"country": "shared", "hidden": "shared"}, "grants": {"hidden": []}}') \g /dev/null
SELECT publicdigit.install_module('world'), publicdigit.install_module('honest', 'acme') \g /dev/null

-- What the app role may read of acme and should not.
CREATE VIEW public.excess AS
    SELECT relname FROM pg_class AS c WHERE relnamespace = 'tenant_acme'::regnamespace AND relname <> 'note'
    AND relkind IN ('r', 'v') AND has_any_column_privilege('regress_app', c.oid, 'SELECT')
    AND (relkind = 'r' AND NOT relrowsecurity OR NOT EXISTS (
        SELECT FROM publicdigit.installation AS i JOIN publicdigit.module_version AS v ON v.id = i.version_id
        WHERE manifest->'views' ? relname OR manifest->'tables' ? relname AND manifest->'grants'->relname IS DISTINCT FROM '[]'));
-- Runs statements, tells of the first error, and takes all of it back.
CREATE FUNCTION public.plot(what text, VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text := 'done';
    loot text;
    statement text;
BEGIN
    BEGIN
        BEGIN
            FOREACH statement IN ARRAY statements LOOP
                EXECUTE statement;
            END LOOP;
        EXCEPTION WHEN OTHERS THEN outcome := SQLSTATE || ' ' || SQLERRM;
        END;
        SELECT string_agg(c.relname, ', ') INTO loot FROM pg_class AS c
        WHERE relkind IN ('v', 'm') AND relnamespace IN ('tenant_acme'::regnamespace, 'landlord'::regnamespace)
        AND has_any_column_privilege('regress_app', c.oid, 'SELECT')
        AND NOT EXISTS (SELECT FROM pg_options_to_table(reloptions) WHERE option_name = 'security_invoker' AND option_value::boolean);
        loot := nullif(concat_ws(', ', loot, (SELECT string_agg(relname, ', ') FROM public.excess)), '');
        RAISE SQLSTATE 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
    END;
    RETURN public.told(what, outcome, loot);
END $$;
-- The same for a module of one script, which may name views.
CREATE FUNCTION public.thief(what text, up text, views jsonb DEFAULT '[]') RETURNS text LANGUAGE sql AS $$
    SELECT public.plot(what, format('SELECT module(''thief'', ''1.0.0'', %L, %L)', jsonb_build_object('0001_it.up', up), jsonb_build_object('views', views)),
        'SELECT publicdigit.install_module(''thief'', ''acme'')')
$$;

-- A view of its own.
SELECT thief('own view', 'CREATE VIEW mine AS SELECT body FROM vault', '["mine"]');
SELECT thief('own materialized view', 'CREATE MATERIALIZED VIEW mine AS SELECT 1 AS one', '["mine"]');
SELECT thief('option taken back', 'CREATE VIEW mine WITH (security_invoker) AS SELECT body FROM vault; CREATE OR REPLACE VIEW mine AS SELECT body FROM vault', '["mine"]');
SELECT thief('option taken back, in a DO block', 'CREATE VIEW mine WITH (security_invoker) AS SELECT body FROM vault; DO $do$ BEGIN EXECUTE ''ALTER VIEW mine RESET (security_invoker)''; END $do$', '["mine"]');
SELECT thief('over another tenant''s table', 'CREATE VIEW mine WITH (security_invoker) AS SELECT body FROM tenant_beta.plain', '["mine"]');
SELECT thief('over another tenant''s table, in a DO block', 'DO $do$ BEGIN EXECUTE ''CREATE VIEW mine WITH (security_invoker) AS SELECT body FROM tenant_beta.'' || ''plain''; END $do$', '["mine"]');
SELECT thief('a table in its place', 'CREATE VIEW mine WITH (security_invoker) AS SELECT body FROM vault; DROP VIEW mine; CREATE TABLE mine (tenant_id uuid)', '["mine"]');
SELECT thief('granted by the script', 'CREATE VIEW mine AS SELECT body FROM vault; GRANT SELECT ON mine TO regress_app');

-- A later version: its repeatable script, a migration; and one that no longer names the view.
\set replaced 'CREATE OR REPLACE VIEW open AS SELECT body FROM vault'
SELECT plot('replaced by the next version', format('SELECT honest(''1.1.0'', %L, %L)', :'up', :'replaced'), 'SELECT publicdigit.upgrade_module(''honest'', ''acme'')');
SELECT plot('replaced, and a table in its place', format('SELECT honest(''1.1.0'', %L, %L)', :'up', 'DROP VIEW IF EXISTS open; DROP TABLE cards; CREATE VIEW open WITH (security_invoker) AS SELECT body FROM vault; CREATE VIEW cards AS SELECT body FROM vault'), 'SELECT publicdigit.upgrade_module(''honest'', ''acme'')');
SELECT plot('no longer named, and replaced', format('SELECT honest(''1.1.0'', %L, %L, ''{}'')', :'up', :'replaced'), 'SELECT publicdigit.upgrade_module(''honest'', ''acme'')');
SELECT plot('no longer named, renamed and replaced', format('SELECT honest(''1.1.0'', %L, %L, ''{}'')', :'up', 'ALTER VIEW open RENAME TO still; CREATE OR REPLACE VIEW still AS SELECT body FROM vault'), 'SELECT publicdigit.upgrade_module(''honest'', ''acme'')');
SELECT plot('while it is disabled', format('SELECT honest(''1.1.0'', %L, %L)', :'up', :'replaced'), 'SELECT publicdigit.disable_module(''honest'', ''acme'')',
    'SELECT publicdigit.upgrade_module(''honest'', ''acme'')', 'SELECT publicdigit.enable_module(''honest'', ''acme'')');

-- Another module's view, whatever way a script has.
SELECT thief('foreign view replaced', :'replaced');
SELECT plot('foreign view replaced of which a column may be written', 'REVOKE SELECT ON tenant_acme.open FROM regress_app', 'GRANT UPDATE (body) ON tenant_acme.open TO regress_app',
    format('SELECT module(''thief'', ''1.0.0'', %L, ''{}'')', jsonb_build_object('0001_it.up', :'replaced')), 'SELECT publicdigit.install_module(''thief'', ''acme'')');
SELECT thief('foreign view''s option', 'ALTER VIEW open SET (security_invoker = false)');
SELECT thief('foreign view''s option, as a table''s', 'ALTER TABLE open RESET (security_invoker)');
SELECT thief('foreign view renamed and replaced', 'ALTER VIEW open RENAME TO still; CREATE OR REPLACE VIEW still AS SELECT body FROM vault');
SELECT thief('foreign view named', 'SELECT 1', '["open"]');
SELECT thief('foreign view replaced and named', 'CREATE OR REPLACE VIEW open WITH (security_invoker) AS SELECT body FROM vault', '["open"]');
SELECT plot('by a seed', format('SELECT module(''thief'', ''1.0.0'', %L, ''{}'')', jsonb_build_object('seed', :'replaced')),
    'SELECT publicdigit.install_module(''thief'', ''acme'')', 'SELECT publicdigit.seed_module(''thief'', ''acme'')');
SELECT plot('by a verify script', format('SELECT module(''thief'', ''1.0.0'', %L, ''{}'')', jsonb_build_object('0001_it.up', 'SELECT 1', '0001_it.verify', :'replaced')),
    'SELECT publicdigit.install_module(''thief'', ''acme'')');
SELECT plot('by the installer''s function', format('SELECT module(''thief'', ''1.0.0'', %L, ''{"installer": {"install": "make", "uninstall": "make"}}'')',
        jsonb_build_object('installer', format('CREATE FUNCTION make(tenant uuid) RETURNS void LANGUAGE plpgsql AS %L', 'BEGIN ' || :'replaced' || '; END'))),
    'SELECT publicdigit.install_module(''thief'', ''acme'')');
SELECT plot('by the way out', format('SELECT module(''thief'', ''1.0.0'', %L, ''{}'')', jsonb_build_object('0001_it.up', 'SELECT 1', '0001_it.down', :'replaced')),
    'SELECT publicdigit.install_module(''thief'', ''acme'')', 'SELECT publicdigit.uninstall_module(''thief'', ''acme'')');
SELECT plot('by the way down', format('SELECT module(''thief'', ''1.0.0'', %L, ''{}''), module(''thief'', ''1.1.0'', %L, ''{}'')', '{"0001_it.up": "SELECT 1"}',
        jsonb_build_object('0001_it.up', 'SELECT 1', '0002_it.up', 'SELECT 1', '0002_it.down', :'replaced')),
    'SELECT publicdigit.install_module(''thief'', ''acme'')', 'SELECT publicdigit.downgrade_module(''thief'', ''acme'', ''1.0.0'')');
-- By what runs while the extension itself works on the module's tables: a function that the server
-- computes then, and a deferred trigger.
CREATE FUNCTION public.later(what text) RETURNS text LANGUAGE sql AS $$
    SELECT format('CREATE FUNCTION do_it() RETURNS void LANGUAGE plpgsql AS %L;
        CREATE FUNCTION one(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS ''BEGIN PERFORM tenant_acme.do_it(); RETURN 1; END'';
        CREATE TABLE t (tenant_id uuid, CHECK (one(1) = 1))', 'BEGIN IF current_setting(''search_path'') !~ ''tenant'' THEN SET LOCAL search_path = tenant_acme; ' || what || '; END IF; END')
$$;
CREATE FUNCTION public.deferred(what text) RETURNS text LANGUAGE sql AS $$
    SELECT format('CREATE FUNCTION do_it() RETURNS trigger LANGUAGE plpgsql AS %L; CREATE TABLE t (tenant_id uuid);
        CREATE CONSTRAINT TRIGGER d AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION do_it(); INSERT INTO t DEFAULT VALUES', 'BEGIN ' || what || '; RETURN NULL; END')
$$;
SELECT thief('foreign view replaced, while a table is protected', later(:'replaced'));
SELECT thief('foreign view replaced, by a deferred trigger', deferred(:'replaced'));
SELECT plot(what, format('SELECT module(''thief'', ''1.0.0'', %L, ''{"tables": {"t": "tenant", "bare": "tenant"}}'')', jsonb_build_object('0001_it.up', script)),
    'SELECT publicdigit.install_module(''thief'', ''acme'')') FROM (VALUES ('a table made, while another is protected', later('CREATE TABLE bare (a int)')),
    ('a table made, by a deferred trigger', deferred('CREATE TABLE bare (a int)'))) AS v (what, script);

-- What is granted on a table stays with it under another name.
SELECT thief('foreign table renamed', 'ALTER TABLE cards RENAME TO kept');
SELECT thief('foreign table renamed, in a materialized view', 'CREATE FUNCTION do_it() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN IF to_regclass(''tenant_acme.cards'') IS NOT NULL THEN ALTER TABLE tenant_acme.cards RENAME TO kept; END IF; RETURN 1; END $f$;
    CREATE MATERIALIZED VIEW m AS SELECT do_it() WITH NO DATA; REFRESH MATERIALIZED VIEW m');
SELECT thief('foreign view renamed', 'ALTER VIEW open RENAME TO kept');
\set swap 'ALTER TABLE cards RENAME TO x; ALTER TABLE vault RENAME TO cards; ALTER TABLE x RENAME TO vault'
SELECT thief('foreign tables swapped', :'swap');
SELECT plot('tables swapped by the next version, and back', format('SELECT module(''honest'', ''1.1.0'', %L, %L)', jsonb_build_object('0001_it.up', :'up', '0001_it.down', 'DROP TABLE cards, vault', 'open.repeatable', :'open', '0002_it.up', :'swap', '0002_it.down', :'swap'),
        '{"tables": {"cards": "tenant", "vault": "tenant"}, "grants": {"vault": []}, "views": ["open"]}'),
    'SELECT publicdigit.upgrade_module(''honest'', ''acme'')', 'SELECT 1 / (1 - count(*)::int) FROM excess', 'SELECT publicdigit.downgrade_module(''honest'', ''acme'', ''1.0.0'')');
SELECT plot('a view left behind', format('SELECT module(''thief'', ''1.0.0'', %L, ''{"views": ["kept"]}'')', '{"0001_it.up": "CREATE VIEW kept WITH (security_invoker) AS SELECT 1 AS one", "0001_it.down": "SELECT 1"}'),
    'SELECT publicdigit.install_module(''thief'', ''acme'')', 'SELECT publicdigit.uninstall_module(''thief'', ''acme'')');
-- A table of the landlord's that becomes a view, and keeps what is granted on it; newer servers know no such rule.
SELECT regexp_replace(plot('a table made a view', $$SELECT module('thief', '1.0.0', '{"0001_it.up": "CREATE RULE \"_RETURN\" AS ON SELECT TO landlord.country DO INSTEAD SELECT body FROM landlord.hidden"}', '{"context": "landlord"}')$$,
    $$SELECT publicdigit.install_module('thief')$$), ': \w{5} .*', ': refused');

-- A view between: the app role needs a privilege on each, and has it on what the manifest names.
SELECT module('thief', '1.0.0', '{"0001_it.up": "CREATE VIEW inner_one AS SELECT body FROM vault; CREATE VIEW outer_one WITH (security_invoker) AS SELECT body FROM inner_one; INSERT INTO vault (body) VALUES (''no beta here'')"}', '{"views": ["outer_one"]}');
SELECT publicdigit.install_module('thief', 'acme');
\c - regress_web
SELECT publicdigit.use_tenant('acme', false) IS NOT NULL;
SELECT public.attack('a view between', 'SELECT * FROM outer_one', true);
SELECT public.attack('the inner view', 'SELECT * FROM inner_one', true);
SELECT public.attack('the table itself', 'SELECT * FROM vault', true);
SELECT public.attack('written through a view', 'INSERT INTO open VALUES (''x'')', true);

\set attack_end :include 'attack_end.psql'
\i :attack_end
DROP VIEW public.excess;
DROP FUNCTION public.module, public.honest, public.plot, public.thief, public.later, public.deferred;
\set clean :include 'clean.psql'
\i :clean

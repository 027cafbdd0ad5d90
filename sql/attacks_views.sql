-- Attempts of a module's author to have the app role read through a view as the owner role: tables
-- that it was not granted, and another tenant's without row-level security.  It gets through where a
-- view that the app role may read is not security_invoker, or shows a row of beta.
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
DROP FUNCTION public.module, public.honest, public.plot, public.thief;
\set clean :include 'clean.psql'
\i :clean

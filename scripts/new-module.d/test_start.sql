-- Tests of module @NAME@. In the module's folder, as a superuser:
--
--     pg_prove -d DATABASE test/@NAME@.sql
--
-- The database has the extensions publicdigit and pgtap, and not this module;
-- what module.json requires is registered there. All is one transaction that is
-- rolled back: nothing stays.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\set ON_ERROR_STOP true

-- The module as one document, from the files that lie here.
\set here `test -f module.json && echo true || echo false`
\if :here
\else
    \echo Bail out!  The current folder has no module.json.
    \quit
\endif
\set manifest `cat module.json`
\set scripts `find installer.sql migrations seeds -name '*.sql' 2>/dev/null | while read -r path; do echo "$path" "$(base64 <"$path" | tr -d '\n')"; done`

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT publicdigit.register_module(:'manifest'::jsonb || jsonb_build_object('scripts', jsonb_object_agg(
    split_part(line, ' ', 1), convert_from(decode(split_part(line, ' ', 2), 'base64'), 'UTF8'))))
FROM string_to_table(:'scripts', E'\n') AS line WHERE line <> '' \g /dev/null

-- Two tenants, and a role for the application. Where setup() has not run, so it does.
SELECT publicdigit.setup('pgtap_owner', 'pgtap_app', environment => 'testing')
WHERE publicdigit.environment() IS NULL \g /dev/null
SELECT app_role FROM publicdigit.setting \gset
CREATE ROLE pgtap_web IN ROLE :"app_role";
SELECT publicdigit.create_tenant('test-one') AS one, publicdigit.create_tenant('test-two') AS two \gset
SELECT publicdigit.grant_tenant_access('pgtap_web', '*') \g /dev/null

-- Work for a tenant as the application does, with pgTAP still in reach.
SELECT set_config('test.path', current_setting('search_path'), true) \g /dev/null
CREATE FUNCTION pg_temp.enter(tenant text) RETURNS void LANGUAGE sql AS $$
    SELECT publicdigit.use_tenant(tenant);
    SELECT set_config('search_path', concat_ws(', ', current_setting('search_path'),
                                               current_setting('test.path')), true);
$$;


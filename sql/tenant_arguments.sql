-- What a tenant argument may say, for every function that has one; and null, for every argument.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
SET client_min_messages = error;
SELECT publicdigit.register_module('{"name": "demo", "version": "1.0.0", "context": "tenant"}'::jsonb);
SELECT publicdigit.install_module('demo', 'acme');

-- A call's arguments that are in order, by their names.
CREATE FUNCTION argument(name text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE name
        WHEN 'tenant' THEN '''acme''' WHEN 'slug' THEN '''other''' WHEN 'placement' THEN '''schema'''
        WHEN 'domain' THEN '''x.example.org''' WHEN 'host' THEN '''x.example.org'''
        WHEN 'domains' THEN '''{y.example.org}''' WHEN 'name' THEN '''Other'''
        WHEN 'role' THEN '''regress_web''' WHEN 'action' THEN '''install''' WHEN 'module' THEN '''demo''' WHEN 'version' THEN '''1.0.0'''
        WHEN 'table_name' THEN '''landlord.event''' WHEN 'tenant_column' THEN '''tenant_id'''
        WHEN 'column_name' THEN '''tenant_id''' WHEN 'landlord_table' THEN '''landlord.event'''
        WHEN 'owner' THEN '''regress_owner''' WHEN 'app' THEN '''regress_app'''
        WHEN 'admin' THEN '''regress_admin''' WHEN 'environment' THEN '''production'''
        WHEN 'document' THEN '''{"name": "x", "version": "1.0.0", "context": "tenant"}'''
        WHEN 'batches' THEN '1' WHEN 'ttl' THEN '''1 min''' WHEN 'seal' THEN 'false' ELSE 'true' END
$$;

CREATE FUNCTION acme() RETURNS uuid STABLE LANGUAGE sql AS
    $$ SELECT id FROM publicdigit.tenants WHERE slug = 'acme' $$;
CREATE VIEW function AS
    SELECT p.oid, p.proname AS name, p.oid::regprocedure AS signature, p.proargnames AS names,
           p.proargtypes::regtype[] AS types, array_position(p.proargnames, 'tenant') AS tenant
    FROM pg_proc AS p
    WHERE p.pronamespace = 'publicdigit'::regnamespace AND p.pronargs > 0
      -- Not those that the server and scripts call for themselves.
      AND p.proname !~ '^guarded_|_support$';

-- A call of a function with one argument replaced; $2 counts from 1.
CREATE FUNCTION call(function, int, text) RETURNS text LANGUAGE sql AS $$
    SELECT format('publicdigit.%I(%s)', ($1).name, string_agg(
               CASE WHEN i = $2 THEN $3
                    WHEN ($1).types[i - 1] = 'uuid'::regtype THEN 'acme()'
                    ELSE argument(($1).names[i]) || '::' || ($1).types[i - 1] END,
               ', ' ORDER BY i))
    FROM generate_series(1, cardinality(($1).types)) AS i
$$;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE sql AS
    $$ SELECT split_part(try_and_undo(statement), ':', 1) $$;

-- Every function that takes a tenant as text has a twin that takes its id, without a default for it.
SELECT t.signature
FROM function AS t
WHERE t.types[t.tenant - 1] = 'text'::regtype
  AND NOT EXISTS (SELECT FROM function AS u JOIN pg_proc AS p USING (oid)
                  WHERE u.name = t.name AND u.names = t.names
                    AND u.types[u.tenant - 1] = 'uuid'::regtype
                    AND u.tenant <= p.pronargs - p.pronargdefaults);

-- As text: a slug; an id in any spelling; what has no type; the words; what is none of them.
\pset format aligned
\pset tuples_only off
SELECT f.name,
       outcome('SELECT ' || call(f, tenant, '''acme''')) AS slug,
       outcome('SELECT ' || call(f, tenant, quote_literal(:'acme') || '::text')) AS id,
       outcome('SELECT ' || call(f, tenant, quote_literal('{' || upper(:'acme') || '}'))) AS "ID",
       outcome('SELECT ' || call(f, tenant, '''@landlord''')) AS "@landlord",
       outcome('SELECT ' || call(f, tenant, '''@current''')) AS "@current",
       outcome('SELECT ' || call(f, tenant, '''@other''')) AS "@other",
       outcome('SELECT ' || call(f, tenant, '''*''')) AS "*",
       outcome('SELECT ' || call(f, tenant, '''none''')) AS "none",
       outcome('SELECT ' || call(f, tenant, quote_literal(gen_random_uuid()))) AS other_id,
       outcome('SELECT ' || call(f, tenant, '''''')) AS empty,
       outcome('SELECT ' || call(f, tenant, '''ACME''')) AS upper
FROM function AS f WHERE types[tenant - 1] = 'text'::regtype ORDER BY name;

-- As uuid.
SELECT f.name, outcome('SELECT ' || call(f, tenant, quote_literal(:'acme') || '::uuid')) AS id,
       outcome('SELECT ' || call(f, tenant, 'gen_random_uuid()')) AS other_id,
       outcome('SELECT ' || call(f, tenant, 'NULL::uuid')) AS "null"
FROM function AS f WHERE types[tenant - 1] = 'uuid'::regtype ORDER BY name;

-- A parameter without a type is text.
SELECT format('PREPARE %I AS SELECT %s', name, call(f, tenant, '$1'))
FROM function AS f WHERE types[tenant - 1] = 'text'::regtype ORDER BY name \gexec
SELECT name, parameter_types,
       outcome(format('EXECUTE %I(''acme'')', name)) AS slug,
       outcome(format('EXECUTE %I(%L)', name, :'acme')) AS id,
       outcome(format('EXECUTE %I(''none'')', name)) AS "none",
       outcome(format('EXECUTE %I(NULL)', name)) AS "null"
FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;
\pset format unaligned
\pset tuples_only on

-- The messages.
SELECT public.try('SELECT publicdigit.suspend_tenant(''none'')');
SELECT public.try('SELECT publicdigit.suspend_tenant(''landlord'')');
SELECT public.try('SELECT publicdigit.suspend_tenant(''00000000-0000-0000-0000-000000000000'')');
SELECT public.try('SELECT publicdigit.suspend_tenant(''00000000-0000-0000-0000-000000000000''::uuid)');
SELECT public.try('SELECT publicdigit.use_tenant(''@landlord'')');
SELECT public.try('SELECT publicdigit.use_tenant(''@other'')');
SELECT public.try('SELECT publicdigit.use_tenant(''@current'')');
SELECT public.try('SELECT publicdigit.grant_tenant_access(''regress_web'', ''@landlord'')');

-- @current is the bound tenant, and nothing else is.
BEGIN;
SELECT publicdigit.use_tenant('beta') = :'beta';
SELECT publicdigit.use_tenant('@current') = :'beta', publicdigit.current_tenant();
SELECT publicdigit.suspend_tenant('@current');
SELECT slug, status FROM publicdigit.tenants ORDER BY slug;
ROLLBACK;
BEGIN;
SELECT publicdigit.use_landlord();
SELECT public.try('SELECT publicdigit.suspend_tenant(''@current'')');
ROLLBACK;

-- Null, in the place of each argument, while a tenant is bound that it must not hit.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SET LOCAL search_path = public;
SELECT f.signature, f.names[i], split_part(try_and_undo('SELECT ' || call(f, i, 'NULL::' || types[i - 1])), E'\n', 1)
FROM function AS f, generate_series(1, cardinality(types)) AS i
ORDER BY f.signature::text COLLATE "C", i;
SELECT slug, status FROM publicdigit.tenants ORDER BY slug;
ROLLBACK;

-- Each refusal once more, in a savepoint that is rolled back.
\set VERBOSITY sqlstate
BEGIN;
SELECT 'SAVEPOINT s', 'SELECT ' || call(f, tenant, bad), 'ROLLBACK TO s'
FROM function AS f, unnest('{NULL::text, ''none'', ''@landlord''}'::text[]) AS bad
WHERE name IN ('use_tenant', 'drop_tenant', 'grant_tenant_access') AND types[tenant - 1] = 'text'::regtype
ORDER BY name, bad \gexec
SELECT publicdigit.use_tenant('beta') = :'beta';
COMMIT;

DROP FUNCTION outcome, call, argument, acme;
DROP VIEW function;
\set clean :include 'clean.psql'
\i :clean

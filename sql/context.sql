-- Binding a tenant and the landlord: what it does, what it refuses, what it warns of.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
SELECT publicdigit.create_tenant('suspended', domains => '{s.example.org}') IS NOT NULL,
       publicdigit.create_tenant('archived') IS NOT NULL;
SELECT publicdigit.grant_tenant_access('regress_web', tenant)
FROM unnest('{beta, suspended, archived}'::text[]) AS tenant;
SELECT publicdigit.suspend_tenant('suspended'), publicdigit.archive_tenant('archived');
\c - regress_web

-- Nothing is bound: nothing is seen or written.
SELECT * FROM public.standing;
SELECT count(*) FROM landlord.event;
SELECT public.try('TABLE tenant_acme.note');
SELECT public.try('INSERT INTO landlord.event (body) VALUES (''x'')');
SELECT public.try(format('INSERT INTO landlord.event VALUES (%L, ''x'')', :'acme'));
UPDATE landlord.event SET body = 'x';
DELETE FROM landlord.event;

-- A tenant for a transaction, another, the landlord, nothing.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme', publicdigit.current_tenant_id() = :'acme';
SELECT * FROM public.standing;
SELECT database = current_database(), environment, tenant_id = :'acme', role, sealed FROM publicdigit.context();
SELECT body FROM note ORDER BY body;
SELECT publicdigit.use_tenant(:'beta'::uuid) = :'beta', publicdigit.current_tenant();
SELECT * FROM public.standing;
SELECT body FROM note ORDER BY body;
SELECT publicdigit.use_landlord();
SELECT * FROM public.standing;
SELECT public.try('TABLE note');
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT publicdigit.forget_tenant();
SELECT * FROM public.standing;
COMMIT;
SELECT * FROM public.standing;

-- For the session, until it is forgotten.
SELECT publicdigit.use_tenant('acme', local => false) = :'acme';
SELECT * FROM public.standing;
BEGIN;
SELECT publicdigit.use_tenant('beta') = :'beta';
SELECT * FROM public.standing;
COMMIT;
SELECT * FROM public.standing;
SELECT publicdigit.use_landlord(false);
SELECT * FROM public.standing;
SELECT publicdigit.forget_tenant();
SELECT * FROM public.standing;

-- Only the bound tenant's rows are written.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO event (body) VALUES ('acme 3') RETURNING tenant_id = :'acme';
SELECT public.try(format('INSERT INTO event VALUES (%L, ''x'')', :'beta'));
SELECT public.try(format('UPDATE event SET tenant_id = %L', :'beta'));
SELECT public.try('INSERT INTO event VALUES (NULL, ''x'')');
SELECT public.try('TABLE tenant_beta.note');
UPDATE event SET body = body WHERE body LIKE 'beta%' RETURNING body;
DELETE FROM event RETURNING body;
ROLLBACK;

-- Tenants that cannot be entered, and those that are none.
SELECT public.try('SELECT publicdigit.use_tenant(''suspended'')');
SELECT public.try('SELECT publicdigit.use_tenant(''archived'')');
SELECT public.try('SELECT publicdigit.use_tenant(''none'')');
SELECT public.try('SELECT publicdigit.use_tenant(publicdigit.find_tenant(''s.example.org''))');
SELECT public.try('SELECT publicdigit.use_tenant(''acme'', NULL)');
SELECT public.try('SELECT publicdigit.use_tenant(''acme'', seal => NULL)');
SELECT public.try('SELECT publicdigit.use_landlord(NULL)');
SELECT * FROM public.standing;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
\set VERBOSITY sqlstate
SELECT 'SAVEPOINT s', format('SELECT publicdigit.use_tenant(%s)', tenant), 'ROLLBACK TO s'
FROM unnest('{''suspended'', ''archived'', ''none'', NULL::text, NULL::uuid, ''@landlord''}'::text[]) AS tenant \gexec
\set VERBOSITY default
SELECT * FROM public.standing;
COMMIT;

-- A local switch that can have no effect; those that have one.
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT publicdigit.use_tenant(:'acme'::uuid) = :'acme';
SELECT publicdigit.use_landlord();
SELECT t = :'acme' FROM publicdigit.use_tenant('acme') AS t;
PREPARE switch AS SELECT publicdigit.use_tenant($1) = :'acme';
EXECUTE switch('acme');
SELECT * FROM public.standing;
SELECT publicdigit.use_tenant('acme') = :'acme' \; SELECT string_agg(body, ', ' ORDER BY body) FROM note;
DO $$ BEGIN
    PERFORM publicdigit.use_tenant('acme');
    RAISE NOTICE '% notes', (SELECT count(*) FROM note);
END $$;
SELECT * FROM public.standing;

-- A role that bypasses row-level security is told so at every switch.
\c - :superuser
CREATE ROLE regress_bypass LOGIN BYPASSRLS IN ROLE regress_app;
SELECT publicdigit.grant_tenant_access('regress_bypass', 'acme');
\c - regress_bypass
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT publicdigit.use_landlord(false);
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SET ROLE regress_app;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT * FROM public.standing;
COMMIT;

-- In a function with a search_path of its own the binding outlives the path.
\c - regress_web
CREATE FUNCTION pg_temp.enter(tenant text) RETURNS uuid LANGUAGE sql SET search_path = pg_catalog AS
    $$ SELECT publicdigit.use_tenant(tenant) $$;
BEGIN;
SELECT pg_temp.enter('acme') = :'acme';
SELECT * FROM public.standing;
ROLLBACK;

-- The path is right when the schema is there and may be used, or there is no switch.
\c - :superuser
SELECT publicdigit.environment();
SELECT public.try('ALTER SCHEMA tenant_acme RENAME TO regress_gone');
BEGIN;
SET LOCAL client_min_messages = error;
DROP SCHEMA tenant_acme CASCADE;
SELECT public.try('SELECT publicdigit.use_tenant(''acme'')');
ROLLBACK;
SELECT publicdigit.grant_tenant_access('regress_nobody', 'acme');
GRANT EXECUTE ON FUNCTION publicdigit.use_tenant(text, boolean, boolean),
    publicdigit.use_landlord(boolean) TO regress_nobody;
\c - regress_nobody
SELECT public.try('SELECT publicdigit.use_tenant(''acme'')');
SELECT public.try('SELECT publicdigit.use_landlord()');
SELECT connection, search_path FROM publicdigit.context();

-- The first switch reads the registry, those that follow do not (unless nothing stays in a cache).
\c - :superuser
SET client_min_messages = error;
CREATE FUNCTION public.reads() RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(pg_stat_get_xact_numscans(oid)) FROM pg_class
    WHERE relnamespace = 'publicdigit'::regnamespace
$$;
BEGIN;
SELECT public.reads() AS before \gset
SELECT publicdigit.use_tenant('acme') = :'acme', publicdigit.use_tenant(:'beta'::uuid) = :'beta';
SELECT public.reads() > :before, publicdigit.current_tenant();
SELECT public.reads() AS before \gset
SELECT publicdigit.use_tenant('beta') = :'beta', publicdigit.use_tenant('acme') = :'acme',
       publicdigit.use_tenant('acme', false) = :'acme', publicdigit.current_tenant();
SELECT public.reads() = :before
       OR current_setting('session_preload_libraries') LIKE '%cache_thrash%' AS cached;
ROLLBACK;
DROP FUNCTION public.reads;

\set clean :include 'clean.psql'
\i :clean

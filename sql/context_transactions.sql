-- The bound tenant under ROLLBACK, savepoints, RESET, DISCARD, exception blocks,
-- function SET clauses, prepared statements and parallel plans.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
SELECT publicdigit.grant_tenant_access('regress_web', 'beta');
\c - regress_web
\set here 'SELECT tenant, source, schema, events FROM public.standing;'

-- COMMIT and ROLLBACK end what is local; ROLLBACK also undoes what is not.
BEGIN; SELECT publicdigit.use_tenant('acme') = :'acme'; COMMIT;
:here
BEGIN; SELECT publicdigit.use_tenant('acme') = :'acme'; ROLLBACK;
:here
BEGIN; SELECT publicdigit.use_tenant('acme', false) = :'acme'; ROLLBACK;
:here
BEGIN; SELECT publicdigit.use_tenant('acme', false) = :'acme'; COMMIT;
:here
BEGIN; SELECT publicdigit.forget_tenant(); ROLLBACK;
:here
BEGIN; SELECT publicdigit.use_tenant('beta', false) = :'beta'; SELECT 1/0; COMMIT;
:here

-- A local switch over a session's, both ways round.
BEGIN;
SELECT publicdigit.use_tenant('beta') = :'beta';
:here
COMMIT;
:here
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT publicdigit.use_tenant('beta', false) = :'beta';
COMMIT;
:here
BEGIN;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT publicdigit.use_landlord();
:here
COMMIT;
:here

-- forget_tenant() ends both, and gives back the path that the session logged in with.
SET search_path = pg_catalog;
BEGIN;
SELECT publicdigit.use_tenant('beta') = :'beta';
SELECT publicdigit.forget_tenant();
:here
SHOW search_path;
COMMIT;
:here

-- Savepoints.
BEGIN;
SAVEPOINT a;
SELECT publicdigit.use_tenant('acme') = :'acme';
SAVEPOINT b;
SELECT publicdigit.use_tenant('beta') = :'beta';
:here
ROLLBACK TO b;
:here
SELECT publicdigit.forget_tenant();
:here
ROLLBACK TO b;
SELECT publicdigit.use_tenant('beta') = :'beta';
RELEASE b;
:here
SELECT 1/0;
ROLLBACK TO a;
:here
SELECT publicdigit.use_tenant('acme', false) = :'acme';
RELEASE a;
:here
ROLLBACK;
:here

-- Exception blocks are savepoints.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DO $$ BEGIN
    PERFORM publicdigit.use_tenant('beta');
    RAISE NOTICE 'in the block: %', publicdigit.current_tenant();
    PERFORM 1/0;
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'in the handler: %', publicdigit.current_tenant();
    PERFORM publicdigit.use_tenant('beta');
END $$;
:here
COMMIT;

-- RESET and SET TO DEFAULT: nothing is bound, so nothing is seen.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
RESET publicdigit.context;
:here
ROLLBACK;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SET publicdigit.context TO DEFAULT;
:here
SELECT publicdigit.use_tenant('acme', false) = :'acme';
RESET ALL;
:here
SELECT publicdigit.use_tenant('acme', false) = :'acme';
DISCARD ALL;
:here
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SET LOCAL publicdigit.context = '';
:here
BEGIN;
SET LOCAL publicdigit.context = '';
:here
COMMIT;
:here

-- A function's SET clause gives back what it found.
CREATE FUNCTION pg_temp.unbound() RETURNS text LANGUAGE sql SET publicdigit.context = '' AS
    $$ SELECT coalesce(publicdigit.current_tenant(), 'nobody') $$;
CREATE FUNCTION pg_temp.path() RETURNS text LANGUAGE sql SET search_path = pg_catalog AS
    $$ SELECT publicdigit.use_tenant('beta'); SELECT publicdigit.current_tenant() $$;
BEGIN;
SELECT pg_temp.unbound();
:here
SELECT pg_temp.path();
:here
COMMIT;
:here
SELECT publicdigit.forget_tenant();

-- Prepared statements follow the switch, with custom plans and with generic ones.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
PREPARE own AS SELECT string_agg(body, ', ' ORDER BY body) FROM note;
COMMIT;
PREPARE shared(text) AS SELECT string_agg(body, ', ' ORDER BY body) FROM landlord.event WHERE body > $1;
PREPARE id AS SELECT publicdigit.current_tenant_id() = :'acme';
\set VERBOSITY terse
SELECT 'SET plan_cache_mode = ' || mode, 'BEGIN', 'EXECUTE shared('''')', 'EXECUTE id',
       'SELECT publicdigit.use_tenant(''acme'') IS NOT NULL', 'EXECUTE own', 'EXECUTE shared('''')', 'EXECUTE id',
       'SELECT publicdigit.use_tenant(''beta'') IS NOT NULL', 'EXECUTE own', 'EXECUTE shared('''')', 'EXECUTE id',
       'COMMIT', 'EXECUTE shared('''')'
FROM unnest('{force_custom_plan, force_generic_plan}'::text[]) AS mode \gexec
\set VERBOSITY default
RESET plan_cache_mode;

-- A plan that really runs in parallel sees the leader's tenant.
\c - :superuser
ALTER TABLE landlord.event SET (parallel_workers = 2);
\c - regress_web
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT trim(line) FROM pg_temp.plan('SELECT count(*) FROM landlord.event
    WHERE tenant_id = publicdigit.current_tenant_id()') AS line
WHERE line ~ 'Gather|Workers|Parallel|Filter: .*tenant_id = publicdigit';
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT count(*) FROM landlord.event WHERE tenant_id = publicdigit.current_tenant_id();
SELECT publicdigit.use_tenant('beta') = :'beta';
SELECT count(*), min(body) FROM landlord.event WHERE tenant_id = publicdigit.current_tenant_id();
SELECT count(*) FROM landlord.event WHERE publicdigit.current_tenant() = 'beta';
SAVEPOINT s;
SELECT publicdigit.use_tenant('acme') = :'acme';
ROLLBACK TO s;
SELECT min(body) FROM landlord.event WHERE tenant_id = publicdigit.current_tenant_id();
COMMIT;
SELECT count(*) FROM landlord.event WHERE tenant_id IS DISTINCT FROM publicdigit.current_tenant_id();

\set clean :include 'clean.psql'
\i :clean

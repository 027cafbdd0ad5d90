-- is_current_tenant() and ensure_tenant(), which the policies call.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
SELECT publicdigit.grant_tenant_access('regress_web', 'beta');
CREATE TABLE public.plain (tenant_id uuid, n int);
INSERT INTO public.plain SELECT t, n FROM unnest(ARRAY[:'acme', :'beta', NULL]::uuid[]) AS t, generate_series(1, 500) AS n;
CREATE INDEX plain_tenant_id_n_idx ON public.plain (tenant_id, n);
CREATE INDEX plain_hash_idx ON public.plain USING hash (tenant_id);
ANALYZE public.plain;
GRANT SELECT ON public.plain TO PUBLIC;
-- A plan's conditions, and how many rows it thinks there are.
CREATE FUNCTION public.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line ~ 'Scan' THEN RETURN NEXT substring(line FROM '((?:\w+ )+Scan)') || substring(line FROM ' rows=\d+'); END IF;
        IF line ~ 'Cond|Filter' THEN RETURN NEXT trim(line); END IF;
    END LOOP;
END $$;

-- Nobody's with nothing bound; null is never.
\c - regress_web
SELECT publicdigit.is_current_tenant(NULL), publicdigit.is_current_tenant(:'acme'),
       publicdigit.is_current_tenant('00000000-0000-0000-0000-000000000000');
SELECT public.try('SELECT publicdigit.ensure_tenant()');
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
SELECT publicdigit.is_current_tenant(NULL), publicdigit.is_current_tenant(:'acme'), publicdigit.is_current_tenant(:'beta'),
       publicdigit.ensure_tenant();
SELECT count(*) FROM public.plain WHERE publicdigit.is_current_tenant(tenant_id);
SELECT publicdigit.use_landlord() \g /dev/null
SELECT publicdigit.is_current_tenant(:'acme');
SELECT public.try('SELECT publicdigit.ensure_tenant()');
COMMIT;

-- To the planner it is a comparison with the bound tenant, for indexes and for estimates.
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT public.plan('SELECT * FROM public.plain WHERE publicdigit.is_current_tenant(tenant_id) AND n = 7');
SELECT n FROM public.plain WHERE publicdigit.is_current_tenant(tenant_id) AND n = 7;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_indexonlyscan = off;
SET LOCAL enable_seqscan = on;
SELECT public.plan('SELECT * FROM public.plain WHERE publicdigit.is_current_tenant(tenant_id)');
SELECT public.plan('SELECT * FROM public.plain WHERE NOT publicdigit.is_current_tenant(tenant_id)');
-- In the tenant's own schema all rows are its own, whatever statistics say or do not.
SELECT substring(line FROM 'rows=(\d+)')::int > 100 FROM public.plan('SELECT * FROM note') AS line WHERE line ~ 'Scan';
COMMIT;
\c - :superuser
DROP INDEX public.plain_tenant_id_n_idx;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('beta') \g /dev/null
SELECT public.plan('SELECT * FROM public.plain WHERE publicdigit.is_current_tenant(tenant_id)');
SELECT count(*) FROM public.plain WHERE publicdigit.is_current_tenant(tenant_id);
COMMIT;

-- One query reads the rows of one tenant.
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
SAVEPOINT s;
SELECT body, publicdigit.use_tenant('beta') IS NOT NULL FROM landlord.event;
ROLLBACK TO s;
DECLARE c CURSOR FOR SELECT body FROM landlord.event;
FETCH c;
SELECT publicdigit.use_tenant('beta') \g /dev/null
FETCH c;
ROLLBACK TO s;
DECLARE c CURSOR FOR SELECT body FROM landlord.event;
FETCH c;
SELECT publicdigit.forget_tenant();
FETCH c;
ROLLBACK TO s;
-- Back before the next row it is the same query's tenant again.
DECLARE c CURSOR FOR SELECT body FROM landlord.event ORDER BY body;
FETCH c;
SELECT publicdigit.use_tenant('beta') \g /dev/null
SELECT body FROM landlord.event ORDER BY body;
SELECT publicdigit.use_tenant('acme') \g /dev/null
FETCH c;
ROLLBACK;
-- The landlord's loop over tenants, each entered in turn.
BEGIN;
DO $$
DECLARE slug text; bodies text;
BEGIN
    FOREACH slug IN ARRAY '{acme, beta, acme}'::text[] LOOP
        PERFORM publicdigit.use_tenant(slug);
        SELECT string_agg(body, ', ' ORDER BY body) INTO bodies FROM landlord.event;
        RAISE NOTICE '%: %, %', slug, bodies, publicdigit.is_current_tenant(publicdigit.current_tenant_id());
    END LOOP;
END $$;
COMMIT;
\c - :superuser
DROP TABLE public.plain;
DROP FUNCTION public.plan;
\set clean :include 'clean.psql'
\i :clean

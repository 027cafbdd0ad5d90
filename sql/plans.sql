-- Generic plans that are kept for each tenant: used again, and never a wrong one.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
SELECT publicdigit.grant_tenant_access('regress_web', 'beta');
CREATE FUNCTION public.mark(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT $1 || '!' $$;
-- How many are kept; not to be told where test/cache_thrash throws caches away all the time.
CREATE FUNCTION public.kept(expected int) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$
    SELECT count(*) = expected OR current_setting('session_preload_libraries') ~ 'cache_thrash'
    FROM pg_backend_memory_contexts WHERE name = 'publicdigit plan'
$$;
GRANT EXECUTE ON FUNCTION pg_get_backend_memory_contexts() TO PUBLIC;
GRANT SELECT ON pg_backend_memory_contexts TO PUBLIC;
\c - regress_web
SET plan_cache_mode = force_generic_plan;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
PREPARE own(text) AS SELECT body, public.mark(body) FROM note WHERE body > $1 ORDER BY body;
PREPARE shared(text) AS SELECT body FROM event WHERE body > $1 ORDER BY body;
COMMIT;

-- One plan a tenant and statement, and each gives its tenant's rows.
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own(''); EXECUTE shared('');
COMMIT;
SELECT public.kept(2);
BEGIN;
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE own(''); EXECUTE shared('');
COMMIT;
SELECT public.kept(4);
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own(''); EXECUTE shared('');
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE own('beta 1');
COMMIT;
SELECT public.kept(4);

-- Without a tenant none is used or kept.
BEGIN;
SELECT publicdigit.use_landlord() \g /dev/null
EXECUTE shared('');
COMMIT;
SELECT public.kept(4);

-- What changes below a plan throws it away: a function that was inlined, a policy, a column, the table.
\c - :superuser
SET plan_cache_mode = force_generic_plan;
CREATE ROLE regress_reader LOGIN IN ROLE regress_app;
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
PREPARE own(text) AS SELECT body, public.mark(body) FROM note WHERE body > $1 ORDER BY body;
COMMIT;
BEGIN;
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE own('beta 1');
COMMIT;
SELECT public.kept(1);
RESET SESSION AUTHORIZATION;
CREATE OR REPLACE FUNCTION public.mark(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT $1 || '?' $$;
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own('acme 1');
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE own('beta 1');
COMMIT;
RESET SESSION AUTHORIZATION;
CREATE POLICY few ON tenant_beta.note AS RESTRICTIVE USING (body <> 'beta 2');
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own('acme 1');
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE own('');
COMMIT;
RESET SESSION AUTHORIZATION;
DROP POLICY few ON tenant_beta.note;
ALTER TABLE tenant_beta.note RENAME TO former;
CREATE TABLE tenant_beta.note (LIKE tenant_beta.former);
GRANT SELECT ON tenant_beta.note TO regress_app;
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own('acme 1');
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE own('');
COMMIT;
RESET SESSION AUTHORIZATION;
DROP TABLE tenant_beta.note;
ALTER TABLE tenant_beta.former RENAME TO note;

-- Functions are inlined by the path of the moment, and computed when they never change: no plan outlives either.
SET check_function_bodies = off;
CREATE FUNCTION public.rate() RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION landlord.bodies(text) RETURNS SETOF text STABLE LANGUAGE sql AS 'SELECT body FROM note WHERE body > $1';
CREATE FUNCTION tenant_acme.greeting() RETURNS text STABLE LANGUAGE sql AS $$ SELECT 'from acme' $$;
CREATE FUNCTION tenant_beta.greeting() RETURNS text STABLE LANGUAGE sql AS $$ SELECT 'from beta' $$;
CREATE FUNCTION landlord.greet(text) RETURNS text STABLE LANGUAGE sql AS $$ SELECT $1 || greeting() $$;
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
PREPARE inlined(text) AS SELECT b, landlord.greet($1), public.rate() FROM landlord.bodies($1) AS b ORDER BY b;
EXECUTE inlined('');
COMMIT;
BEGIN;
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE inlined('');
COMMIT;
RESET SESSION AUTHORIZATION;
CREATE OR REPLACE FUNCTION public.rate() RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE inlined('acme 1');
SELECT publicdigit.use_tenant('beta') \g /dev/null
EXECUTE inlined('beta 1');
COMMIT;
RESET SESSION AUTHORIZATION;
DROP FUNCTION public.rate;

-- A plan is of one user: another one's rights are looked at.
REVOKE EXECUTE ON FUNCTION public.mark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.mark TO regress_web;
SET SESSION AUTHORIZATION regress_web;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own('acme 1');
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT publicdigit.grant_tenant_access('regress_reader', 'acme');
SET SESSION AUTHORIZATION regress_reader;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
EXECUTE own('acme 1');
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- They take no more memory than they may; the least used go first.
\c - regress_web
SET plan_cache_mode = force_generic_plan;
SET publicdigit.plan_memory = 0;
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
PREPARE own(text) AS SELECT body FROM note WHERE body > $1 ORDER BY body;
EXECUTE own('acme 1');
SELECT public.kept(0);
SET LOCAL publicdigit.plan_memory = '64kB';
DO $$
DECLARE found bigint;
BEGIN
    FOR n IN 1..200 LOOP
        EXECUTE format('PREPARE s%s(text) AS SELECT count(*) + %1$s FROM note WHERE body > $1', n);
        EXECUTE format('EXECUTE s%s(%L)', n, 'acme 1') INTO found;
        ASSERT found = n + 1;
    END LOOP;
END $$;
SELECT count(*) BETWEEN 1 AND 100 OR public.kept(0), coalesce(sum(total_bytes), 0) <= 65536 FROM pg_backend_memory_contexts
WHERE name = 'publicdigit plan';
COMMIT;
-- DISCARD takes them away.
SET publicdigit.plan_memory = '1MB';
BEGIN;
SELECT publicdigit.use_tenant('acme') \g /dev/null
PREPARE again(text) AS SELECT body FROM note WHERE body > $1;
EXECUTE again('acme 1');
COMMIT;
SELECT public.kept(1);
DISCARD PLANS;
SELECT public.kept(0);
\c - :superuser
DROP FUNCTION public.kept;
REVOKE EXECUTE ON FUNCTION pg_get_backend_memory_contexts() FROM PUBLIC;
REVOKE SELECT ON pg_backend_memory_contexts FROM PUBLIC;
DROP FUNCTION public.mark CASCADE;
\set clean :include 'clean.psql'
\i :clean

-- Attempts to read two tenants in one query, by somebody who may enter both; to leave a tenant that
-- is sealed; and to let a tenant's cursor, trigger or prepared statement work for another one.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\set attack :include 'attack.psql'
\i :attack
SELECT publicdigit.grant_tenant_access('regress_web', 'beta');

-- Tables whose policies are evaluated in different places: by an index, by partitions.
SET ROLE regress_owner;
CREATE TABLE landlord.indexed (tenant_id uuid, body text);
CREATE INDEX ON landlord.indexed (tenant_id);
CREATE TABLE landlord.parted (tenant_id uuid, body text) PARTITION BY LIST (tenant_id);
CREATE TABLE landlord.parted_acme PARTITION OF landlord.parted FOR VALUES IN (:'acme');
CREATE TABLE landlord.parted_beta PARTITION OF landlord.parted FOR VALUES IN (:'beta');
CREATE TABLE tenant_acme.plain AS SELECT 'acme plain' AS body FROM generate_series(1, 2);
GRANT SELECT ON tenant_acme.plain TO regress_app;
RESET ROLE;
SELECT publicdigit.protect_table(name) FROM unnest('{landlord.indexed, landlord.parted}'::regclass[]) AS name;
INSERT INTO landlord.indexed SELECT tenant_id, body FROM landlord.event;
INSERT INTO landlord.parted SELECT tenant_id, body FROM landlord.event;
ANALYZE landlord.indexed;
GRANT SELECT, INSERT, UPDATE ON landlord.indexed, landlord.parted TO regress_app;

-- A switch in the midst of a query, wherever the policy stands in its plan.
\c - regress_web
SET enable_seqscan = off;
SET search_path = landlord, public;
CREATE FUNCTION pg_temp.switch(tenant text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM publicdigit.use_tenant(tenant); RETURN true; END $$;
-- A function that switches, looks, and switches back.
CREATE FUNCTION pg_temp.glance(tenant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE before text := publicdigit.current_tenant(); found text;
BEGIN
    PERFORM publicdigit.use_tenant(tenant);
    SELECT body INTO found FROM landlord.event ORDER BY body LIMIT 1;
    PERFORM publicdigit.use_tenant(before);
    RETURN found;
END $$;
SELECT public.mix(what, format('BEGIN PERFORM publicdigit.use_tenant(''acme''); INSERT INTO seen %s; END', query))
FROM (VALUES
    ('sequential scan', 'SELECT body FROM landlord.event WHERE pg_temp.switch(''beta'')'),
    ('in the target list', 'SELECT body || (pg_temp.switch(''beta''))::text FROM landlord.event'),
    ('index scan', 'SELECT body FROM landlord.indexed WHERE pg_temp.switch(''beta'')'),
    ('partitioned table', 'SELECT body FROM landlord.parted WHERE pg_temp.switch(''beta'')'),
    ('UNION ALL', 'SELECT body FROM landlord.event UNION ALL SELECT ''x'' WHERE pg_temp.switch(''beta'') UNION ALL SELECT body FROM landlord.indexed'),
    ('inner side of a join', 'SELECT b.body FROM (SELECT body, pg_temp.switch(CASE body WHEN ''acme 1'' THEN ''acme'' ELSE ''beta'' END) FROM landlord.event OFFSET 0) AS a CROSS JOIN LATERAL (SELECT * FROM landlord.indexed OFFSET length(a.body) - 6) AS b'),
    ('materialized CTEs', 'WITH a AS MATERIALIZED (SELECT body FROM landlord.event), s AS MATERIALIZED (SELECT pg_temp.switch(''beta'')), b AS MATERIALIZED (SELECT body FROM landlord.indexed) SELECT a.body FROM a UNION ALL SELECT b.body FROM s, b'),
    ('switch and back in a function', 'SELECT body FROM landlord.event UNION ALL SELECT pg_temp.glance(''beta'') FROM landlord.event'),
    ('InitPlan', 'SELECT body FROM landlord.indexed WHERE (SELECT pg_temp.switch(''beta''))'),
    ('set-returning function', 'SELECT e.body FROM generate_series(1, 2) AS n, LATERAL (SELECT pg_temp.switch(CASE n WHEN 1 THEN ''acme'' ELSE ''beta'' END) OFFSET 0) AS s, LATERAL (SELECT body FROM landlord.event OFFSET n - n) AS e')
) AS v (what, query);
-- By other ways to change what is bound.
SELECT public.mix('set_config in the midst',
    $$ BEGIN PERFORM publicdigit.use_tenant('beta', false), publicdigit.use_tenant('acme');
       INSERT INTO seen SELECT body FROM landlord.event; PERFORM set_config('publicdigit.context', '', true);
       INSERT INTO seen SELECT body FROM landlord.event; END $$);
SELECT public.mix('exception block in the midst',
    $$ DECLARE r record; BEGIN PERFORM publicdigit.use_tenant('beta');
       BEGIN
           PERFORM publicdigit.use_tenant('acme');
           FOR r IN SELECT body FROM landlord.event LOOP INSERT INTO seen VALUES (r.body); END LOOP;
       EXCEPTION WHEN division_by_zero THEN NULL; END;
       FOR r IN SELECT body FROM landlord.event LOOP
           BEGIN PERFORM publicdigit.use_tenant('acme'); RAISE division_by_zero;
           EXCEPTION WHEN division_by_zero THEN NULL; END;
       END LOOP; END $$);

-- Functions that the planner computes, whose result would stay in a generic plan.
CREATE FUNCTION pg_temp.computed(tenant text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RETURN pg_temp.glance(tenant); END $$;
SELECT public.mix('computed by the planner',
    $$ BEGIN PERFORM publicdigit.use_tenant('acme');
       INSERT INTO seen SELECT body FROM landlord.event UNION ALL SELECT pg_temp.computed('beta') FROM landlord.event; END $$);
SET plan_cache_mode = force_generic_plan;
PREPARE computed(text) AS SELECT body, pg_temp.computed('beta') FROM landlord.event WHERE body <> $1;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
EXECUTE computed('');
ROLLBACK;
RESET plan_cache_mode;
-- The same, planned by a query that a function makes in the midst of another one.
CREATE FUNCTION pg_temp.peeked() RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION USING MESSAGE = (SELECT string_agg(body, ', ') FROM landlord.event), ERRCODE = 'PEEK0'; END $$;
CREATE FUNCTION pg_temp.planned() RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    BEGIN
        PERFORM publicdigit.use_tenant('beta');
        EXECUTE 'SELECT body FROM landlord.event WHERE body = pg_temp.peeked()' INTO found;
    EXCEPTION WHEN SQLSTATE 'PEEK0' THEN found := SQLERRM;
    END;
    RETURN found;
END $$;
SELECT public.mix('computed by the planner, in a function',
    $$ BEGIN PERFORM publicdigit.use_tenant('acme');
       INSERT INTO seen SELECT body FROM landlord.event UNION ALL SELECT pg_temp.planned() FROM landlord.event; END $$);
-- Tables of a tenant's schema that are not protected.
SELECT public.mix('not protected',
    $$ BEGIN PERFORM publicdigit.use_tenant('acme'); SET LOCAL search_path = tenant_acme, public;
       INSERT INTO seen SELECT body FROM plain UNION ALL SELECT pg_temp.glance('beta') FROM plain; END $$);
SELECT public.mix('not protected, cursor',
    $$ DECLARE c CURSOR FOR SELECT body FROM tenant_acme.plain; b text; BEGIN
       PERFORM publicdigit.use_tenant('acme'); OPEN c; FETCH c INTO b; INSERT INTO seen VALUES (b);
       PERFORM publicdigit.use_tenant('beta'); INSERT INTO seen SELECT body FROM landlord.event;
       FETCH c INTO b; INSERT INTO seen VALUES (b); END $$);
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DECLARE held CURSOR WITH HOLD FOR SELECT body FROM tenant_acme.plain;
ROLLBACK;

-- Cursors: they go on for the tenant that they were opened for, or not at all.
SELECT public.mix('cursor after a switch',
    $$ DECLARE c CURSOR FOR SELECT body FROM landlord.indexed; b text; BEGIN
       PERFORM publicdigit.use_tenant('acme'); OPEN c; FETCH c INTO b; INSERT INTO seen VALUES (b);
       PERFORM publicdigit.use_tenant('beta');
       LOOP FETCH c INTO b; EXIT WHEN NOT FOUND; INSERT INTO seen VALUES (b); END LOOP; END $$);
SELECT public.mix('cursor opened before, fetched after',
    $$ DECLARE c CURSOR FOR SELECT body FROM landlord.parted; b text; BEGIN
       PERFORM publicdigit.use_tenant('beta'); OPEN c; PERFORM publicdigit.use_tenant('acme');
       INSERT INTO seen SELECT body FROM landlord.parted; FETCH c INTO b; INSERT INTO seen VALUES (b); END $$);
SELECT public.mix('loop with a switch in it',
    $$ DECLARE r record; BEGIN PERFORM publicdigit.use_tenant('acme');
       FOR r IN SELECT body FROM landlord.indexed LOOP
           INSERT INTO seen VALUES (r.body); PERFORM publicdigit.use_tenant('beta'); END LOOP; END $$);
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DECLARE c SCROLL CURSOR FOR SELECT body FROM landlord.indexed ORDER BY body;
FETCH c;
SAVEPOINT s;
SELECT publicdigit.use_tenant('beta') = :'beta';
FETCH c;
ROLLBACK TO s;
ROLLBACK;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DECLARE c SCROLL CURSOR FOR SELECT body FROM landlord.indexed ORDER BY body;
FETCH c;
RESET publicdigit.context;
FETCH BACKWARD c;
ROLLBACK;
-- Nothing is read by closing it, with a statement or the transaction.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DECLARE c CURSOR FOR SELECT body FROM landlord.indexed;
DECLARE d CURSOR FOR SELECT body FROM landlord.event;
FETCH d;
SELECT publicdigit.use_tenant('beta') = :'beta';
CLOSE c;
COMMIT;
-- Back under its tenant it goes on.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DECLARE c SCROLL CURSOR FOR SELECT body FROM landlord.indexed ORDER BY body;
FETCH c;
SELECT publicdigit.use_tenant('beta') = :'beta';
SELECT publicdigit.use_tenant('acme') = :'acme';
FETCH c;
MOVE FIRST c;
FETCH ALL c;
COMMIT;

-- Held, explicitly and implicitly: refused, also with nothing bound.
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT body FROM landlord.event;
ROLLBACK;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
DECLARE held CURSOR WITH HOLD FOR SELECT body FROM landlord.event;
ROLLBACK;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
DO $$
DECLARE r record;
BEGIN
    FOR r IN SELECT body FROM landlord.event LOOP
        COMMIT;
        PERFORM publicdigit.use_tenant('beta', false);
        RAISE NOTICE '% with % bound', r.body, publicdigit.current_tenant();
    END LOOP;
END $$;
-- What holds no tenant's rows may be held, and looped over.
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 2) AS n;
COMMIT;
FETCH held;
CLOSE held;
DO $$
DECLARE slug text;
BEGIN
    FOR slug IN SELECT unnest('{acme, beta}'::text[]) LOOP
        PERFORM publicdigit.use_tenant(slug);
        RAISE NOTICE '%', (SELECT string_agg(body, ', ' ORDER BY body) FROM landlord.event);
        COMMIT;
    END LOOP;
END $$;

-- Prepared statements, from before and after a switch, with custom and generic plans.
SELECT publicdigit.forget_tenant();
PREPARE read(text) AS SELECT string_agg(body, ', ' ORDER BY body) FROM landlord.indexed WHERE body <> $1;
SELECT mode, public.mix('prepared statement, ' || mode,
    format($$ DECLARE b text; BEGIN SET LOCAL plan_cache_mode = %s;
       FOR i IN 1..7 LOOP
           PERFORM publicdigit.use_tenant(CASE WHEN i %% 2 = 0 THEN 'acme' ELSE 'beta' END);
           EXECUTE 'EXECUTE read(''x'')' INTO b;
           IF b NOT LIKE publicdigit.current_tenant() || '%%' THEN RAISE 'rows of another tenant: %%', b; END IF;
       END LOOP; INSERT INTO seen VALUES ('all right'); END $$, mode))
FROM unnest('{force_custom_plan, force_generic_plan, auto}'::text[]) AS mode;

-- The seal: by no function and no statement.
BEGIN;
SELECT publicdigit.use_tenant('acme', seal => true) = :'acme';
SELECT tenant, sealed FROM publicdigit.context();
SELECT public.attack('seal: ' || statement, statement, true)
FROM unnest(ARRAY['SELECT publicdigit.use_tenant(''beta'')', 'SELECT publicdigit.use_tenant(''beta'', false)',
    'SELECT publicdigit.use_landlord()', 'SELECT publicdigit.forget_tenant()',
    'SELECT set_config(''publicdigit.context'', '''', true), count(*) FROM landlord.event',
    'RESET publicdigit.context; TABLE landlord.event', 'SET publicdigit.context TO DEFAULT; TABLE landlord.event',
    'RESET ALL; TABLE landlord.event', 'SELECT set_config(''publicdigit.context'', '''', false)', 'SET LOCAL publicdigit.context = ''''; SELECT publicdigit.current_tenant_id()']) AS statement;
SELECT publicdigit.use_tenant('acme', seal => true) = :'acme', publicdigit.current_tenant();
RESET publicdigit.context;
SAVEPOINT s;
SELECT publicdigit.current_tenant();
ROLLBACK TO s;
SELECT public.attack('seal, reset: another tenant', 'SELECT publicdigit.use_tenant(''beta'')', true);
SELECT publicdigit.use_tenant('acme') = :'acme', publicdigit.current_tenant();
COMMIT;
SELECT publicdigit.use_tenant('beta', false) = :'beta', sealed FROM publicdigit.context();
-- Not by a savepoint of before it, nor by an exception block.
BEGIN;
SAVEPOINT s;
SELECT publicdigit.use_tenant('acme', seal => true) = :'acme';
ROLLBACK TO s;
SAVEPOINT t;
SELECT count(*) FROM landlord.event;
ROLLBACK TO t;
SELECT public.attack('seal, rolled back', 'SELECT publicdigit.use_tenant(''beta'')', true);
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT string_agg(body, ', ' ORDER BY body) FROM landlord.event;
ROLLBACK;
BEGIN;
DO $$
BEGIN
    PERFORM publicdigit.use_tenant('acme', seal => true);
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
SELECT count(*) FROM landlord.event;
ROLLBACK;
-- It ends with the transaction, also with one in a procedure; outside of a block it is idle.
DO $$
BEGIN
    PERFORM publicdigit.use_tenant('acme', seal => true);
    COMMIT;
    PERFORM publicdigit.use_tenant('beta', seal => true);
    ROLLBACK;
END $$;
SELECT publicdigit.use_tenant('acme', false, seal => true) = :'acme';
SELECT sealed FROM publicdigit.context();
SELECT publicdigit.forget_tenant();

-- Deferred triggers run as the tenant whose rows set them off.
\c - :superuser
CREATE FUNCTION public.count_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% by %, who sees %', NEW.body, publicdigit.current_tenant(), (SELECT count(*) FROM landlord.indexed);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER count_events AFTER INSERT ON landlord.indexed
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.count_events();
CREATE CONSTRAINT TRIGGER count_events AFTER INSERT ON landlord.parted
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.count_events();
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO landlord.indexed (body) VALUES ('acme 3');
SELECT public.attack('deferred trigger: ' || statement, statement, true)
FROM unnest(ARRAY['SELECT publicdigit.use_tenant(''beta'')', 'SELECT publicdigit.use_landlord()',
    'SELECT publicdigit.forget_tenant()', 'RESET publicdigit.context; SELECT publicdigit.current_tenant()']) AS statement;
SELECT publicdigit.use_tenant('acme') = :'acme';
SET CONSTRAINTS ALL IMMEDIATE;
SELECT publicdigit.use_tenant('beta') = :'beta';
ROLLBACK;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO landlord.parted (body) VALUES ('acme 4');
RESET publicdigit.context;
COMMIT;
-- What was rolled back, or is no longer pending, is in nobody's way.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SAVEPOINT s;
INSERT INTO landlord.parted (body) VALUES ('acme 5');
ROLLBACK TO s;
SELECT publicdigit.use_tenant('beta') = :'beta';
INSERT INTO landlord.parted (body) VALUES ('beta 3');
ROLLBACK;

-- Events of one's own are in nobody's way, whoever has written there before.
BEGIN;
SAVEPOINT s;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO landlord.indexed (body) VALUES ('acme 6');
ROLLBACK TO s;
SELECT publicdigit.use_tenant('beta') = :'beta';
INSERT INTO landlord.indexed (body) VALUES ('beta 4');
SELECT publicdigit.use_tenant('beta') = :'beta', publicdigit.current_tenant();
ROLLBACK;
-- What had been fired can be pending again.
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO landlord.indexed (body) VALUES ('acme 8');
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT publicdigit.use_tenant('beta') = :'beta';
INSERT INTO landlord.indexed (body) VALUES ('beta 5');
ROLLBACK TO s;
SELECT publicdigit.current_tenant();
SELECT public.attack('deferred trigger, pending again', 'SELECT publicdigit.use_tenant(''beta'')', true);
COMMIT;
-- COPY sets them off as well.
CREATE TEMP TABLE copied (body text);
CREATE CONSTRAINT TRIGGER count_events AFTER INSERT ON copied
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.count_events();
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
COPY pg_temp.copied FROM STDIN;
acme 7
\.
SELECT public.attack('deferred trigger of COPY', 'SELECT publicdigit.use_tenant(''beta'')', true);
ROLLBACK;
DROP TABLE copied;

-- Fail loud, where it is asked for.
SET publicdigit.require_tenant = on;
SELECT count(*) FROM landlord.event;
SELECT count(*) FROM landlord.parted;
UPDATE landlord.indexed SET body = body;
SELECT publicdigit.current_tenant_id(), (SELECT count(*) FROM pg_class) > 0 AS others;
SELECT publicdigit.use_landlord(false);
SELECT count(*) FROM landlord.event;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT count(*) FROM landlord.event;

-- Workers of a parallel plan see what the leader sees.
\c - :superuser
DELETE FROM landlord.indexed WHERE body = 'acme 8';
INSERT INTO landlord.event SELECT id, slug || ' ' || n FROM publicdigit.tenants, generate_series(11, 20000) AS n
WHERE slug IN ('acme', 'beta');
ANALYZE landlord.event;
\c - regress_web
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.workers(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
        IF line ~ 'Workers Launched: [1-9]' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT pg_temp.workers('SELECT count(*), min(body), max(body) FROM landlord.event');
SELECT count(*), count(*) FILTER (WHERE body LIKE 'acme%') FROM landlord.event;
SELECT publicdigit.use_tenant('beta', false) = :'beta';
SELECT count(*), count(*) FILTER (WHERE body LIKE 'beta%') FROM landlord.event;
SELECT publicdigit.forget_tenant();
SELECT count(*) FROM landlord.event;
-- They know nothing of a seal that is broken, nor of the query around theirs: then there are none.
\c - :superuser
DELETE FROM landlord.event WHERE body LIKE '% __%';
CREATE TABLE public.number AS SELECT n FROM generate_series(1, 1000) AS n;
ALTER TABLE public.number SET (parallel_workers = 2);
ANALYZE public.number;
GRANT SELECT ON public.number TO PUBLIC;
CREATE FUNCTION public.peek(n int) RETURNS text PARALLEL SAFE LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT string_agg(body, ', ') FROM landlord.event); END $$;
\c - regress_web
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT public.peek(n) FROM public.number WHERE n = 7 AND public.peek(n) IS NOT NULL;
BEGIN;
SELECT publicdigit.use_tenant('beta') = :'beta';
SAVEPOINT s;
SELECT publicdigit.use_tenant('acme', seal => true) = :'acme';
ROLLBACK TO s;
SELECT public.attack('broken seal, workers', 'SELECT public.peek(n) FROM public.number WHERE n = 7 AND public.peek(n) IS NOT NULL');
ROLLBACK;
SELECT public.mix('switch and back, workers',
    $$ BEGIN PERFORM publicdigit.use_tenant('acme');
       CREATE FUNCTION pg_temp.glance() RETURNS text LANGUAGE plpgsql AS $f$
       DECLARE found text;
       BEGIN
           PERFORM publicdigit.use_tenant('beta');
           SELECT public.peek(n) INTO found FROM public.number WHERE n = 7 AND public.peek(n) IS NOT NULL;
           PERFORM publicdigit.use_tenant('acme');
           RETURN found;
       END $f$;
       INSERT INTO seen SELECT body FROM landlord.event UNION ALL SELECT pg_temp.glance() FROM landlord.event; END $$);

\set attack_end :include 'attack_end.psql'
\i :attack_end
SET client_min_messages = error;
DROP FUNCTION public.count_events, public.peek CASCADE;
DROP TABLE public.number;
\set clean :include 'clean.psql'
\i :clean

-- Attempts to read and write a tenant's rows past row-level security, where nothing else is in the
-- way: in a table that tenants share.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\set attack :include 'attack.psql'
\i :attack

-- A table with every privilege given, after which it is protected again; with a key, a reference
-- and a sequence; one that is partitioned, one that is inherited from.
SET ROLE regress_owner;
CREATE TABLE landlord.account (tenant_id uuid, id int, body text, PRIMARY KEY (tenant_id, id));
CREATE TABLE landlord.booking (tenant_id uuid, id serial PRIMARY KEY, account int, body text,
    FOREIGN KEY (tenant_id, account) REFERENCES landlord.account ON DELETE CASCADE);
CREATE TABLE landlord.parted (tenant_id uuid, body text) PARTITION BY LIST (body);
CREATE TABLE landlord.parted_rest PARTITION OF landlord.parted DEFAULT;
CREATE TABLE landlord.parent (tenant_id uuid, body text);
CREATE TABLE landlord.child () INHERITS (landlord.parent);
GRANT ALL ON ALL TABLES IN SCHEMA landlord TO regress_app, regress_web;
RESET ROLE;
SET client_min_messages = error;
SELECT publicdigit.protect_table(name) FROM unnest('{landlord.account, landlord.booking, landlord.parted, landlord.parent, landlord.event}'::regclass[]) AS name \g /dev/null
RESET client_min_messages;
SELECT table_name, string_agg(DISTINCT privilege_type, ', ' ORDER BY privilege_type) AS privileges
FROM information_schema.role_table_grants
WHERE table_schema = 'landlord' AND grantee IN ('regress_app', 'regress_web') GROUP BY table_name ORDER BY table_name;
INSERT INTO landlord.account SELECT id, 1, slug || ' account' FROM publicdigit.tenants;
INSERT INTO landlord.booking (tenant_id, account, body) SELECT id, 1, slug || ' booking' FROM publicdigit.tenants;
INSERT INTO landlord.parted SELECT id, slug || ' parted' FROM publicdigit.tenants;
INSERT INTO landlord.child SELECT id, slug || ' child' FROM publicdigit.tenants;
GRANT USAGE ON SEQUENCE landlord.booking_id_seq TO regress_app;
GRANT CREATE ON SCHEMA public, landlord TO regress_web;
-- What a careless owner leaves about: views that read as their owner, functions that run as theirs.
SET ROLE regress_owner;
CREATE VIEW landlord.owned AS TABLE landlord.event;
CREATE FUNCTION landlord.owned_reads() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp BEGIN ATOMIC SELECT body FROM landlord.event; END;
CREATE FUNCTION landlord.open_path() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN RETURN (SELECT string_agg(body, ', ') FROM event); END $$;
GRANT SELECT ON landlord.owned TO regress_app;
RESET ROLE;

\c - regress_web
-- A function that tells what it is given, cheap enough to be tried first.
CREATE FUNCTION public.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
    $$ BEGIN RAISE NOTICE 'told of %', $1; RETURN true; END $$;
CREATE OPERATOR public.<<< (FUNCTION = public.tell, RIGHTARG = text);
CREATE FUNCTION public.list(beta uuid) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT public.attack(what, replace(statement, ':beta', quote_literal(beta)), must_fail)
    FROM (VALUES
        ('plain SELECT', 'SELECT body FROM landlord.event', false),
        ('WHERE', 'SELECT body FROM landlord.event WHERE tenant_id = :beta', false),
        ('OR true', 'SELECT body FROM landlord.event WHERE body = '''' OR true', false),
        ('UNION', 'SELECT body FROM landlord.event UNION ALL SELECT body FROM landlord.booking', false),
        ('join', 'SELECT b.body FROM landlord.booking AS b JOIN landlord.account AS a USING (tenant_id)', false),
        ('outer join', 'SELECT b.body FROM publicdigit.context() LEFT JOIN landlord.booking AS b ON b.tenant_id = :beta', false),
        ('window', 'SELECT body, lag(body) OVER (), first_value(body) OVER () FROM landlord.event', false),
        ('aggregate', 'SELECT string_agg(body, '','') FROM landlord.event', false),
        ('TABLESAMPLE', 'SELECT body FROM landlord.event TABLESAMPLE SYSTEM (100)', false),
        ('ctid', 'SELECT body FROM landlord.event WHERE ctid IN (''(0,1)'', ''(0,2)'', ''(0,3)'', ''(0,4)'')', false),
        ('cheap function', 'SELECT body FROM landlord.event WHERE public.tell(body)', false),
        ('cheap operator', 'SELECT body FROM landlord.event WHERE OPERATOR(public.<<<) body', false),
        ('error that tells', 'SELECT body FROM landlord.event WHERE body::int > 0', true),
        ('division by zero', 'SELECT body FROM landlord.event WHERE 1 / (length(body) - 6) > 0 AND body LIKE ''beta%''', false),
        ('LEAKPROOF', 'CREATE FUNCTION public.leak(text) RETURNS boolean LEAKPROOF LANGUAGE sql RETURN true', true),
        ('LEAKPROOF, later', 'ALTER FUNCTION public.tell(text) LEAKPROOF', true),
        ('statistics', 'SELECT most_common_vals FROM pg_stats WHERE tablename = ''event''', false),
        ('partition', 'TABLE landlord.parted_rest', true),
        ('partition, INSERT', 'INSERT INTO landlord.parted_rest VALUES (:beta, ''x'')', true),
        ('child', 'TABLE landlord.child', true),
        ('parent', 'TABLE landlord.parent', false),
        ('ONLY parent', 'SELECT * FROM ONLY landlord.parent', false),
        ('INSERT for another tenant', 'INSERT INTO landlord.event VALUES (:beta, ''x'')', true),
        ('INSERT of null', 'INSERT INTO landlord.event VALUES (NULL, ''x'')', true),
        ('INSERT SELECT', 'INSERT INTO landlord.event SELECT :beta, body FROM landlord.event', true),
        ('INSERT into a partition', 'INSERT INTO landlord.parted VALUES (:beta, ''x'')', true),
        ('UPDATE to another tenant', 'UPDATE landlord.event SET tenant_id = :beta', true),
        ('UPDATE FROM', 'UPDATE landlord.event SET tenant_id = v.id FROM (VALUES (:beta::uuid)) AS v (id)', true),
        ('ON CONFLICT DO UPDATE', 'INSERT INTO landlord.account VALUES (:beta, 1, ''x'') ON CONFLICT (tenant_id, id) DO UPDATE SET body = ''x''', true),
        ('ON CONFLICT DO NOTHING', 'INSERT INTO landlord.account VALUES (:beta, 1, ''x'') ON CONFLICT DO NOTHING', true),
        ('MERGE', 'MERGE INTO landlord.event AS e USING (SELECT 1) AS s ON e.tenant_id = :beta WHEN NOT MATCHED THEN INSERT VALUES (:beta, ''x'')', true),
        ('foreign key that tells', 'INSERT INTO landlord.booking (tenant_id, account) VALUES (:beta, 1)', true),
        ('cascade', 'DELETE FROM landlord.account WHERE tenant_id = :beta', false),
        ('COPY TO a program', 'COPY landlord.event TO PROGRAM ''cat''', true),
        ('COPY FROM a file', 'COPY landlord.event FROM ''/dev/null''', true),
        ('TRUNCATE', 'TRUNCATE landlord.event', true),
        ('TRUNCATE of a parent', 'TRUNCATE landlord.parent', true),
        ('LOCK', 'LOCK TABLE landlord.event IN ACCESS EXCLUSIVE MODE', false),
        ('trigger', 'CREATE TRIGGER t BEFORE UPDATE ON landlord.event EXECUTE FUNCTION suppress_redundant_updates_trigger()', true),
        ('reference', 'CREATE TABLE public.oracle (tenant_id uuid, id int, FOREIGN KEY (tenant_id, id) REFERENCES landlord.account)', true),
        ('rule', 'CREATE RULE r AS ON UPDATE TO landlord.event DO NOTHING', true),
        ('index that tells', 'CREATE INDEX ON landlord.event (public.tell(body))', true),
        ('DISABLE', 'ALTER TABLE landlord.event DISABLE ROW LEVEL SECURITY', true),
        ('NO FORCE', 'ALTER TABLE landlord.event NO FORCE ROW LEVEL SECURITY', true),
        ('OWNER', 'ALTER TABLE landlord.event OWNER TO regress_web', true),
        ('permissive policy', 'CREATE POLICY open ON landlord.event USING (true)', true),
        ('ALTER POLICY', 'ALTER POLICY publicdigit_tenant ON landlord.event USING (true)', true),
        ('DROP POLICY', 'DROP POLICY publicdigit_tenant ON landlord.event', true),
        ('row_security off', 'SELECT set_config(''row_security'', ''off'', true) = (SELECT body FROM landlord.event LIMIT 1)', false),
        ('row_security off before', 'SET LOCAL row_security = off; SELECT body FROM landlord.event', true),
        ('BYPASSRLS', 'ALTER ROLE regress_web BYPASSRLS', true),
        ('role that bypasses', 'CREATE ROLE regress_bypass BYPASSRLS', true),
        ('view of the owner', 'TABLE landlord.owned', false),
        ('function of the owner', 'SELECT landlord.owned_reads()', false),
        ('view of one''s own', 'CREATE TEMP VIEW mine AS TABLE landlord.event', false),
        ('materialized view', 'CREATE MATERIALIZED VIEW public.mine AS TABLE landlord.event', false),
        ('inherited', 'CREATE TABLE public.mine () INHERITS (landlord.parent)', true),
        ('SECURITY DEFINER of one''s own', 'CREATE FUNCTION public.mine() RETURNS SETOF text SECURITY DEFINER LANGUAGE sql BEGIN ATOMIC SELECT body FROM landlord.event; END', false),
        ('current_tenant_id() shadowed', 'CREATE FUNCTION pg_temp.current_tenant_id() RETURNS uuid LANGUAGE sql RETURN :beta::uuid', false),
        ('operator shadowed', 'CREATE OPERATOR public.= (FUNCTION = pg_catalog.uuid_ne, LEFTARG = uuid, RIGHTARG = uuid); SET LOCAL search_path = public, pg_catalog', false),
        ('table shadowed', 'CREATE TEMP TABLE event (body text) ON COMMIT DROP; SELECT landlord.open_path()', false),
        ('DROP EXTENSION', 'DROP EXTENSION publicdigit CASCADE', true)
    ) AS v (what, statement, must_fail)
$$;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT public.list(:'beta');
-- The same with nothing bound: what differs.
CREATE TEMP TABLE bound AS SELECT * FROM public.list(:'beta') AS outcome;
SELECT publicdigit.forget_tenant();
SELECT outcome FROM public.list(:'beta') AS outcome EXCEPT SELECT outcome FROM bound ORDER BY outcome;

-- COPY from and to the client.
SELECT publicdigit.use_tenant('acme', false) = :'acme';
COPY landlord.event (body) TO STDOUT;
COPY (SELECT body FROM landlord.event WHERE tenant_id <> publicdigit.current_tenant_id()) TO STDOUT;
\copy landlord.event (tenant_id, body) FROM /dev/null
-- An open path: pg_temp stands last, so the function reads the table that it means.
CREATE TEMP TABLE event (body text);
INSERT INTO pg_temp.event VALUES ('beta shadow');
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT landlord.open_path();
COMMIT;

\set attack_end :include 'attack_end.psql'
\i :attack_end
SET client_min_messages = error;
DROP FUNCTION public.list, public.tell CASCADE;
\set clean :include 'clean.psql'
\i :clean

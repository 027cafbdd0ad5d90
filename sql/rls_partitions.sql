-- Partitions and children of protected tables, those that come later too.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
CREATE SCHEMA regress_shop;
GRANT USAGE ON SCHEMA regress_shop TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO regress_app;
SET search_path = regress_shop, public;

-- A table's row-level security, tenant column, policy, and who beside the owner has privileges.
CREATE VIEW public.state AS
    SELECT c.oid::regclass AS table_name, c.relrowsecurity AND c.relforcerowsecurity AS rls, a.attnotnull,
           d.adbin IS NOT NULL AS has_default, pg_get_expr(p.polqual, c.oid) AS tenant_policy,
           (SELECT string_agg(DISTINCT coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), ', ')
            FROM (SELECT relacl UNION ALL
                  SELECT attacl FROM pg_attribute WHERE attrelid = c.oid) AS acl (acl),
                 aclexplode(acl) AS x WHERE x.grantee <> c.relowner) AS granted_to
    FROM pg_class AS c
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = 'publicdigit_tenant'
    WHERE c.relnamespace::regnamespace::text LIKE 'regress%' AND c.relkind IN ('r', 'p', 'f')
    ORDER BY c.relname COLLATE "C";

-- What is there already: partitions, one of them partitioned, with grants of their own.
CREATE TABLE item (id int, tenant_id uuid) PARTITION BY RANGE (id);
CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM (0) TO (10);
CREATE TABLE item_2 PARTITION OF item FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);
CREATE TABLE item_2_1 PARTITION OF item_2 FOR VALUES IN (10, 11);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON item_1
    TO regress_web WITH GRANT OPTION;
GRANT SELECT ON item_2_1 TO PUBLIC;
SELECT publicdigit.protect_table('item');
TABLE public.state;

-- What comes later, by CREATE and by ATTACH; and under a temporary table's name.
CREATE TABLE item_3 PARTITION OF item FOR VALUES FROM (20) TO (30);
CREATE TABLE item_2_2 PARTITION OF item_2 FOR VALUES IN (12);
CREATE TABLE item_4 (id int, tenant_id uuid NOT NULL);
GRANT SELECT ON item_4 TO PUBLIC;
ALTER TABLE item ATTACH PARTITION item_4 FOR VALUES FROM (30) TO (40);
CREATE TEMP TABLE item_5 ();
CREATE TABLE regress_shop.item_5 PARTITION OF item FOR VALUES FROM (40) TO (50);
DROP TABLE pg_temp.item_5;
CREATE TABLE item_6 PARTITION OF item FOR VALUES FROM (50) TO (60) PARTITION BY LIST (id);
CREATE TABLE item_6_1 (id int, tenant_id uuid NOT NULL) PARTITION BY LIST (id);
CREATE TABLE item_6_1_1 PARTITION OF item_6_1 DEFAULT;
ALTER TABLE item_6 ATTACH PARTITION item_6_1 FOR VALUES IN (50);
TABLE public.state;

-- Made within CREATE SCHEMA it is a partition like any other.
CREATE SCHEMA regress_more CREATE TABLE item_7 PARTITION OF regress_shop.item FOR VALUES FROM (60) TO (70);
SELECT * FROM public.state WHERE table_name = 'regress_more.item_7'::regclass;
DROP TABLE regress_more.item_7;

-- Rows go through the parent; a partition itself is closed, and does not tell either.
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO regress_shop.item SELECT * FROM unnest('{1, 10, 12, 25, 35, 45}'::int[]);
SELECT public.try(format('INSERT INTO regress_shop.item VALUES (1, %L)', :'beta'));
SELECT count(*) FROM regress_shop.item;
SELECT public.try('TABLE regress_shop.item_1');
SELECT public.try('TABLE regress_shop.item_2_1');
SELECT public.try('TABLE regress_shop.item_4');
COMMIT;
SELECT count(*) FROM regress_shop.item;
\c - :superuser
SET search_path = regress_shop, public;
GRANT SELECT ON item_1 TO regress_web;
SET ROLE regress_web;
SELECT count(*) FROM item_1;
RESET ROLE;

-- Detached it stays protected; nobody gets it back by that.
ALTER TABLE item DETACH PARTITION item_3;
SELECT * FROM public.state WHERE table_name = 'item_3'::regclass;

-- Partitions are pruned by the tenant: the policy of a partitioned table is the bare call.
CREATE TABLE log (tenant_id uuid, body text) PARTITION BY LIST (tenant_id);
SELECT publicdigit.protect_table('log');
CREATE TABLE log_acme PARTITION OF log FOR VALUES IN (:'acme');
CREATE TABLE log_beta PARTITION OF log FOR VALUES IN (:'beta');
SET client_min_messages = error;
CREATE FUNCTION public.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
ALTER TABLE log OWNER TO regress_owner;
ALTER TABLE log_acme OWNER TO regress_owner;
ALTER TABLE log_beta OWNER TO regress_owner;
GRANT USAGE ON SCHEMA regress_shop TO regress_owner;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SET LOCAL ROLE regress_owner;
SELECT trim(line) FROM public.plan('SELECT body FROM regress_shop.log') AS line WHERE line ~ 'log_|Removed';
COMMIT;
DROP FUNCTION public.plan;
RESET client_min_messages;

-- Inheritance: what is there already, and what comes later by CREATE and by ALTER TABLE.
CREATE TABLE animal (tenant_id uuid, name text);
CREATE TABLE cat () INHERITS (animal);
CREATE TABLE kitten () INHERITS (cat);
GRANT SELECT (name) ON cat TO regress_web;
GRANT SELECT (name), UPDATE (name) ON kitten TO PUBLIC;
SELECT publicdigit.protect_table('animal');
CREATE TABLE dog () INHERITS (animal);
CREATE TABLE puppy (tenant_id uuid NOT NULL, name text);
ALTER TABLE puppy INHERIT dog;
SELECT * FROM public.state WHERE table_name IN
    ('animal'::regclass, 'cat'::regclass, 'kitten'::regclass, 'dog'::regclass, 'puppy'::regclass);

SELECT public.try('SELECT publicdigit.unprotect_table(''cat'')');
-- A child with a permissive policy of its own is refused, however it comes.
CREATE TABLE bird (tenant_id uuid NOT NULL, name text);
CREATE POLICY everything ON bird USING (true);
SELECT try('ALTER TABLE bird INHERIT animal');
SELECT count(*) FROM pg_inherits WHERE inhrelid = 'bird'::regclass;

-- A foreign table has no row security: without grants it is closed.
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_server FOREIGN DATA WRAPPER regress_wrapper;
CREATE FOREIGN TABLE item_8 PARTITION OF item FOR VALUES FROM (70) TO (80) SERVER regress_server;
SELECT * FROM public.state WHERE table_name = 'item_8'::regclass;
DROP FOREIGN TABLE item_8;
DROP FOREIGN DATA WRAPPER regress_wrapper CASCADE;

-- Unprotected, it is so with all its partitions.
SELECT publicdigit.unprotect_table('item');
SELECT table_name, rls, has_default, tenant_policy FROM public.state WHERE table_name::text LIKE 'item%';

DROP VIEW public.state;
ALTER DEFAULT PRIVILEGES REVOKE SELECT, INSERT ON TABLES FROM regress_app;
\set clean :include 'clean.psql'
\i :clean

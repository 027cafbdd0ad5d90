-- What DROP EXTENSION ... CASCADE leaves behind is closed, not open.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start

-- Besides the tables that are there: one with policies of its own, a partitioned one, a child,
-- and what a module made.
SET ROLE regress_owner;
CREATE TABLE landlord.own (tenant_id uuid, body text);
CREATE POLICY own ON landlord.own USING ((SELECT publicdigit.current_tenant_id()) IS NOT NULL);
CREATE TABLE landlord.parted (tenant_id uuid, body text) PARTITION BY LIST (body);
CREATE TABLE landlord.parted_1 PARTITION OF landlord.parted DEFAULT;
CREATE TABLE landlord.parent (tenant_id uuid, body text);
CREATE TABLE landlord.child () INHERITS (landlord.parent);
RESET ROLE;
SELECT publicdigit.protect_table(name) FROM unnest('{landlord.own, landlord.parted, landlord.parent}'::regclass[]) AS name;
GRANT ALL ON ALL TABLES IN SCHEMA landlord TO regress_app;
SELECT publicdigit.register_module(jsonb_build_object('name', 'cards', 'version', '1.0.0', 'context', 'tenant',
    'tables', jsonb_build_object('card', 'tenant', 'named', 'tenant'),
    'scripts', jsonb_build_object('migrations/tenant/0001_card.up.sql', $$
        CREATE TABLE card (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid, body text);
        CREATE TABLE named (tenant_id uuid, body text);
        CREATE POLICY named ON named USING (body <> '' AND (SELECT publicdigit.current_tenant_id()) IS NOT NULL)
    $$)));
SELECT publicdigit.install_module('cards', 'acme');
SET client_min_messages = error;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO card (body) VALUES ('card');
INSERT INTO named (body) VALUES ('named');
INSERT INTO own (body) VALUES ('own');
INSERT INTO parted (body) VALUES ('parted');
INSERT INTO parent (body) VALUES ('parent');
INSERT INTO child (body) VALUES ('child');
COMMIT;
CREATE VIEW public.open_to AS
    SELECT format('SELECT count(*) FROM %s', c.oid::regclass) AS query, c.oid::regclass AS table_name
    FROM pg_class AS c WHERE c.relnamespace::regnamespace::text IN ('tenant_acme', 'tenant_beta', 'landlord')
      AND c.relkind IN ('r', 'p');
GRANT SELECT ON public.open_to TO PUBLIC;
CREATE FUNCTION public.seen(left_out text DEFAULT '') RETURNS TABLE (table_name text, seen bigint) LANGUAGE plpgsql AS $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM public.open_to AS t WHERE t.table_name::text <> left_out ORDER BY t.table_name::text COLLATE "C" LOOP
        table_name := o.table_name;
        EXECUTE o.query INTO seen;
        RETURN NEXT;
    END LOOP;
END $$;

-- Before: the bound tenant's rows; the other's schema is not reached.
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT * FROM public.seen('tenant_beta.note');
COMMIT;

-- Refused while something depends on it; by the library, where it is loaded, because of
-- modules that nothing else would tell of.
\c - :superuser
SELECT publicdigit.environment();
\set VERBOSITY terse
DROP EXTENSION publicdigit;
SET client_min_messages = warning;
BEGIN;
DROP EXTENSION publicdigit CASCADE;
ROLLBACK;
SELECT count(*) FROM publicdigit.tenants;

-- After: no rows, no writes, not by the app role, nor by the owner of the tables.
DROP EXTENSION publicdigit CASCADE;
\set VERBOSITY default
SELECT c.oid::regclass, relrowsecurity AND relforcerowsecurity AS rls,
       (SELECT string_agg(polname, ', ') FROM pg_policy WHERE polrelid = c.oid) AS policies
FROM pg_class AS c JOIN public.open_to ON table_name = c.oid ORDER BY c.oid::regclass::text COLLATE "C";
\c - regress_web
SELECT * FROM public.seen();
SELECT table_name, public.try(format('INSERT INTO %s (tenant_id, body) VALUES (%L, ''x'')', table_name, :'acme'))
FROM public.open_to ORDER BY table_name::text COLLATE "C";
SELECT table_name, public.try(format('WITH u AS (UPDATE %s SET body = ''x'' RETURNING 1) SELECT 1 / (count(*) = 0)::int FROM u', table_name))
FROM public.open_to ORDER BY table_name::text COLLATE "C";
\c - :superuser
SET ROLE regress_owner;
SELECT * FROM public.seen();
RESET ROLE;

-- The rows are there; the extension made anew knows of no tenant and opens nothing.
SELECT body FROM tenant_acme.card;
SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant\_%' ORDER BY nspname;
CREATE EXTENSION publicdigit CASCADE;
-- The library may not be preloaded here, which setup() tells.
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_owner', 'regress_app');
RESET client_min_messages;
SELECT try('SELECT publicdigit.use_tenant(''acme'')');
SELECT try('SELECT publicdigit.create_tenant(''acme'')');
\c - regress_web
SELECT count(*) FROM landlord.event;

\c - :superuser
DROP FUNCTION public.seen;
DROP VIEW public.open_to;
\set clean :include 'clean.psql'
\i :clean

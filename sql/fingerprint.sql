-- fingerprint(): the same wherever a module is the same, whatever it is called there.
\getenv abs_srcdir PG_ABS_SRCDIR
\set start :abs_srcdir '/test/include/start.psql'
\i :start
SET client_min_messages = error;
SELECT publicdigit.setup('regress_print_owner', 'regress_print_app', admin => 'regress_print_admin');
CREATE ROLE regress_print_other;
-- Version 1.0.0 makes two tables, 1.1.0 adds to them; "at_once" is another module's 1.1.0 in one script,
-- with its columns in another order.
CREATE FUNCTION public.register(module text, version text, VARIADIC scripts text[]) RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', module, 'version', version, 'context', 'tenant',
        'tables', '{"item": "tenant", "kind": "tenant"}'::jsonb, 'scripts',
        (SELECT jsonb_object_agg(format('migrations/tenant/%s_step.up.sql', lpad(n::text, 4, '0')), script)
         FROM unnest(scripts) WITH ORDINALITY AS s (script, n))))
$$;
\set one 'CREATE TABLE kind (tenant_id uuid, code text, PRIMARY KEY (tenant_id, code)); CREATE TABLE item (id serial PRIMARY KEY, tenant_id uuid, name text NOT NULL, made timestamptz DEFAULT ''2020-01-01 00:00+00'', part float8 DEFAULT 0.1);'
\set two 'CREATE TYPE state AS ENUM (''on'', ''off''); ALTER TABLE item ADD state state DEFAULT ''on'', ADD kind text, ADD FOREIGN KEY (tenant_id, kind) REFERENCES kind; CREATE INDEX item_kind ON item (kind); CREATE FUNCTION lower(s state) RETURNS text LANGUAGE sql IMMUTABLE AS ''SELECT ''''x''''''; ALTER TABLE item ADD CONSTRAINT low CHECK (lower(state) = ''x''); CREATE VIEW item_view WITH (security_invoker) AS SELECT lower(i.state), k.code FROM item AS i, kind AS k; DO $$ BEGIN EXECUTE format(''CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql AS $f$ SELECT count(*) FROM %I.kind $f$'', current_schema()); END $$;'
\set once 'CREATE TYPE state AS ENUM (''on'', ''off''); CREATE FUNCTION lower(s state) RETURNS text LANGUAGE sql IMMUTABLE AS ''SELECT ''''x''''''; CREATE TABLE kind (code text, tenant_id uuid, PRIMARY KEY (tenant_id, code)); CREATE TABLE item (kind text, state state DEFAULT ''on'', part float8 DEFAULT 0.1, made timestamptz DEFAULT ''2020-01-01 00:00+00'', name text NOT NULL, tenant_id uuid, id serial PRIMARY KEY, CONSTRAINT low CHECK (lower(state) = ''x''), FOREIGN KEY (tenant_id, kind) REFERENCES kind); CREATE INDEX item_kind ON item (kind); CREATE VIEW item_view WITH (security_invoker) AS SELECT lower(i.state), k.code FROM item AS i, kind AS k; DO $$ BEGIN EXECUTE format(''CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql AS $f$ SELECT count(*) FROM %I.kind $f$'', current_schema()); END $$;'
SELECT public.register('stock', '1.0.0', :'one'), public.register('stock', '1.1.0', :'one', :'two'),
       public.register('at_once', '1.1.0', :'once');
SELECT publicdigit.register_module('geography');
SELECT publicdigit.install_module('geography');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,beta,old,third}'::text[]) AS slug;
SELECT publicdigit.install_module('stock', slug) FROM unnest('{acme,beta}'::text[]) AS slug;
SELECT publicdigit.install_module('at_once', 'third');
SELECT publicdigit.install_module('stock', 'old', '1.0.0');
RESET client_min_messages;

SELECT publicdigit.fingerprint('acme', 'stock') ~ '^sha256:[0-9a-f]{64}$',
       publicdigit.fingerprint('acme', 'stock') = publicdigit.fingerprint('beta', 'stock') AS another_tenant,
       publicdigit.fingerprint('acme', 'stock') = publicdigit.fingerprint('third', 'at_once') AS in_one_script,
       publicdigit.fingerprint('acme', 'stock') <> publicdigit.fingerprint('old', 'stock') AS another_version;
SELECT publicdigit.fingerprint(id, 'stock') = publicdigit.fingerprint('acme', 'stock') AS by_id
FROM publicdigit.tenants WHERE slug = 'beta';
SELECT publicdigit.fingerprint('@landlord', 'geography') ~ '^sha256:[0-9a-f]{64}$';
SELECT count(*) FROM publicdigit.check_drift();

-- What the session has set does not count, nor what is in the way of a name.
SELECT publicdigit.fingerprint('beta', 'stock') AS wanted \gset
BEGIN;
SET LOCAL DateStyle = 'German';
SET LOCAL TimeZone = 'Asia/Kathmandu';
SET LOCAL extra_float_digits = -10;
SET LOCAL quote_all_identifiers = on;
SET LOCAL search_path = tenant_acme;
CREATE TEMP TABLE kind ();
CREATE FUNCTION tenant_acme.nothing(oid, oid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''reached as %'', current_user; END';
CREATE OPERATOR tenant_acme.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = tenant_acme.nothing);
SELECT publicdigit.fingerprint('acme', 'stock') = :'wanted' AS same;
ROLLBACK;
-- Rows, what sequences have drawn, and objects of other modules or of none.
BEGIN;
SELECT nextval('tenant_acme.item_id_seq');
INSERT INTO tenant_acme.kind (tenant_id, code) SELECT id, 'x' FROM publicdigit.tenants;
CREATE TABLE tenant_acme.other ();
ANALYZE tenant_acme.kind;
SELECT publicdigit.fingerprint('acme', 'stock') = :'wanted' AS same;
ROLLBACK;
-- The upgrade's statements, run by hand, make the same of the older version, once they are recorded.
BEGIN;
SET LOCAL search_path = tenant_old;
SET ROLE regress_print_owner;
:two
RESET ROLE;
GRANT USAGE ON SCHEMA tenant_old TO regress_print_app;
INSERT INTO publicdigit.module_object
SELECT i.id, o.type, o.identity FROM publicdigit.installation AS i, publicdigit.module_object AS o
WHERE i.tenant_id = (SELECT id FROM publicdigit.tenant WHERE slug = 'old')
  AND o.installation_id = (SELECT j.id FROM publicdigit.installation AS j JOIN publicdigit.tenant AS t ON t.id = j.tenant_id
                           WHERE slug = 'acme')
ON CONFLICT DO NOTHING;
SELECT publicdigit.fingerprint('old', 'stock') = :'wanted' AS upgraded;
ROLLBACK;

-- Each change is another fingerprint.
SET client_min_messages = warning;
CREATE FUNCTION public.same_after(change text, wanted text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    same boolean;
BEGIN
    SET LOCAL search_path = tenant_acme;
    EXECUTE change;
    same := publicdigit.fingerprint('acme', 'stock') = wanted;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    RETURN same;
END $$;
SELECT count(*) AS changes, count(*) FILTER (WHERE public.same_after(change, :'wanted')) AS not_seen FROM unnest(ARRAY[
    'ALTER TABLE item ADD x int', 'ALTER TABLE item DROP part', 'ALTER TABLE item RENAME part TO whole',
    'ALTER TABLE item ALTER name TYPE varchar', 'ALTER TABLE item ALTER name DROP NOT NULL', 'ALTER TABLE item ALTER name SET DEFAULT 1',
    'ALTER TABLE item ALTER name TYPE text COLLATE "C"', 'ALTER TABLE item DROP CONSTRAINT low', 'ALTER TABLE item DROP CONSTRAINT item_pkey',
    'ALTER TABLE item DROP CONSTRAINT item_tenant_id_kind_fkey', 'DROP INDEX item_kind', 'CREATE INDEX ON item (name)',
    'ALTER TABLE item DISABLE ROW LEVEL SECURITY', 'ALTER TABLE item NO FORCE ROW LEVEL SECURITY', 'DROP POLICY publicdigit_tenant ON item',
    'CREATE POLICY more ON item USING (true)', 'GRANT SELECT ON item TO PUBLIC', 'REVOKE INSERT ON item FROM regress_print_app',
    'GRANT SELECT (name) ON item TO regress_print_other', 'ALTER TABLE item OWNER TO regress_print_other', 'COMMENT ON TABLE item IS ''x''',
    'COMMENT ON COLUMN item.name IS ''x''', 'DROP VIEW item_view', 'ALTER VIEW item_view SET (security_invoker = off)',
    'ALTER TABLE item SET (fillfactor = 50)', 'ALTER SEQUENCE item_id_seq CACHE 9', 'DROP TABLE item CASCADE', 'ALTER TYPE state RENAME VALUE ''on'' TO ''in''',
    'CREATE OR REPLACE FUNCTION mine() RETURNS bigint LANGUAGE sql AS ''SELECT 1''', 'ALTER FUNCTION mine() SECURITY DEFINER',
    'REVOKE EXECUTE ON FUNCTION mine() FROM PUBLIC',
    'CREATE OR REPLACE FUNCTION mine() RETURNS bigint LANGUAGE sql AS ''SELECT count(*) FROM kind''']) AS change;

-- Arguments.
SELECT public.try('SELECT publicdigit.fingerprint(NULL::text, ''stock'')');
SELECT public.try('SELECT publicdigit.fingerprint(NULL::uuid, ''stock'')');
SELECT public.try('SELECT publicdigit.fingerprint(''acme'', NULL)');
SELECT public.try('SELECT publicdigit.fingerprint(''nobody'', ''stock'')');
SELECT public.try('SELECT publicdigit.fingerprint(''acme'', ''nothing'')');
SELECT public.try('SELECT publicdigit.fingerprint(''acme'', ''at_once'')');
SELECT public.try('SELECT publicdigit.fingerprint(''acme'', ''geography'')');
SELECT public.try('SELECT publicdigit.fingerprint(''@landlord'', ''stock'')');
BEGIN READ ONLY;
SELECT publicdigit.fingerprint('acme', 'stock') = :'wanted' AS same;
COMMIT;
SET ROLE regress_print_app;
SELECT public.try('SELECT publicdigit.fingerprint(''acme'', ''stock'')');
RESET ROLE;

-- Another database, with other roles.
SET client_min_messages = error;
CREATE DATABASE regress_print;
\set database :DBNAME
\c regress_print
SET client_min_messages = error;
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('regress_print_owner2', 'regress_print_app2');
SELECT publicdigit.create_tenant('elsewhere') IS NOT NULL;
SELECT publicdigit.register_module(jsonb_build_object('name', 'stock', 'version', '1.1.0', 'context', 'tenant',
    'tables', '{"item": "tenant", "kind": "tenant"}'::jsonb, 'scripts',
    jsonb_build_object('migrations/tenant/0001_all.up.sql', :'once')));
SELECT publicdigit.install_module('stock', 'elsewhere');
SELECT publicdigit.fingerprint('elsewhere', 'stock') = :'wanted' AS same;
\c :database
DROP DATABASE regress_print;
DROP FUNCTION public.register, public.same_after;
\set clean :abs_srcdir '/test/include/clean.psql'
\i :clean

-- The golden rules on the tables of a module installed for two tenants, written
-- as an application's developer would write it: keys and columns, nothing else.
\set ECHO none
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset fieldsep '\n'
\set ON_ERROR_ROLLBACK 1
\set ON_ERROR_STOP true

BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION publicdigit CASCADE;
SELECT plan(48);
SET LOCAL client_min_messages = error;

SELECT publicdigit.setup('regress_owner', 'regress_app') \g /dev/null
CREATE ROLE regress_web IN ROLE regress_app;
CREATE ROLE regress_other IN ROLE regress_app;
SELECT publicdigit.create_tenant('acme') AS acme, publicdigit.create_tenant('beta') AS beta \gset
SELECT publicdigit.grant_tenant_access('regress_web', '*') \g /dev/null

-- A module with one migration, and the three functions by which the tests look at it.
CREATE FUNCTION public.module(name text, script text) RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', name, 'version', '1.0.0',
        'context', 'tenant', 'scripts', jsonb_build_object('migrations/tenant/0001_all.up.sql', script)))
$$;
-- The function's own search_path is undone when it returns, the binding is not,
-- so that pgTAP's functions are still found.
CREATE FUNCTION public.enter(tenant text) RETURNS uuid LANGUAGE sql SET search_path = public AS
    $$ SELECT publicdigit.use_tenant(tenant) $$;
CREATE FUNCTION public.made(schema name) RETURNS SETOF oid STABLE LANGUAGE sql AS
    $$ SELECT oid FROM pg_class WHERE relnamespace::regnamespace::name = schema AND relkind IN ('r', 'p') $$;

SELECT publicdigit.register_module(jsonb_build_object('name', 'shop', 'version', '1.0.0', 'context', 'tenant',
    'tables', '{"customer": "tenant", "bill": "tenant", "visit": "tenant"}'::jsonb,
    'scripts', jsonb_build_object('migrations/tenant/0001_all.up.sql', $$
        CREATE TABLE customer (id serial PRIMARY KEY, tenant_id uuid, email text UNIQUE);
        CREATE TABLE bill (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL,
                           customer_id int REFERENCES customer ON DELETE SET NULL);
        CREATE TABLE visit (tenant_id uuid, at date) PARTITION BY RANGE (at);
        CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE TABLE unnamed (tenant_id uuid)
    $$, 'migrations/tenant/0001_all.down.sql', 'DROP TABLE unnamed, visit, bill, customer'))) \g /dev/null
SELECT publicdigit.install_module('shop', tenant) FROM unnest('{acme, beta}'::text[]) AS tenant \g /dev/null
SELECT public.enter('acme') \g /dev/null
INSERT INTO tenant_acme.customer (email) VALUES ('a@example.org'), ('b@example.org');
INSERT INTO tenant_acme.bill (customer_id) SELECT id FROM tenant_acme.customer;
INSERT INTO tenant_acme.visit (at) VALUES ('2026-11-23');
SELECT public.enter('beta') \g /dev/null
INSERT INTO tenant_beta.customer (email) VALUES ('a@example.org');
SELECT publicdigit.forget_tenant() \g /dev/null

-- Rule 1: each table has its tenant column, with default, and row-level security that is enforced.
SELECT set_eq($$ SELECT relname FROM pg_class WHERE oid IN (SELECT public.made('tenant_acme')) $$,
              '{customer, bill, visit, visit_2026, unnamed}'::name[], 'rule 1: the module''s tables are there');
SELECT col_type_is('tenant_acme', relname, 'tenant_id', 'uuid', format('rule 1: tenant_id of %s is a uuid', relname)),
       col_not_null('tenant_acme', relname, 'tenant_id', format('rule 1: tenant_id of %s is not null', relname)),
       col_default_is('tenant_acme', relname, 'tenant_id', 'publicdigit.current_tenant_id()',
                      format('rule 1: tenant_id of %s is the bound tenant', relname))
FROM pg_class WHERE oid IN (SELECT public.made('tenant_acme')) ORDER BY relname;
SELECT is_empty($$ SELECT relname FROM pg_class WHERE oid IN (SELECT public.made('tenant_acme'))
    AND NOT (relrowsecurity AND relforcerowsecurity) $$, 'rule 1: row-level security is enabled and forced');
SELECT is_empty($$ SELECT relname FROM pg_class AS c WHERE oid IN (SELECT public.made('tenant_acme'))
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND NOT polpermissive
        AND polcmd = '*' AND polroles = '{0}'
        AND pg_get_expr(polqual, c.oid) = CASE relkind WHEN 'p' THEN '(tenant_id = publicdigit.current_tenant_id())'
                                          ELSE 'publicdigit.is_current_tenant(tenant_id)' END
        AND pg_get_expr(polwithcheck, c.oid) = pg_get_expr(polqual, c.oid)) $$,
    'rule 1: a restrictive policy holds for all, reading and writing');
SELECT is_empty($$ SELECT polname FROM pg_policy AS p WHERE polrelid IN (SELECT public.made('tenant_acme'))
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_policy'::regclass AND objid = p.oid
        AND refclassid = 'pg_proc'::regclass
        AND refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'publicdigit'::regnamespace)) $$,
    'rule 1: no policy would outlive the extension');
SELECT is_empty($$ SELECT relname FROM pg_class WHERE oid IN (SELECT public.made('tenant_acme'))
    AND relowner <> 'regress_owner'::regrole $$, 'rule 1: all belong to the owner role');
SELECT is_empty($$ SELECT relname FROM pg_class WHERE relname IN ('unnamed', 'visit_2026')
    AND has_any_column_privilege('regress_app', oid, 'select, insert, update, references') $$,
    'rule 1: what the manifest does not name, and partitions, are closed to the app role');

-- Rule 1: what cannot be mended is not installed.
SELECT public.module('no_column', 'CREATE TABLE a (id int)'),
       public.module('wrong_type', 'CREATE TABLE a (tenant_id text)'),
       public.module('nullifying', 'CREATE TABLE a (tenant_id uuid, id int, PRIMARY KEY (tenant_id, id));
           CREATE TABLE b (tenant_id uuid, a int, FOREIGN KEY (tenant_id, a) REFERENCES a ON DELETE SET NULL)'),
       public.module('open', 'CREATE TABLE a (tenant_id uuid); CREATE POLICY p ON a USING (true)') \g /dev/null
SELECT throws_ok(format('SELECT publicdigit.install_module(%L, ''acme'')', name), 'PD001', NULL,
                 format('rule 1: module %s is refused', name))
FROM unnest('{no_column, wrong_type, nullifying, open}'::text[]) AS name;

-- Rule 2: no tenant bound means no rows and no writes.  The owner role, for which row-level
-- security is forced, passes the guard of the schema; the app role does not.
SET LOCAL SESSION AUTHORIZATION regress_owner;
SELECT is_empty('SELECT * FROM tenant_acme.customer', 'rule 2: unbound, no row is read');
SELECT is_empty('SELECT * FROM tenant_acme.visit', 'rule 2: unbound, no row of a partitioned table is read');
SELECT throws_ok('INSERT INTO tenant_acme.customer (email) VALUES (''x'')', '42501', NULL, 'rule 2: unbound, nothing is inserted');
SELECT throws_ok(format('INSERT INTO tenant_acme.customer (tenant_id, email) VALUES (%L, ''x'')', :'acme'),
                 '42501', NULL, 'rule 2: unbound, nothing is inserted under a tenant''s id');
SELECT is_empty('UPDATE tenant_acme.customer SET email = ''x'' RETURNING 1', 'rule 2: unbound, no row is updated');
SELECT is_empty('DELETE FROM tenant_acme.bill RETURNING 1', 'rule 2: unbound, no row is deleted');
SET LOCAL SESSION AUTHORIZATION regress_web;
SELECT throws_ok('SELECT * FROM tenant_acme.customer', '42501', 'permission denied for schema tenant_acme',
                 'rule 2: unbound, no tenant''s schema is reached');
SELECT public.enter('acme') \g /dev/null
SELECT results_eq('SELECT count(*)::int FROM tenant_acme.customer', '{2}'::int[], 'rule 2: bound, the tenant''s rows are read');
SELECT throws_ok('SELECT * FROM tenant_beta.customer', '42501', 'permission denied for schema tenant_beta',
                 'rule 2: bound, no other tenant''s schema is reached');
SELECT throws_ok(format('INSERT INTO tenant_acme.customer (tenant_id, email) VALUES (%L, ''x'')', :'beta'),
                 '42501', NULL, 'rule 2: bound, nothing is inserted under another tenant''s id');
SELECT throws_ok(format('UPDATE tenant_acme.customer SET tenant_id = %L', :'beta'), '42501', NULL,
                 'rule 2: bound, no row is given to another tenant');
SELECT publicdigit.forget_tenant() \g /dev/null

-- Rule 3: who can merely run SQL cannot choose a tenant.
SET LOCAL SESSION AUTHORIZATION regress_other;
SELECT throws_ok('SELECT publicdigit.use_tenant(''acme'')', '42501', 'role "regress_other" may not enter tenant "acme"',
                 'rule 3: a role without a grant does not enter');
SET LOCAL ROLE regress_app;
SELECT throws_ok('SELECT publicdigit.use_tenant(''acme'')', '42501', 'role "regress_other" may not enter tenant "acme"',
                 'rule 3: SET ROLE does not help');
RESET ROLE;
SELECT throws_ok(format('SET LOCAL publicdigit.context = %L', :'acme'), '28000', NULL, 'rule 3: nor does SET');
SELECT throws_ok('SELECT publicdigit.grant_tenant_access(''regress_other'', ''*'')', '42501', NULL,
                 'rule 3: nor a grant by oneself');
SELECT is(publicdigit.current_tenant_id(), NULL, 'rule 3: nothing is bound');

-- Rule 6: a failed install or uninstall leaves nothing behind.
RESET SESSION AUTHORIZATION;
SELECT public.module('failing', 'CREATE TABLE first (tenant_id uuid);
    CREATE FUNCTION second() RETURNS int LANGUAGE sql RETURN 1; SELECT 1 / 0') \g /dev/null
CREATE FUNCTION public.everything() RETURNS SETOF text STABLE LANGUAGE sql AS $$
    SELECT 'class ' || relname || relacl::text FROM pg_class WHERE relnamespace::regnamespace::text = 'tenant_acme'
    UNION ALL SELECT 'proc ' || proname FROM pg_proc WHERE pronamespace::regnamespace::text = 'tenant_acme'
    UNION ALL SELECT 'installed ' || module FROM publicdigit.module_installations
    UNION ALL SELECT 'migration ' || module || migration FROM publicdigit.migrations
$$;
CREATE TEMP TABLE before AS SELECT public.everything() AS object;
SELECT throws_ok('SELECT publicdigit.install_module(''failing'', ''acme'')', '22012', NULL, 'rule 6: a failing script keeps its SQLSTATE');
SELECT bag_eq('SELECT public.everything()', 'TABLE before', 'rule 6: and leaves nothing behind');
CREATE VIEW public.dependent AS SELECT * FROM tenant_acme.customer;
SELECT throws_ok('SELECT publicdigit.uninstall_module(''shop'', ''acme'')', '2BP01', NULL, 'rule 6: a failing uninstall, too');
SELECT bag_eq('SELECT public.everything()', 'TABLE before', 'rule 6: takes nothing away');
DROP VIEW public.dependent;
SELECT lives_ok('SELECT publicdigit.uninstall_module(''shop'', ''acme'')', 'rule 6: one that succeeds');
SELECT is_empty('SELECT public.made(''tenant_acme'')', 'rule 6: takes everything away');
SELECT public.enter('beta') \g /dev/null
SELECT results_eq('SELECT count(*)::int FROM tenant_beta.customer', '{1}'::int[], 'rule 6: and leaves the other tenant alone');

SELECT * FROM finish();
ROLLBACK;

-- The golden rules on the tables that a module makes: what the installer adds, and what it refuses.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_rules_owner', 'regress_rules_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.grant_tenant_access('regress_rules_app', '*');
SELECT publicdigit.register_module('geography'), publicdigit.install_module('geography');
RESET client_min_messages;

\getenv abs_srcdir PG_ABS_SRCDIR
\set attempt :abs_srcdir '/test/include/attempt.psql'
\i :attempt
CREATE FUNCTION install(name text, tables jsonb, VARIADIC migrations text[]) RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', name, 'version', '1.0.0', 'context', 'tenant', 'tables', tables,
        'scripts', (SELECT jsonb_object_agg(format('migrations/tenant/000%s_m.up.sql', n), script)
                    FROM unnest(migrations) WITH ORDINALITY AS m (script, n))));
    SELECT count(publicdigit.install_module($1, slug)::text)::text FROM publicdigit.tenants
$$;
CREATE VIEW secured AS
    SELECT c.relname, a.attnotnull AS nn, pg_get_expr(d.adbin, d.adrelid) AS def, c.relrowsecurity AND c.relforcerowsecurity AS rls,
           (SELECT string_agg(p.polname || ' ' || CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, ', ' ORDER BY p.polname)
            FROM pg_policy AS p WHERE p.polrelid = c.oid) AS policies,
           has_table_privilege('regress_rules_app', c.oid, 'SELECT') AS app
    FROM pg_class AS c LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'tenant_acme'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname;

-- A plain CREATE TABLE is enough; rows can be written right after it, even where the column comes later.
SELECT install('plain', '{"a": "tenant", "b": "tenant"}', 'CREATE TABLE a (tenant_id uuid, n int); INSERT INTO a (n) VALUES (1), (2);
    UPDATE a SET n = n * 10; CREATE TABLE b AS SELECT n FROM a; ALTER TABLE b ADD tenant_id uuid DEFAULT publicdigit.current_tenant_id(); INSERT INTO b VALUES (3)');
SELECT * FROM secured;
SELECT pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy
WHERE polrelid = 'tenant_acme.a'::regclass ORDER BY polname;
-- Not named in the manifest: protected, but not granted.
SELECT install('unnamed', '{}', 'CREATE TABLE c (tenant_id uuid, n int)');
SELECT * FROM secured WHERE relname = 'c';

-- What the installer cannot mend.
SELECT attempt('CREATE TABLE t (id int)', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t (id int)');
SELECT attempt('CREATE TABLE t (tenant_id text)', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t (id int); ALTER TABLE t ADD tenant_id bigint', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t ("Tenant_ID" uuid)', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t AS SELECT NULL::uuid AS tenant_id', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t (tenant_id uuid); INSERT INTO t VALUES (NULL)', '{"t": "tenant"}') ~ '^42501: new row violates row-level security';
SELECT attempt('CREATE TABLE t (tenant_id uuid); INSERT INTO t VALUES (gen_random_uuid())', '{"t": "tenant"}') ~ '^42501: new row violates row-level security';
SELECT attempt('CREATE TABLE t (tenant_id uuid); ALTER TABLE t ALTER tenant_id DROP NOT NULL', '{"t": "tenant"}');
-- A constraint that has not been validated, from 18 on, is not enough.
SELECT attempt('CREATE TABLE t (tenant_id uuid); ALTER TABLE t ALTER tenant_id DROP NOT NULL; ' || CASE
    WHEN current_setting('server_version_num')::int >= 180000 THEN 'ALTER TABLE t ADD NOT NULL tenant_id NOT VALID' ELSE '' END, '{"t": "tenant"}') ~ 'may be null';
SELECT attempt('CREATE TABLE t (tenant_id uuid); ALTER TABLE t ALTER tenant_id DROP DEFAULT', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t (tenant_id uuid); ALTER TABLE t ALTER tenant_id SET DEFAULT gen_random_uuid()', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t (tenant_id uuid, n int); ALTER TABLE t RENAME tenant_id TO owner', '{"t": "tenant"}');
-- Of another module's table as well.
SELECT attempt('ALTER TABLE a ALTER tenant_id DROP NOT NULL');
SELECT attempt('DROP POLICY publicdigit_tenant ON a');
-- Ours stays, or comes again, where there is no other that lets anything through.
BEGIN;
DO $$BEGIN PERFORM install('closing', '{}', 'DROP POLICY publicdigit_bound ON a'); EXCEPTION WHEN SQLSTATE 'PD001' THEN NULL; END$$;
SELECT policies FROM secured WHERE relname = 'a';
ROLLBACK;

-- A materialized view of tenants' rows has no row-level security.
SELECT attempt('CREATE MATERIALIZED VIEW m AS SELECT n FROM a');
SELECT attempt('CREATE VIEW v AS SELECT n FROM a; CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM v') ~ '^PD001';
SELECT attempt('CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM countries');

-- Foreign keys that would empty the tenant column.
SELECT attempt('CREATE TABLE t (id int, tenant_id uuid, PRIMARY KEY (tenant_id, id)); CREATE TABLE u (tenant_id uuid, t int,
    CONSTRAINT u_t FOREIGN KEY (tenant_id, t) REFERENCES t ON ' || what || ')', '{"t": "tenant", "u": "tenant"}')
FROM unnest('{DELETE SET NULL,UPDATE SET NULL,"DELETE SET NULL (tenant_id)",DELETE SET NULL (t),DELETE CASCADE}'::text[]) AS what;
SELECT attempt('CREATE TABLE t (id int UNIQUE, tenant_id uuid); CREATE TABLE u (tenant_id uuid, t int, CONSTRAINT u_t FOREIGN KEY (t) REFERENCES t (id) ON DELETE SET NULL)',
    '{"t": "tenant", "u": "tenant"}');

-- Tables of the manifest and tables of the scripts are the same.
SELECT attempt('SELECT 1', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE t (tenant_id uuid); DROP TABLE t', '{"t": "tenant"}');
SELECT attempt('CREATE VIEW t AS SELECT 1', '{"t": "tenant"}');
SELECT attempt('CREATE TABLE a (tenant_id uuid)', '{"a": "tenant"}');
SELECT attempt('CREATE TABLE IF NOT EXISTS countries (tenant_id uuid)', '{"countries": "tenant"}');
-- One that another module has made is not this one's to grant.
SELECT attempt('SELECT 1', '{"a": "tenant"}') ~ '^22023';

-- Permissive policies of the module's own.
SELECT attempt('CREATE TABLE t (tenant_id uuid, n int); CREATE POLICY mine ON t USING (n > 0)', '{"t": "tenant"}');
SELECT attempt('CREATE POLICY mine ON a USING (true)');
SELECT install('own', '{"o": "tenant"}', 'CREATE TABLE o (tenant_id uuid, n int);
    CREATE POLICY small ON o USING ((SELECT publicdigit.current_tenant_id()) IS NOT NULL AND n < 10);
    INSERT INTO o (n) VALUES (1)');
SELECT * FROM secured WHERE relname = 'o';
SET SESSION AUTHORIZATION regress_rules_app;
BEGIN;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
INSERT INTO o (n) VALUES (2);
SAVEPOINT s;
INSERT INTO o (n) VALUES (10);
ROLLBACK TO s;
SELECT n FROM o ORDER BY n;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
SELECT n FROM o ORDER BY n;
SELECT n FROM a ORDER BY n;
-- As nobody: no rows, and none written.
SELECT publicdigit.use_landlord();
SAVEPOINT s;
SELECT count(*) FROM tenant_acme.o;
ROLLBACK TO s;
INSERT INTO tenant_acme.a (n) VALUES (3);
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- A restrictive one more takes nothing away from ours.
SELECT install('strict', '{"s": "tenant"}', 'CREATE TABLE s (tenant_id uuid, n int); CREATE POLICY positive ON s AS RESTRICTIVE USING (n > 0)');
SELECT * FROM secured WHERE relname = 's';

-- Partitions and children, those of later migrations too: secured, and closed on their own.
SELECT install('parts', '{"p": "tenant", "parent": "tenant"}',
    'CREATE TABLE p (tenant_id uuid, y int) PARTITION BY RANGE (y); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
     CREATE TABLE parent (tenant_id uuid, n int); CREATE TABLE child (more int) INHERITS (parent); INSERT INTO p (y) VALUES (1)',
    'CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2) TO (3) PARTITION BY LIST (y); CREATE TABLE p21 PARTITION OF p2 DEFAULT;
     CREATE TABLE p3 (tenant_id uuid, y int); ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (3) TO (4); INSERT INTO p (y) VALUES (2), (3)');
SELECT * FROM secured WHERE relname ~ '^(p|child)';
SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'tenant_acme.p'::regclass AND polname = 'publicdigit_tenant';
SET SESSION AUTHORIZATION regress_rules_app;
BEGIN;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
SELECT y FROM p ORDER BY y;
SELECT y FROM p21;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT left(attempt('DROP POLICY publicdigit_tenant ON p3'), 5);
-- A table that was granted loses its grants when it becomes a child.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT install('adopting', '{"family": "tenant"}', 'CREATE TABLE family (tenant_id uuid, n int); ALTER TABLE a INHERIT family');
SELECT * FROM secured WHERE relname IN ('a', 'family');
ROLLBACK;

-- The landlord's modules: shared tables are read by all, tables of tenants' rows are protected.
SELECT publicdigit.register_module('{"name": "billing", "version": "1.0.0", "context": "landlord", "tables": {"prices": "shared", "invoices": "tenant"},
    "scripts": {"migrations/0001_a.up.sql": "CREATE TABLE prices (id int PRIMARY KEY); CREATE TABLE invoices (id serial PRIMARY KEY, tenant_id uuid); CREATE TABLE internal (id int); INSERT INTO prices VALUES (1)"}}');
SELECT publicdigit.install_module('billing');
SELECT relname, relrowsecurity AND relforcerowsecurity, relacl::text ~ 'regress_rules_app=r/', relacl::text ~ 'regress_rules_app=arwd/'
FROM pg_class WHERE relnamespace = 'landlord'::regnamespace AND relkind = 'r' AND relname <> 'countries' ORDER BY relname;
SELECT table_name, tenant_column FROM publicdigit.protected_tables WHERE table_name::text ~ 'landlord';
SELECT attempt('CREATE TABLE t (id int)', '{"t": "tenant"}', 'landlord');
SELECT left(attempt('DROP TABLE tenant_acme.a', '{}', 'landlord'), 5);
-- Nor does one read a protected table by way of a parent that is not.
SELECT split_part(attempt(script, '{"bills": "shared"}', 'landlord'), E'\n', 1) FROM unnest(ARRAY[
    'CREATE TABLE bills (tenant_id uuid); ALTER TABLE invoices INHERIT bills',
    'CREATE TABLE bills (id int, tenant_id uuid) PARTITION BY LIST (tenant_id); ALTER TABLE invoices ALTER id DROP DEFAULT; ALTER TABLE bills ATTACH PARTITION invoices DEFAULT']) AS script;
-- Nor does one take protection away, from whosever table.
SELECT split_part(attempt(script, '{}', 'landlord'), E'\n', 1) FROM unnest(ARRAY[
    'DROP POLICY publicdigit_tenant ON invoices; ALTER POLICY publicdigit_bound ON invoices USING (true)',
    'DROP POLICY publicdigit_bound ON invoices; DROP POLICY publicdigit_tenant ON invoices; ALTER TABLE invoices RENAME TO bills; CREATE POLICY p ON bills USING (true)',
    'ALTER POLICY publicdigit_tenant ON invoices RENAME TO other', 'ALTER POLICY publicdigit_tenant ON invoices USING (true) WITH CHECK (true)',
    'SET client_min_messages = error; ALTER TABLE invoices DROP tenant_id CASCADE; CREATE POLICY p ON invoices USING (true)']) AS script;
SELECT attempt('SELECT publicdigit.forget_tenant()', '{}', 'landlord');

-- Without the extension everything is closed.
SET client_min_messages = warning;
DROP VIEW secured;
DROP FUNCTION attempt, install;
DROP EXTENSION publicdigit CASCADE;
SET ROLE regress_rules_app;
SELECT count(*) FROM tenant_acme.a;
SELECT count(*) FROM tenant_acme.o;
SELECT count(*) FROM tenant_acme.p;
SELECT count(*) FROM landlord.invoices;
INSERT INTO tenant_acme.a VALUES (gen_random_uuid(), 1);
RESET ROLE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_rules_owner, regress_rules_app;

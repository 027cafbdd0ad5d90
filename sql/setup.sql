-- setup(): roles, the landlord's schema, grants; what it refuses, and calling it again.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start

-- Before it nothing can be done, and context() says where one is.
SELECT environment, connection, tenant_id, tenant, sealed, source FROM publicdigit.context();
SELECT publicdigit.environment(), publicdigit.current_tenant_id(), publicdigit.current_tenant();
SELECT try('SELECT publicdigit.create_tenant(''acme'')');
SELECT try('SELECT publicdigit.use_landlord()');
SELECT try('SELECT publicdigit.use_tenant(''acme'')');
CREATE TABLE note (tenant_id uuid);
SELECT try('SELECT publicdigit.share_table(''note'')');
DROP TABLE note;

-- Arguments that are none.
SELECT try('SELECT publicdigit.setup(NULL, ''regress_app'')');
SELECT try('SELECT publicdigit.setup(''regress_owner'', NULL)');
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'', NULL)');
SELECT try(format('SELECT publicdigit.setup(%L, ''regress_app'')', owner))
FROM unnest(ARRAY['', 'public', 'none', 'pg_owner', 'regress_app']) AS owner;
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''public'')');
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'', admin => ''regress_app'')');
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'', admin => ''regress_owner'')');
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'', ''staging'')');
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'', ''Production'')');

-- Roles that row-level security would not hold.
CREATE ROLE regress_super SUPERUSER;
CREATE ROLE regress_bypass BYPASSRLS;
CREATE ROLE regress_login LOGIN;
CREATE ROLE regress_owner;
CREATE ROLE regress_member IN ROLE regress_owner;
SELECT owner, app, admin, try(format('SELECT publicdigit.setup(%L, %L, admin => %L)', owner, app, admin))
FROM (VALUES ('regress_super', 'regress_app', NULL),
             ('regress_bypass', 'regress_app', NULL),
             ('regress_login', 'regress_app', NULL),
             ('regress_owner', 'regress_super', NULL),
             ('regress_owner', 'regress_bypass', NULL),
             ('regress_owner', 'regress_member', NULL),
             ('regress_owner', 'regress_app', 'regress_super'),
             ('regress_owner', 'regress_app', 'regress_bypass'),
             ('regress_owner', 'regress_app', 'regress_member')) AS roles (owner, app, admin);

-- A schema "landlord" that is somebody else's.
CREATE SCHEMA landlord;
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'')');
DROP SCHEMA landlord;

-- Nothing is left of all these, nor of a transaction rolled back.
BEGIN;
-- The library may not be preloaded here, which setup() tells.
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_owner', 'regress_app', 'testing', 'regress_admin');
RESET client_min_messages;
SELECT publicdigit.environment();
ROLLBACK;
SELECT publicdigit.environment();
SELECT count(*) FROM publicdigit.setting;
SELECT to_regrole('regress_app'), to_regrole('regress_admin'), to_regnamespace('landlord');

-- It makes what is missing, whatever the names are.
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_owner', 'regress "App"', admin => 'regress_Ad''min');
RESET client_min_messages;
SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolinherit
FROM pg_roles WHERE rolname IN ('regress "App"', 'regress_Ad''min') ORDER BY rolname COLLATE "C";
SELECT nspowner::regrole, has_schema_privilege('regress "App"', oid, 'usage') AS app_may_use,
       has_schema_privilege('regress "App"', oid, 'create') AS app_may_create,
       has_schema_privilege('public', oid, 'usage') AS public_may_use
FROM pg_namespace WHERE nspname = 'landlord';

-- Called again it changes nothing but the environment, while that is free.
SELECT publicdigit.setup('regress_owner', 'regress "App"', admin => 'regress_Ad''min');
SELECT owner_role, app_role, admin_role, environment FROM publicdigit.setting;
SELECT publicdigit.setup('regress_owner', 'regress "App"', 'testing', 'regress_Ad''min');
SELECT publicdigit.environment();
BEGIN;
SELECT publicdigit.use_landlord();
SELECT environment, connection, schema, source FROM publicdigit.context();
COMMIT;

-- Other roles may be chosen as long as there is no tenant; the former ones lose everything.
SELECT publicdigit.setup('regress_owner', 'regress_app', admin => 'regress_admin');
SELECT role, has_schema_privilege(role, 'landlord', 'usage') AS landlord,
       has_function_privilege(role, 'publicdigit.use_tenant(text, boolean, boolean)', 'execute') AS use_tenant,
       has_function_privilege(role, 'publicdigit.create_tenant(text, text, text, text[])', 'execute') AS create_tenant,
       has_table_privilege(role, 'publicdigit.tenants', 'select') AS tenants
FROM unnest(ARRAY['regress "App"', 'regress_app', 'regress_Ad''min', 'regress_admin']::name[]) AS role;

-- Once there is one, they stay; the admin role may still change.
SELECT publicdigit.create_tenant('acme') IS NOT NULL;
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'', ''testing'')');
SELECT try('SELECT publicdigit.setup(''regress_owner'', ''regress "App"'')');
SELECT try('SELECT publicdigit.setup(''regress_member'', ''regress_app'')');
SELECT publicdigit.setup('regress_owner', 'regress_app', 'production', 'regress_login');
SELECT publicdigit.setup('regress_owner', 'regress_app');
SELECT owner_role, app_role, admin_role, environment FROM publicdigit.setting;
SELECT role, has_function_privilege(role, 'publicdigit.create_tenant(text, text, text, text[])', 'execute')
FROM unnest('{regress_admin, regress_login}'::name[]) AS role;

-- It belongs to the extension's owner alone.
SELECT publicdigit.setup('regress_owner', 'regress_app', admin => 'regress_login');
\c - regress_login
SELECT public.try('SELECT publicdigit.setup(''regress_owner'', ''regress_app'')');
SELECT publicdigit.create_tenant('beta') IS NOT NULL;

\set clean :include 'clean.psql'
\i :clean

-- The life of a tenant: slugs, schema names, statuses, dropping.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start
-- The library may not be preloaded here, which setup() tells.
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_owner', 'regress_app') \g /dev/null
RESET client_min_messages;

-- A tenant is created with what was said about it, and with its schema.
SELECT publicdigit.create_tenant('acme') AS acme \gset
SELECT publicdigit.create_tenant(slug => 'new-town-2', name => 'New Town', domains => '{nt.example.org}') AS nt \gset
SELECT slug, name, status, placement, schema_name, created_at = now() AS just_now,
       id IN (:'acme', :'nt') AS id
FROM publicdigit.tenants ORDER BY slug;
SELECT domain, tenant, tenant_id = :'nt' AS id FROM publicdigit.domains;
SELECT nspname, nspowner::regrole, has_schema_privilege('regress_app', oid, 'usage') AS app_may_use,
       has_schema_privilege('regress_app', oid, 'create') AS app_may_create,
       has_schema_privilege('public', oid, 'usage') AS public_may_use
FROM pg_namespace WHERE nspname LIKE 'tenant\_%' ORDER BY nspname;

-- Slugs that are none.
CREATE TABLE bad_slug (slug text, n serial);
INSERT INTO bad_slug
VALUES (''), (repeat('a', 51)), ('Acme'), ('ACME'), ('acmé'), ('а'), ('a_b'), ('a.b'), ('a b'),
       (' acme'), (E'acme\n'), ('a"b'), ('a;b'), ('-a'), ('a-'), ('a--b'), ('-'), ('1'), ('1a'),
       ('@current'), ('@landlord'), ('*'), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
       ('a0eebc999c0b4ef8bb6d6bb9bd380a11'), ('a0ee-bc999c0b4ef8bb6d6bb9bd38-0a11'),
       ('0aeebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'),
       ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), ('public'), ('publicdigit'), ('landlord'),
       ('information_schema'), ('pg'), ('pg-catalog'), ('pgbouncer');
SELECT to_json(slug), substring(try(format('SELECT publicdigit.create_tenant(%L)', slug)) FROM 'DETAIL: .*[.]')
FROM bad_slug ORDER BY n;
SELECT DISTINCT split_part(try(format('SELECT publicdigit.create_tenant(%L)', slug)), ':', 1),
       split_part(try(format('SELECT publicdigit.rename_tenant(''acme'', %L)', slug)), ':', 1)
FROM bad_slug;
SELECT try('SELECT publicdigit.create_tenant(''Acme'')');

-- What is at the edge of them.
SELECT slug, try_and_undo(format('SELECT publicdigit.create_tenant(%L)', slug))
FROM unnest(ARRAY[repeat('a', 50), 'a', 'a-1', 'a1-b2-c3', 'p-g', 'publicity', 'landlords',
                  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', 'a0eebc999c0b4ef8bb6d6bb9bd380a111',
                  'a0ee-bc-999c0b4ef8bb6d6bb9bd380a11']) AS slug;

-- Other arguments.
SELECT try('SELECT publicdigit.create_tenant(NULL)');
SELECT try('SELECT publicdigit.create_tenant(''x'', placement => NULL)');
SELECT try('SELECT publicdigit.create_tenant(''x'', name => '''')');
SELECT try('SELECT publicdigit.create_tenant(''x'', placement => ''shared'')');
SELECT try('SELECT publicdigit.create_tenant(''x'', placement => ''database'')');
SELECT try('SELECT publicdigit.create_tenant(''x'', placement => ''Schema'')');
SELECT try('SELECT publicdigit.create_tenant(''x'', domains => ARRAY[''x.example.org'', NULL])');
SELECT try('SELECT publicdigit.create_tenant(''x'', domains => ''{nt.example.org}'')');
SELECT try_and_undo('SELECT publicdigit.create_tenant(''x'', NULL, domains => NULL)');

-- Taken: a slug, and a schema that is not a tenant's.
SELECT try('SELECT publicdigit.create_tenant(''acme'')');
SELECT try('SELECT publicdigit.rename_tenant(''acme'', ''new-town-2'')');
CREATE SCHEMA tenant_mine;
SELECT try('SELECT publicdigit.create_tenant(''mine'')');
DROP SCHEMA tenant_mine;
SELECT publicdigit.create_tenant('mine') IS NOT NULL;

-- rename_tenant() changes the slug; the schema keeps its name, and nobody else gets it.
SELECT publicdigit.rename_tenant('acme', 'acme');
SELECT publicdigit.rename_tenant('acme', 'apex');
SELECT slug, name, schema_name, id = :'acme' AS id FROM publicdigit.tenants WHERE slug IN ('acme', 'apex');
SELECT publicdigit.create_tenant('acme') IS NOT NULL;
SELECT publicdigit.create_tenant('acme-2') IS NOT NULL;
SELECT slug, schema_name FROM publicdigit.tenants WHERE slug LIKE 'acme%' ORDER BY slug;

-- Suspended and archived; what is so already is a notice, what is no way there an error.
SELECT publicdigit.suspend_tenant('mine');
SELECT publicdigit.suspend_tenant('mine');
SELECT try('SELECT publicdigit.restore_tenant(''mine'')');
SELECT publicdigit.resume_tenant('mine');
SELECT publicdigit.resume_tenant('mine');
SELECT publicdigit.restore_tenant('mine');
SELECT publicdigit.archive_tenant('mine');
SELECT publicdigit.archive_tenant('mine');
SELECT try('SELECT publicdigit.suspend_tenant(''mine'')');
SELECT try('SELECT publicdigit.resume_tenant(''mine'')');
SELECT status, has_schema_privilege('regress_app', schema_name, 'usage') AS app_may_use
FROM publicdigit.tenants WHERE slug = 'mine';
SELECT publicdigit.restore_tenant('mine');
SELECT publicdigit.suspend_tenant('mine');
SELECT publicdigit.archive_tenant('mine');
SELECT publicdigit.restore_tenant('mine');
SELECT status, has_schema_privilege('regress_app', schema_name, 'usage') AS app_may_use
FROM publicdigit.tenants WHERE slug = 'mine';

-- Dropped: an active one only by force.  Its schema's name is never used again.
SELECT try('SELECT publicdigit.drop_tenant(''mine'')');
SELECT try('SELECT publicdigit.drop_tenant(''mine'', NULL)');
CREATE TABLE tenant_mine.note (body text);
SELECT publicdigit.drop_tenant('mine', force => true);
SELECT to_regnamespace('tenant_mine');
SELECT publicdigit.create_tenant('mine') IS NOT NULL;
SELECT publicdigit.suspend_tenant('mine');
SELECT publicdigit.drop_tenant('mine');
SELECT publicdigit.create_tenant('mine') IS NOT NULL;
SELECT publicdigit.archive_tenant('mine');
SELECT publicdigit.drop_tenant('mine');
SELECT publicdigit.create_tenant('mine') AS mine \gset
SELECT schema_name FROM publicdigit.tenants WHERE slug = 'mine';
DROP SCHEMA tenant_mine_4;
SELECT publicdigit.drop_tenant(:'mine'::uuid, true);
SELECT try(format('SELECT publicdigit.drop_tenant(%L)', 'mine'));
SELECT schema_name FROM publicdigit.tenant_schema ORDER BY 1;

-- All that is refused, in savepoints that are rolled back; the transaction goes on.
BEGIN;
\set VERBOSITY sqlstate
SELECT 'SAVEPOINT s', format('SELECT publicdigit.%s', call), 'ROLLBACK TO s'
FROM unnest(ARRAY['create_tenant('''')', 'create_tenant(''Acme'')', 'create_tenant(''pg1'')',
                  'create_tenant(NULL)', 'create_tenant(''acme'')', 'create_tenant(''x'', '''')',
                  'create_tenant(''x'', placement => ''shared'')', 'suspend_tenant(''none'')',
                  'rename_tenant(''acme'', ''apex'')', 'rename_tenant(''acme'', ''a_'')',
                  'drop_tenant(''acme'')', 'drop_tenant(''none'')',
                  'create_tenant(''x'', domains => ''{nt.example.org}'')']) AS call \gexec
SAVEPOINT s;
SELECT publicdigit.create_tenant('undone') IS NOT NULL;
SELECT publicdigit.suspend_tenant('undone');
ROLLBACK TO s;
\set VERBOSITY default
SELECT publicdigit.create_tenant('done') IS NOT NULL;
COMMIT;
SELECT slug, status, schema_name FROM publicdigit.tenants ORDER BY slug;
SELECT try('SELECT publicdigit.resume_tenant(''undone'')');

\set clean :include 'clean.psql'
DROP TABLE bad_slug;
\i :clean

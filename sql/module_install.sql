-- Installing modules: order, requirements, states, and what the ledger says.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on
\pset null NULL

\getenv abs_srcdir PG_ABS_SRCDIR
\set try_call :abs_srcdir '/test/include/try_call.psql'
\i :try_call
-- A module of one migration, whose path its context decides.
CREATE FUNCTION module(name text, context text DEFAULT 'tenant', requires jsonb DEFAULT '{}',
                       version text DEFAULT '1.0.0', script text DEFAULT 'SELECT 1')
RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('name', name, 'context', context,
        'requires', requires, 'version', version, 'scripts', jsonb_build_object('migrations/'
        || CASE context WHEN 'tenant' THEN 'tenant/' ELSE '' END || '0001_' || name || '.up.sql', script)))
$$;
CREATE VIEW installed AS
    SELECT coalesce(tenant, 'the landlord') AS target, module, version, status
    FROM publicdigit.module_installations;

-- Before setup() nothing can be installed.
SELECT publicdigit.register_module('geography'), publicdigit.register_module('members'),
       publicdigit.register_module('digital_card');
SELECT try($$SELECT publicdigit.install_module('geography')$$);
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_install_owner', 'regress_install_app');
RESET client_min_messages;
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;

-- Unknown names.
SELECT try($$SELECT publicdigit.install_module('nothing', 'acme')$$);
SELECT try($$SELECT publicdigit.install_module('Members', 'acme')$$);
SELECT try($$SELECT publicdigit.install_module('', 'acme')$$);
SELECT try($$SELECT publicdigit.install_module('members', 'acme', '9.0.0')$$);
SELECT try($$SELECT publicdigit.install_module('members', 'nobody')$$);

-- The landlord's module comes first; a tenant's install does not bring it.
SELECT try($$SELECT publicdigit.install_module('digital_card', 'acme')$$);
SELECT count(*) FROM installed;
SELECT publicdigit.install_module('geography');
SELECT * FROM installed;

-- What is required is installed first, and once.
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT i.module FROM publicdigit.installation AS i WHERE context = 'tenant' ORDER BY id;
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT publicdigit.install_module('digital_card', 'acme', '1.0.0');
SELECT publicdigit.install_module('members', 'acme');
SELECT publicdigit.install_module('geography', '@landlord');
SELECT * FROM installed ORDER BY target, module;

-- The other tenant is as it was; it gets its own tables when asked for.
SELECT count(*) FROM pg_class WHERE relnamespace = 'tenant_globex'::regnamespace;
BEGIN;
SELECT publicdigit.install_module('digital_card', id) FROM publicdigit.tenants WHERE slug = 'globex';
SELECT target, module FROM installed WHERE target = 'globex' ORDER BY module;
ROLLBACK;
SELECT count(*) FROM installed WHERE target = 'globex';

-- A diamond: a needs b and c, both need d.
SELECT module('d', version => '1.0.0'), module('d', version => '1.5.0'), module('d', version => '2.0.0'),
       module('d', version => '1.6.0-rc.1'), module('b', requires => '{"d": "^1.0"}'),
       module('c', requires => '{"d": ">=1.2"}'), module('a', requires => '{"c": "*", "b": "*"}');
SELECT publicdigit.install_module('a', 'acme');
SELECT module, version FROM publicdigit.installation AS i
JOIN publicdigit.module_version AS v USING (module) WHERE v.id = version_id AND module < 'digital'
ORDER BY i.id;
-- What is installed and does not fit is not replaced.
SELECT publicdigit.install_module('d', 'globex', '2.0.0');
SELECT try($$SELECT publicdigit.install_module('a', 'globex')$$);
SELECT try($$SELECT publicdigit.install_module('d', 'globex', '1.0.0')$$);
SELECT module('e', requires => '{"d": "^3.0"}'), module('f', requires => '{"missing": "*"}');
SELECT try($$SELECT publicdigit.install_module('e', 'globex')$$);
SELECT try($$SELECT publicdigit.install_module('f', 'globex')$$);
-- All that is required is known to be there before the first script runs.
SELECT module('aloud', script => $$DO 'BEGIN RAISE NOTICE ''ran''; END'$$),
       module('i', requires => '{"aloud": "*", "missing": "*"}'),
       module('j', requires => '{"aloud": "*", "d": "^1.0"}');
SELECT try($$SELECT publicdigit.install_module('i', 'globex')$$);
SELECT try($$SELECT publicdigit.install_module('j', 'globex')$$);
-- The highest version is meant where none is named, a prerelease only where there is nothing else.
SELECT module('g', version => '1.0.0'), module('g', version => '1.10.0'), module('g', version => '1.9.0'),
       module('g', version => '2.0.0-rc.1'), module('h', version => '0.1.0-beta');
SELECT publicdigit.install_module('g', 'globex'), publicdigit.install_module('h', 'globex');
SELECT module, version FROM installed WHERE target = 'globex' ORDER BY module;

-- For whom: each context its own target.
SELECT try($$SELECT publicdigit.install_module('geography', 'acme')$$);
SELECT try($$SELECT publicdigit.install_module('members', '@landlord')$$);
SELECT try($$SELECT publicdigit.install_module('members')$$);
SELECT try($$SELECT publicdigit.install_module('members', '@current')$$);
SELECT try($$SELECT publicdigit.install_module(NULL, 'acme')$$);
SELECT try($$SELECT publicdigit.install_module('members', NULL::text)$$);
SELECT try($$SELECT publicdigit.install_module('members', NULL::uuid)$$);
SELECT try($$SELECT publicdigit.install_module('members', gen_random_uuid())$$) ~ '^42704: ';
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
RESET client_min_messages;
SELECT publicdigit.install_module('geography');
SELECT publicdigit.install_module('members');
SELECT publicdigit.current_tenant(), current_setting('search_path'), current_setting('row_security');
ROLLBACK;
PREPARE install AS SELECT publicdigit.install_module($1, $2);
BEGIN;
EXECUTE install ('members', 'globex');
SELECT target FROM installed WHERE module = 'members' ORDER BY target;
ROLLBACK;
DEALLOCATE install;

-- Only an active tenant's modules change.
SELECT publicdigit.suspend_tenant('globex');
SELECT try($$SELECT publicdigit.install_module('members', 'globex')$$);
SELECT try($$SELECT publicdigit.install_module('d', 'globex')$$);
SELECT publicdigit.archive_tenant('globex');
SELECT try($$SELECT publicdigit.install_module('members', 'globex')$$);
SELECT publicdigit.restore_tenant('globex');

-- The ledger: one row a migration, one batch a call; the checksum is the script's.
SELECT publicdigit.install_module('digital_card', 'globex');
SELECT m.context, m.tenant, m.module, m.migration, m.version, m.batch,
       m.checksum = 'sha256:' || encode(sha256(convert_to(s.content, 'UTF8')), 'hex') AS checksum,
       m.applied_by = session_user AS applied_by, m.applied_at <= clock_timestamp() AS applied_at,
       m.duration >= '0' AS duration
FROM publicdigit.migrations AS m
JOIN publicdigit.module_version AS v USING (module, version)
JOIN publicdigit.module_script AS s ON s.version_id = v.id AND s.path LIKE '%/' || m.migration || '.up.sql'
ORDER BY m.tenant, m.batch, m.module;

-- The app role gets what the manifest says, and no more.
SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type)
FROM information_schema.role_table_grants
WHERE grantee = 'regress_install_app' AND table_schema IN ('landlord', 'tenant_acme') GROUP BY 1 ORDER BY 1;
SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('landlord', 'tenant_acme');

-- Who merely works with the data installs nothing.
SET ROLE regress_install_app;
SELECT publicdigit.install_module('a', 'globex');
RESET ROLE;

SET client_min_messages = warning;
DROP VIEW installed;
DROP FUNCTION try, module;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_install_owner, regress_install_app;

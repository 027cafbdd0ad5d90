\echo '-- The migrations that are applied now.'
SELECT context, tenant, module, migration, version, left(checksum, 15) || '...' AS checksum
FROM publicdigit.migrations ORDER BY context, tenant, module;

\echo
\echo '-- context() tells where a session stands.'
SELECT database, environment, connection, tenant, role, sealed FROM publicdigit.context();
\c - web
BEGIN;
SELECT publicdigit.use_tenant('acme');
SELECT connection, tenant, schema, search_path, source FROM publicdigit.context();
COMMIT;

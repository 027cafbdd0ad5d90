\echo '-- A module of context landlord is installed once, for everybody, and seeded.'
SELECT publicdigit.install_module('geography');
SELECT publicdigit.seed_module('geography');

\echo
\echo '-- digital_card requires members: it is pulled in.'
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT publicdigit.install_module('digital_card', 'new-town');
SELECT coalesce(tenant, '(landlord)') AS tenant, module, version, status
FROM publicdigit.module_installations ORDER BY tenant, module;

\echo
\echo '-- The installer has put each table under row-level security.'
SELECT table_name, tenant_column FROM publicdigit.protected_tables ORDER BY table_name::text;

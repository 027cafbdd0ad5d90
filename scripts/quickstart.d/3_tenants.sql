\echo '-- Each tenant gets a schema of its own.'
SELECT publicdigit.create_tenant('acme', 'Acme Sports Club',
                                 domains => ARRAY['acme.example.org', 'www.acme.example']);
SELECT publicdigit.create_tenant('new-town', 'New Town Choir',
                                 domains => ARRAY['*.newtown.example']);
SELECT slug, name, status, schema_name FROM publicdigit.tenants ORDER BY slug;

\echo
\echo '-- A web server finds the tenant by the host name of a request, port and case aside.'
SELECT host, slug
FROM (VALUES ('acme.example.org'), ('WWW.Acme.Example:8443'),
             ('members.newtown.example'), ('unknown.example')) AS request (host)
LEFT JOIN publicdigit.tenants ON id = publicdigit.find_tenant(host)
ORDER BY host COLLATE "C";

\echo
\echo '-- Nobody may enter a tenant until told so. The application may enter all of them.'
SELECT publicdigit.grant_tenant_access('publicdigit_app', '*');
SELECT * FROM publicdigit.tenant_access;

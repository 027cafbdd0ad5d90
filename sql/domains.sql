-- Domains: what is one, whose it is, and find_tenant().
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start
-- The library may not be preloaded here, which setup() tells.
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_owner', 'regress_app') \g /dev/null
RESET client_min_messages;
SELECT publicdigit.create_tenant('acme', domains => '{Acme.Example.org, acme.example.ORG., *.acme.example.org}') AS acme,
       publicdigit.create_tenant('beta') AS beta \gset
CREATE FUNCTION found(host text) RETURNS text LANGUAGE sql AS
    $$ SELECT slug FROM publicdigit.tenants WHERE id = publicdigit.find_tenant(host) $$;

-- Domains are kept in lower case and without a dot at the end.
SELECT publicdigit.add_domain('beta', 'BETA.example.org.');
SELECT publicdigit.add_domain(:'beta'::uuid, '*.example.org');
SELECT publicdigit.add_domain('beta', 'shop.acme.example.org');
SELECT publicdigit.add_domain('beta', 'localhost');
SELECT domain, tenant FROM publicdigit.domains ORDER BY domain COLLATE "C";

-- One tenant a domain; the same tenant again is a notice.
SELECT publicdigit.add_domain('beta', 'Beta.Example.Org');
SELECT try('SELECT publicdigit.add_domain(''acme'', ''Beta.example.org.'')');
SELECT try('SELECT publicdigit.add_domain(''none'', ''none.example.org'')');
SELECT try('SELECT publicdigit.add_domain(''acme'', NULL)');
SELECT try('SELECT publicdigit.remove_domain(NULL)');
SELECT try('SELECT publicdigit.find_tenant(NULL)');

-- What is no domain.
SELECT to_json(domain), split_part(try(format('SELECT publicdigit.add_domain(''acme'', %L)', domain)), ' ', 1)
FROM unnest(ARRAY['', '.', '.org', 'a..org', 'a.org..', '-a.org', 'a-.org', 'a.-b.org', 'a b.org',
                  'a.org:80', 'http://a.org', 'a.org/x', '*', '*.', '*.*.org', 'a.*.org', '*a.org',
                  'münchen.example.org', '[::1]', 'a@b.org', E'a.org\n',
                  repeat('a', 64) || '.org']) AS domain;
SELECT try(format('SELECT publicdigit.add_domain(''acme'', %L)', repeat('a.', 126) || 'org'));
SELECT try('SELECT publicdigit.remove_domain(''a..org'')');

-- What is at the edge of them, an underscore included, wherever it stands.
SELECT domain, try_and_undo(format('SELECT publicdigit.add_domain(''acme'', %L)', domain))
FROM unnest(ARRAY['a', '1.2.3.4', 'xn--mnchen-3ya.example.org', repeat('a', 63) || '.org',
                  '_acme.example.org', 'my_shop.example.org', 'www.my_shop.example.org',
                  '*.my_shop.example.org', 'a_.example.org', 'www._shop.example.org']) AS domain;
SELECT try_and_undo(format('SELECT publicdigit.add_domain(''acme'', %L)', repeat('a.', 125) || 'org'));

-- Exact before wildcard, the nearer wildcard before the farther, and a wildcard not for its own name.
SELECT host, found(host)
FROM unnest(ARRAY['acme.example.org', 'www.acme.example.org', 'a.b.acme.example.org',
                  'shop.acme.example.org', 'x.shop.acme.example.org', 'beta.example.org',
                  'other.example.org', 'example.org', 'org', 'localhost', 'x.localhost',
                  'xacme.example.org', 'acme.example.org.evil.com', 'unknown.org']) AS host;

-- Case, the port, and the dot of a full name do not count.
SELECT host, found(host)
FROM unnest(ARRAY['ACME.Example.ORG', 'acme.example.org:8080', 'acme.example.org.',
                  'Acme.example.org.:443', 'WWW.acme.example.org:80', 'localhost:5432']) AS host;

-- What is no host name finds nothing, and no error either.
SELECT publicdigit.add_domain('beta', '2001');
SELECT host, found(host)
FROM unnest(ARRAY['', '.', ':80', '*', '*.example.org', '*.acme.example.org', '.example.org',
                  '..example.org', 'a..example.org', 'a b.example.org', '-.example.org',
                  '[::1]', '[::1]:80', '[2001:db8::1]', '::1', '2001:db8::1', '127.0.0.1',
                  'http://acme.example.org', 'acme.example.org/x', 'x@acme.example.org',
                  repeat('a', 300) || '.example.org', repeat('a', 64) || '.example.org']) AS host;

-- Suspended and archived tenants are found; use_tenant() then refuses them.
SELECT publicdigit.suspend_tenant('acme');
SELECT found('acme.example.org');
SELECT try('SELECT publicdigit.use_tenant(publicdigit.find_tenant(''acme.example.org''))');
SELECT publicdigit.archive_tenant('acme');
SELECT found('acme.example.org');
SELECT try('SELECT publicdigit.use_tenant(publicdigit.find_tenant(''acme.example.org''))');
SELECT try('SELECT publicdigit.use_tenant(publicdigit.find_tenant(''unknown.org''))');

-- Taken away, by hand or with the tenant; then free for another.
SELECT publicdigit.remove_domain('ACME.example.org.');
SELECT try('SELECT publicdigit.remove_domain(''acme.example.org'')');
SELECT found('acme.example.org');
SELECT publicdigit.drop_tenant('beta', true);
SELECT domain, tenant FROM publicdigit.domains;
SELECT publicdigit.add_domain('acme', 'localhost');
SELECT publicdigit.restore_tenant('acme');

-- In savepoints that are rolled back.
BEGIN;
\set VERBOSITY sqlstate
SELECT 'SAVEPOINT s', format('SELECT publicdigit.%s', call), 'ROLLBACK TO s'
FROM unnest(ARRAY['add_domain(''acme'', ''a..b'')', 'add_domain(''acme'', NULL)',
                  'add_domain(''beta'', ''b.example.org'')', 'remove_domain(''b.example.org'')',
                  'find_tenant(NULL)']) AS call \gexec
\set VERBOSITY default
SAVEPOINT s;
SELECT publicdigit.add_domain('acme', 'b.example.org');
SELECT found('b.example.org');
ROLLBACK TO s;
SELECT found('b.example.org');
COMMIT;

\set clean :include 'clean.psql'
DROP FUNCTION found;
\i :clean

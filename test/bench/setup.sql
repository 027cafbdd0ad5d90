-- The extension and its roles.
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup(owner => 'bench_owner', app => 'bench_app', admin => 'bench_admin');
SELECT publicdigit.grant_tenant_access('bench_app', '*');

-- Who logs in: an operator, and an application.
DO $$
BEGIN
    CREATE ROLE bench_ops LOGIN IN ROLE bench_admin;
    CREATE ROLE bench_web LOGIN IN ROLE bench_app;
EXCEPTION WHEN duplicate_object THEN
    NULL;                       -- made for another database
END
$$;

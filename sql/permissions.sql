-- Who may call and read what; what the catalogs must say of the extension's own objects.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\pset format aligned
\pset tuples_only off

CREATE VIEW public.member AS
    SELECT classid, objid FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
      AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'publicdigit');
CREATE VIEW public.function AS
    SELECT p.*, p.oid::regprocedure AS signature FROM pg_proc AS p
    JOIN public.member ON classid = 'pg_proc'::regclass AND objid = p.oid;
GRANT SELECT ON public.function TO PUBLIC;

-- Functions.
SELECT signature,
       has_function_privilege('public', oid, 'execute') AS public,
       has_function_privilege('regress_owner', oid, 'execute') AS owner,
       has_function_privilege('regress_app', oid, 'execute') AS app,
       has_function_privilege('regress_admin', oid, 'execute') AS admin
FROM public.function ORDER BY signature::text COLLATE "C";

-- Tables, views and sequences: all that is granted on them.
SELECT c.relname, coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC') AS grantee,
       string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS privileges
FROM pg_class AS c, aclexplode(c.relacl) AS x
WHERE c.relnamespace = 'publicdigit'::regnamespace AND x.grantee <> c.relowner
GROUP BY 1, 2 ORDER BY c.relname COLLATE "C", 2;
SELECT role, has_schema_privilege(role, 'publicdigit', 'usage') AS usage,
       has_schema_privilege(role, 'publicdigit', 'create') AS "create"
FROM unnest('{public, regress_owner, regress_app, regress_admin}'::name[]) AS role;
\pset tuples_only on
\pset format unaligned

-- Every registry table and sequence is dumped with its rows.
SELECT c.oid::regclass FROM pg_class AS c
WHERE c.relnamespace = 'publicdigit'::regnamespace AND c.relkind IN ('r', 'S')
  AND NOT EXISTS (SELECT FROM pg_extension AS e
                  WHERE e.extname = 'publicdigit' AND c.oid = ANY (e.extconfig)
                    AND e.extcondition[array_position(e.extconfig, c.oid)] = '');

-- Everything has a comment, and belongs to the extension.
SELECT signature FROM public.function WHERE obj_description(oid, 'pg_proc') IS NULL;
SELECT oid::regclass FROM pg_class
WHERE relnamespace = 'publicdigit'::regnamespace AND relkind IN ('r', 'v')
  AND obj_description(oid, 'pg_class') IS NULL;
SELECT obj_description(oid, 'pg_extension') IS NOT NULL FROM pg_extension WHERE extname = 'publicdigit';
SELECT oid::regprocedure FROM pg_proc
WHERE pronamespace = 'publicdigit'::regnamespace AND oid NOT IN (SELECT oid FROM public.function);

-- No function is SECURITY DEFINER or IMMUTABLE, and STRICT only those in place of the server's own; leakproof
-- and for parallel workers those of the policies alone.
SELECT signature FROM public.function WHERE proisstrict OR prosecdef OR provolatile = 'i' ORDER BY signature::text;
SELECT signature, provolatile, proparallel, proleakproof FROM public.function
WHERE proleakproof OR proparallel = 's' ORDER BY signature::text;

-- What changes of the registry must reach other sessions has its trigger, always enabled.
SELECT tgrelid::regclass, tgenabled FROM pg_trigger
WHERE tgfoid = 'publicdigit.invalidate_registry'::regproc ORDER BY tgrelid::regclass::text COLLATE "C";
\c - regress_web
SELECT public.try('INSERT INTO publicdigit.access VALUES (''regress_web'', NULL)');
SELECT public.try('TABLE publicdigit.tenants');
SELECT public.try('TABLE publicdigit.tenant');
SELECT public.try('UPDATE publicdigit.setting SET app_role = ''regress_web''');
SELECT public.try('CREATE TABLE publicdigit.mine ()');
SELECT count(*) FROM publicdigit.protected_tables;

-- Who has no EXECUTE is told so, by every function, and before anything else.
\c - :superuser
CREATE FUNCTION public.calls_not_refused() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT signature || ' ' || result FROM public.function,
        LATERAL (SELECT string_agg('NULL::' || t::regtype, ', ' ORDER BY n)
                 FROM unnest(proargtypes) WITH ORDINALITY AS u (t, n)) AS a (args),
        LATERAL public.try_and_undo(format('SELECT publicdigit.%I(%s)', proname, args)) AS result
    WHERE NOT has_function_privilege(oid, 'execute') AND proname <> 'is_current_tenant_support'
      AND result <> '42501: permission denied for function ' || proname
$$;
\c - regress_nobody
SELECT * FROM public.calls_not_refused();
SELECT count(*) > 30 FROM public.function WHERE NOT has_function_privilege(oid, 'execute');
SELECT public.try('SELECT publicdigit.use_tenant(''acme'')');
SELECT public.try('SELECT publicdigit.create_tenant(''mine'')');
SELECT publicdigit.current_tenant_id(), publicdigit.current_tenant(), publicdigit.environment(), publicdigit.forget_tenant();
SELECT connection, role FROM publicdigit.context();
\c - regress_web
SELECT * FROM public.calls_not_refused();
SELECT public.try('SELECT publicdigit.grant_tenant_access(''regress_web'', ''*'')');
SELECT public.try('SELECT publicdigit.drop_tenant(''beta'', true)');
SELECT publicdigit.find_tenant('none.example.org');
\c - regress_admin
SELECT * FROM public.calls_not_refused();

-- The admin role runs the registry without being superuser, and without writing its tables.
SELECT publicdigit.create_tenant('gamma', domains => '{g.example.org}') IS NOT NULL;
SELECT publicdigit.rename_tenant('gamma', 'delta');
SELECT publicdigit.grant_tenant_access('regress_web', 'delta');
SELECT publicdigit.revoke_tenant_access('regress_web', 'delta');
SELECT publicdigit.suspend_tenant('delta'), publicdigit.resume_tenant('delta'), publicdigit.archive_tenant('delta'),
       publicdigit.restore_tenant('delta'), publicdigit.remove_domain('g.example.org');
SELECT slug, status FROM publicdigit.tenants WHERE slug = 'delta';
SELECT publicdigit.drop_tenant('delta', true);
SELECT count(*) FROM publicdigit.domains;
SELECT count(*) FROM publicdigit.tenant_access;
SELECT public.try('DELETE FROM publicdigit.tenant');
SELECT public.try('DELETE FROM publicdigit.tenants');
SELECT public.try('SELECT publicdigit.use_tenant(''acme'')');

-- The same refusals in a savepoint that is rolled back.
\c - regress_web
BEGIN;
\set VERBOSITY sqlstate
SELECT 'SAVEPOINT s', 'SELECT publicdigit.' || call, 'ROLLBACK TO s'
FROM unnest('{create_tenant(''x''), suspend_tenant(''acme''), "setup(''a'', ''b'')"}'::text[]) AS call \gexec
\set VERBOSITY default
SELECT publicdigit.use_tenant('acme') = :'acme';
COMMIT;

-- Trigger functions can be called as such only.
\c - :superuser
SELECT try('SELECT publicdigit.invalidate_registry()');
SELECT try('SELECT publicdigit.protect_children()');

DROP FUNCTION public.calls_not_refused;
DROP VIEW public.function, public.member;
\set clean :include 'clean.psql'
\i :clean

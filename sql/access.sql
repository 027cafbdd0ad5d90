-- Who may enter a tenant: grants to roles, asked of the role that has logged in.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
CREATE ROLE regress_group;
CREATE ROLE regress_member LOGIN IN ROLE regress_app, regress_group;
CREATE ROLE regress_far LOGIN IN ROLE regress_member;
CREATE FUNCTION public.enter(tenant text) RETURNS text LANGUAGE sql AS
    $$ SELECT public.try_and_undo(format('SELECT publicdigit.use_tenant(%L)', tenant)) $$;
CREATE FUNCTION public.enter_as_definer(tenant text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
    $$ SELECT public.try_and_undo(format('SELECT publicdigit.use_tenant(%L)', tenant)) $$;

-- A grant opens one tenant to one role; without one nothing is open.
TABLE publicdigit.tenant_access;
\c - regress_web
SELECT public.enter('acme'), public.enter('beta');
\c - regress_other
SELECT public.enter('acme');
SELECT public.enter(:'acme');
SELECT public.try_and_undo(format('SELECT publicdigit.use_tenant(%L::uuid)', :'acme'));

-- Neither SET ROLE, nor a function of somebody else's, changes who has logged in.
SET ROLE regress_app;
SELECT session_user, current_user, split_part(public.enter('acme'), E'\n', 1);
RESET ROLE;
SELECT split_part(public.enter_as_definer('acme'), E'\n', 1);
SELECT public.try('SET SESSION AUTHORIZATION regress_web');
SELECT public.try('SET ROLE regress_web');
\c - regress_web
SET ROLE regress_app;
SELECT session_user, current_user, public.enter('acme'), split_part(public.enter('beta'), E'\n', 1);
RESET ROLE;

-- A role that may become another is a member of it, and may enter what it may.
\c - :superuser
SELECT publicdigit.grant_tenant_access('regress_group', 'beta');
\c - regress_member
SELECT public.enter('beta'), split_part(public.enter('acme'), E'\n', 1);
\c - regress_far
SELECT public.enter('beta'), split_part(public.enter('acme'), E'\n', 1);
\c - :superuser
-- From 16 on a membership can be without that.
CREATE ROLE regress_admin_only LOGIN IN ROLE regress_app;
SELECT current_setting('server_version_num')::int >= 160000 AS can_be_without \gset
\if :can_be_without
GRANT regress_group TO regress_admin_only WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
\endif
\c - regress_admin_only
SELECT split_part(public.enter('beta'), E'\n', 1);

-- '*' is every tenant, those to come too.
\c - :superuser
SELECT publicdigit.grant_tenant_access('regress_other', '*');
SELECT publicdigit.create_tenant('gamma') IS NOT NULL;
SELECT publicdigit.grant_tenant_access('regress_other', 'acme');
SELECT * FROM publicdigit.tenant_access ORDER BY role::text COLLATE "C", tenant COLLATE "C";
\c - regress_other
SELECT public.enter('acme'), public.enter('beta'), public.enter('gamma');

-- Revoking '*' takes back only the grant of '*', and one for a tenant only that.
\c - :superuser
SELECT publicdigit.revoke_tenant_access('regress_other', '*');
SELECT publicdigit.grant_tenant_access('regress_other', 'beta');
SELECT publicdigit.revoke_tenant_access('regress_other', 'beta');
SELECT * FROM publicdigit.tenant_access ORDER BY role::text COLLATE "C", tenant COLLATE "C";
\c - regress_other
SELECT public.enter('acme'), split_part(public.enter('beta'), E'\n', 1);
\c - :superuser
SELECT public.try('SELECT publicdigit.revoke_tenant_access(''regress_other'', ''*'')');
SELECT public.try('SELECT publicdigit.revoke_tenant_access(''regress_other'', ''beta'')');

-- Granted again with other words, the last ones count; a token asked for by any grant is asked for.
SELECT publicdigit.grant_tenant_access('regress_other', 'acme', token_only => true);
SELECT publicdigit.grant_tenant_access('regress_other', '*');
SELECT publicdigit.grant_tenant_access('regress_group', '*', true);
SELECT * FROM publicdigit.tenant_access ORDER BY role::text COLLATE "C", tenant COLLATE "C";
\c - regress_other
SELECT public.enter('acme');
SELECT public.enter('beta');
\c - regress_far
SELECT public.enter('beta');
\c - :superuser
SELECT publicdigit.grant_tenant_access('regress_other', 'acme');
SELECT publicdigit.revoke_tenant_access('regress_other', '*');
\c - regress_other
SELECT public.enter('acme');

-- Roles that are none, and what is null.
\c - :superuser
SELECT try('SELECT publicdigit.grant_tenant_access(''regress_none'', ''acme'')');
SELECT try('SELECT publicdigit.grant_tenant_access(''public'', ''acme'')');
SELECT try('SELECT publicdigit.grant_tenant_access(''regress_web'', ''none'')');
SELECT try('SELECT publicdigit.grant_tenant_access(NULL, ''acme'')');
SELECT try('SELECT publicdigit.grant_tenant_access(''regress_web'', NULL)');
SELECT try('SELECT publicdigit.grant_tenant_access(''regress_web'', ''acme'', NULL)');
SELECT try('SELECT publicdigit.revoke_tenant_access(NULL, ''*'')');
SELECT try('SELECT publicdigit.revoke_tenant_access(''regress_none'', ''acme'')');

-- The grant of a role that is gone opens nothing, and can be taken back.
CREATE ROLE regress_gone;
SELECT publicdigit.grant_tenant_access('regress_gone', 'acme');
DROP ROLE regress_gone;
SELECT publicdigit.revoke_tenant_access('regress_gone', 'acme');

-- What a session has cached follows grants, memberships and attributes at once.
\c - regress_member
SELECT public.enter('beta');
\c - :superuser
SELECT publicdigit.revoke_tenant_access('regress_group', '*');
SELECT publicdigit.use_tenant('beta', false) = :'beta';
SET SESSION AUTHORIZATION regress_member;
SELECT public.enter('beta');
RESET SESSION AUTHORIZATION;
REVOKE regress_group FROM regress_member;
SET SESSION AUTHORIZATION regress_member;
SELECT split_part(public.enter('beta'), E'\n', 1);
RESET SESSION AUTHORIZATION;
BEGIN;
GRANT regress_group TO regress_member;
SET LOCAL SESSION AUTHORIZATION regress_member;
SELECT public.enter('beta');
ROLLBACK;
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_member;
SELECT split_part(public.enter('beta'), E'\n', 1);
COMMIT;

-- A tenant that the superuser has bound is not there for whoever the session becomes.
SET SESSION AUTHORIZATION regress_member;
SELECT public.try('SELECT publicdigit.current_tenant_id()');
SELECT public.try('TABLE landlord.event');
RESET SESSION AUTHORIZATION;
SELECT publicdigit.current_tenant();

-- Nor is a table for whom it becomes next, who acts as the same role.
CREATE TABLE tenant_gamma.open (body text);
ALTER TABLE tenant_gamma.open OWNER TO regress_owner;
GRANT SELECT ON tenant_gamma.open TO regress_app;
SELECT publicdigit.grant_tenant_access('regress_member', 'gamma');
CREATE ROLE regress_next IN ROLE regress_member;
SET SESSION AUTHORIZATION regress_member;
SELECT publicdigit.use_tenant('gamma', local => false) IS NOT NULL AS bound;
EXPLAIN (COSTS OFF) SELECT FROM open;
SET SESSION AUTHORIZATION regress_next;
SET ROLE regress_member;
SELECT public.try('EXPLAIN SELECT FROM open');
RESET ROLE;
RESET SESSION AUTHORIZATION;
SELECT publicdigit.use_tenant('beta', local => false) IS NOT NULL AS bound;
DROP ROLE regress_next;

-- Grants go with their tenant.
SELECT publicdigit.drop_tenant('beta', true);
SELECT publicdigit.drop_tenant('gamma', true);
SELECT * FROM publicdigit.tenant_access ORDER BY role::text COLLATE "C", tenant COLLATE "C";
SELECT publicdigit.current_tenant();
SELECT tenant_id = :'beta', tenant FROM publicdigit.context();
SELECT publicdigit.forget_tenant();

\set clean :include 'clean.psql'
DROP FUNCTION public.enter, public.enter_as_definer;
\i :clean

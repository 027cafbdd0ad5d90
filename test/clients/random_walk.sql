-- What random_walk.py works on: three tenants, their rows, and who may enter.
-- Users web (acme, beta) and kiosk (beta, cove) log in.  They may become clerk,
-- who has the application's privileges and may enter nothing, and visitor, who
-- has no privileges; nobody may become deputy, who may enter all.
\set ON_ERROR_STOP on
\o /dev/null
SET client_min_messages = error;
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('pd_owner', 'pd_app');
CREATE ROLE web LOGIN IN ROLE pd_app;
CREATE ROLE kiosk LOGIN IN ROLE pd_app;
CREATE ROLE clerk IN ROLE pd_app ROLE web, kiosk;
CREATE ROLE visitor ROLE web, kiosk;
CREATE ROLE deputy IN ROLE pd_app;

SELECT publicdigit.create_tenant(slug) FROM unnest('{acme, beta, cove}'::text[]) AS slug;
SELECT publicdigit.grant_tenant_access(role, tenant)
FROM (VALUES ('web', 'acme'), ('web', 'beta'), ('kiosk', 'beta'), ('kiosk', 'cove'),
    ('deputy', '*')) AS access (role, tenant);
CREATE VIEW public.ids AS SELECT id::text, slug FROM publicdigit.tenants;
GRANT SELECT ON public.ids TO PUBLIC;

SET ROLE pd_owner;
CREATE TABLE landlord.event (tenant_id uuid, body text);
CREATE INDEX ON landlord.event (tenant_id);
-- Its partitioned twin, which has policies of another form.
CREATE TABLE landlord.log (tenant_id uuid, body text) PARTITION BY HASH (tenant_id);
CREATE TABLE landlord.log_0 PARTITION OF landlord.log FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE landlord.log_1 PARTITION OF landlord.log FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE tenant_acme.note (tenant_id uuid, body text);
CREATE TABLE tenant_beta.note (tenant_id uuid, body text);
CREATE TABLE tenant_cove.note (tenant_id uuid, body text);
GRANT SELECT ON landlord.event, landlord.log, tenant_acme.note, tenant_beta.note, tenant_cove.note
    TO pd_app;
RESET ROLE;
-- So that visitor is refused the tables and not the schemas.
GRANT USAGE ON SCHEMA landlord, tenant_acme, tenant_beta, tenant_cove TO visitor;

INSERT INTO landlord.event
SELECT id, slug || ' ' || number
FROM generate_series(1, 4) AS number, publicdigit.tenants
WHERE number <= CASE slug WHEN 'acme' THEN 3 WHEN 'beta' THEN 4 ELSE 2 END
ORDER BY number, slug;
INSERT INTO landlord.log SELECT * FROM landlord.event;
SELECT format('INSERT INTO tenant_%1$s.note VALUES (%2$L, %3$L), (%2$L, %4$L)',
    slug, id, slug || ' note a', slug || ' note b')
FROM publicdigit.tenants \gexec
SELECT publicdigit.protect_table(name)
FROM unnest('{landlord.event, landlord.log}'::regclass[]) AS name;
SELECT publicdigit.protect_table(format('tenant_%s.note', slug)::regclass) FROM publicdigit.tenants;

-- Views find their tables without looking for names.
SELECT format('CREATE VIEW public.note_of_%1$s WITH (security_invoker) AS '
    'SELECT body FROM tenant_%1$s.note; GRANT SELECT ON public.note_of_%1$s TO PUBLIC', slug)
FROM publicdigit.tenants \gexec
-- Plans that a session keeps.
CREATE FUNCTION public.own_events() RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY SELECT body FROM landlord.event ORDER BY body; END $$;
-- SECURITY DEFINER, a setting of its own, and a path of its own.
CREATE FUNCTION public.enter_as_deputy(tenant text, local boolean) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER AS 'SELECT publicdigit.use_tenant(tenant, local)';
ALTER FUNCTION public.enter_as_deputy OWNER TO deputy;
CREATE FUNCTION public.unbound() RETURNS uuid
    LANGUAGE sql SET publicdigit.context = '' AS 'SELECT publicdigit.current_tenant_id()';
CREATE FUNCTION public.enter_with_path(tenant text, local boolean) RETURNS uuid
    LANGUAGE sql SET search_path = pg_catalog AS 'SELECT publicdigit.use_tenant(tenant, local)';

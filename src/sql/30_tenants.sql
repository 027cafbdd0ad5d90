-- The life of a tenant.  Each function that names a tenant takes its slug or
-- id as text, and has a twin that takes the id as uuid.

CREATE FUNCTION publicdigit.create_tenant(slug text, name text DEFAULT NULL,
                                          placement text DEFAULT 'schema',
                                          domains text[] DEFAULT NULL)
    RETURNS uuid LANGUAGE c AS 'MODULE_PATHNAME', 'pd_create_tenant';
COMMENT ON FUNCTION publicdigit.create_tenant(text, text, text, text[]) IS
    'registers a tenant with its domains and makes its schema; returns its id';

CREATE FUNCTION publicdigit.rename_tenant(tenant text, slug text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_rename_tenant';
COMMENT ON FUNCTION publicdigit.rename_tenant(text, text) IS
    'changes a tenant''s slug; its schema keeps its name';
CREATE FUNCTION publicdigit.rename_tenant(tenant uuid, slug text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_rename_tenant_by_id';
COMMENT ON FUNCTION publicdigit.rename_tenant(uuid, text) IS
    'changes a tenant''s slug; its schema keeps its name';

CREATE FUNCTION publicdigit.suspend_tenant(tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_suspend_tenant';
COMMENT ON FUNCTION publicdigit.suspend_tenant(text) IS
    'nobody can enter the tenant until resume_tenant(); its data stays';
CREATE FUNCTION publicdigit.suspend_tenant(tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_suspend_tenant_by_id';
COMMENT ON FUNCTION publicdigit.suspend_tenant(uuid) IS
    'nobody can enter the tenant until resume_tenant(); its data stays';

CREATE FUNCTION publicdigit.resume_tenant(tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_resume_tenant';
COMMENT ON FUNCTION publicdigit.resume_tenant(text) IS 'ends a suspension';
CREATE FUNCTION publicdigit.resume_tenant(tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_resume_tenant_by_id';
COMMENT ON FUNCTION publicdigit.resume_tenant(uuid) IS 'ends a suspension';

CREATE FUNCTION publicdigit.archive_tenant(tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_archive_tenant';
COMMENT ON FUNCTION publicdigit.archive_tenant(text) IS
    'puts a tenant away: nobody can enter it and the app role loses its grants';
CREATE FUNCTION publicdigit.archive_tenant(tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_archive_tenant_by_id';
COMMENT ON FUNCTION publicdigit.archive_tenant(uuid) IS
    'puts a tenant away: nobody can enter it and the app role loses its grants';

CREATE FUNCTION publicdigit.restore_tenant(tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_restore_tenant';
COMMENT ON FUNCTION publicdigit.restore_tenant(text) IS
    'makes an archived tenant active again, with its grants';
CREATE FUNCTION publicdigit.restore_tenant(tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_restore_tenant_by_id';
COMMENT ON FUNCTION publicdigit.restore_tenant(uuid) IS
    'makes an archived tenant active again, with its grants';

CREATE FUNCTION publicdigit.drop_tenant(tenant text, force boolean DEFAULT false)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_drop_tenant';
COMMENT ON FUNCTION publicdigit.drop_tenant(text, boolean) IS
    'removes a tenant and its schema for good; an active one only with force';
CREATE FUNCTION publicdigit.drop_tenant(tenant uuid, force boolean DEFAULT false)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_drop_tenant_by_id';
COMMENT ON FUNCTION publicdigit.drop_tenant(uuid, boolean) IS
    'removes a tenant and its schema for good; an active one only with force';

CREATE FUNCTION publicdigit.add_domain(tenant text, domain text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_add_domain';
COMMENT ON FUNCTION publicdigit.add_domain(text, text) IS
    'gives a tenant a host name, or all names below one (*.example.org)';
CREATE FUNCTION publicdigit.add_domain(tenant uuid, domain text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_add_domain_by_id';
COMMENT ON FUNCTION publicdigit.add_domain(uuid, text) IS
    'gives a tenant a host name, or all names below one (*.example.org)';

CREATE FUNCTION publicdigit.remove_domain(domain text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_remove_domain';
COMMENT ON FUNCTION publicdigit.remove_domain(text) IS 'takes a host name away from its tenant';

CREATE FUNCTION publicdigit.find_tenant(host text)
    RETURNS uuid LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'pd_find_tenant';
COMMENT ON FUNCTION publicdigit.find_tenant(text) IS
    'the tenant of a host name, exact before wildcard; NULL when there is none';


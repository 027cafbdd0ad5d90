-- Who may enter a tenant.

CREATE FUNCTION publicdigit.grant_tenant_access(role name, tenant text,
                                                token_only boolean DEFAULT false)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_grant_tenant_access';
COMMENT ON FUNCTION publicdigit.grant_tenant_access(name, text, boolean) IS
    'lets a role and its members enter a tenant, or every tenant (*)';
CREATE FUNCTION publicdigit.grant_tenant_access(role name, tenant uuid,
                                                token_only boolean DEFAULT false)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_grant_tenant_access_by_id';
COMMENT ON FUNCTION publicdigit.grant_tenant_access(name, uuid, boolean) IS
    'lets a role and its members enter a tenant';

CREATE FUNCTION publicdigit.revoke_tenant_access(role name, tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_revoke_tenant_access';
COMMENT ON FUNCTION publicdigit.revoke_tenant_access(name, text) IS
    'takes back what grant_tenant_access gave; * takes back only the grant of *';
CREATE FUNCTION publicdigit.revoke_tenant_access(role name, tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_revoke_tenant_access_by_id';
COMMENT ON FUNCTION publicdigit.revoke_tenant_access(name, uuid) IS
    'takes back what grant_tenant_access gave';

CREATE FUNCTION publicdigit.issue_token(tenant text, ttl interval, role name DEFAULT NULL)
    RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'pd_issue_token';
COMMENT ON FUNCTION publicdigit.issue_token(text, interval, name) IS
    'a signed token with which a role can work as a tenant for a while';
CREATE FUNCTION publicdigit.issue_token(tenant uuid, ttl interval, role name DEFAULT NULL)
    RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'pd_issue_token_by_id';
COMMENT ON FUNCTION publicdigit.issue_token(uuid, interval, name) IS
    'a signed token with which a role can work as a tenant for a while';

-- The bound tenant.

CREATE FUNCTION publicdigit.use_tenant(tenant text, local boolean DEFAULT true,
                                       seal boolean DEFAULT false)
    RETURNS uuid LANGUAGE c AS 'MODULE_PATHNAME', 'pd_use_tenant';
COMMENT ON FUNCTION publicdigit.use_tenant(text, boolean, boolean) IS
    'binds a tenant to the transaction (or session) and sets search_path to its schema';
CREATE FUNCTION publicdigit.use_tenant(tenant uuid, local boolean DEFAULT true,
                                       seal boolean DEFAULT false)
    RETURNS uuid LANGUAGE c AS 'MODULE_PATHNAME', 'pd_use_tenant_by_id';
COMMENT ON FUNCTION publicdigit.use_tenant(uuid, boolean, boolean) IS
    'binds a tenant to the transaction (or session) and sets search_path to its schema';

CREATE FUNCTION publicdigit.use_token(token text, local boolean DEFAULT true,
                                      seal boolean DEFAULT false)
    RETURNS uuid LANGUAGE c AS 'MODULE_PATHNAME', 'pd_use_token';
COMMENT ON FUNCTION publicdigit.use_token(text, boolean, boolean) IS
    'binds the tenant that a token names and sets search_path to its schema';

CREATE FUNCTION publicdigit.use_landlord(local boolean DEFAULT true)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_use_landlord';
COMMENT ON FUNCTION publicdigit.use_landlord(boolean) IS
    'binds no tenant and sets search_path to the landlord''s schema';

-- Of is_current_tenant(), see 95_public.sql.
CREATE FUNCTION publicdigit.is_current_tenant_support(internal) RETURNS internal
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_is_current_tenant_support';
COMMENT ON FUNCTION publicdigit.is_current_tenant_support(internal) IS
    'planner support: lets indexes serve is_current_tenant()';

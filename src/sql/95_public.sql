-- What everybody may call.  It is made after the rest has been closed, so that it
-- keeps default privileges: each query looks up those of its policies' functions,
-- and finds default ones several times as fast as a list that says the same.

CREATE FUNCTION publicdigit.forget_tenant()
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_forget_tenant';
COMMENT ON FUNCTION publicdigit.forget_tenant() IS
    'ends the binding of the transaction and the session and resets search_path';

-- Row-level security policies call this one.  STABLE, never IMMUTABLE: a
-- constant folded into a prepared plan would outlive the binding.
CREATE FUNCTION publicdigit.current_tenant_id()
    RETURNS uuid LANGUAGE c STABLE PARALLEL SAFE LEAKPROOF
    AS 'MODULE_PATHNAME', 'pd_current_tenant_id';
COMMENT ON FUNCTION publicdigit.current_tenant_id() IS
    'id of the bound tenant; NULL when none is bound';

-- What the policies of protected tables call.
CREATE FUNCTION publicdigit.is_current_tenant(tenant_id uuid)
    RETURNS boolean LANGUAGE c STABLE PARALLEL SAFE LEAKPROOF
    SUPPORT publicdigit.is_current_tenant_support
    AS 'MODULE_PATHNAME', 'pd_is_current_tenant';
COMMENT ON FUNCTION publicdigit.is_current_tenant(uuid) IS
    'whether this is the bound tenant''s id; false when none is bound';
CREATE FUNCTION publicdigit.ensure_tenant()
    RETURNS boolean LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'pd_ensure_tenant';
COMMENT ON FUNCTION publicdigit.ensure_tenant() IS
    'true when a tenant is bound, an error when none is';

CREATE FUNCTION publicdigit.current_tenant()
    RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'pd_current_tenant';
COMMENT ON FUNCTION publicdigit.current_tenant() IS
    'slug of the bound tenant; NULL when none is bound';

CREATE FUNCTION publicdigit.context(OUT database name, OUT environment text,
        OUT connection text, OUT tenant_id uuid, OUT tenant text,
        OUT schema name, OUT search_path text, OUT role name,
        OUT sealed boolean, OUT source text)
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'pd_context';
COMMENT ON FUNCTION publicdigit.context() IS
    'one row that tells where this session stands';

-- What the app role and scripts call instead of nextval() and setval(); see
-- sequence.c.
CREATE FUNCTION publicdigit.guarded_nextval(sequence regclass)
    RETURNS bigint LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pd_guarded_nextval';
COMMENT ON FUNCTION publicdigit.guarded_nextval(regclass) IS
    'nextval() for who may reach the sequence now';
CREATE FUNCTION publicdigit.guarded_setval(sequence regclass, value bigint)
    RETURNS bigint LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pd_guarded_setval';
COMMENT ON FUNCTION publicdigit.guarded_setval(regclass, bigint) IS
    'setval() for who may reach the sequence now';
CREATE FUNCTION publicdigit.guarded_setval(sequence regclass, value bigint, is_called boolean)
    RETURNS bigint LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pd_guarded_setval';
COMMENT ON FUNCTION publicdigit.guarded_setval(regclass, bigint, boolean) IS
    'setval() for who may reach the sequence now';

CREATE FUNCTION publicdigit.environment() RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'pd_environment';
COMMENT ON FUNCTION publicdigit.environment() IS
    'the environment chosen by setup(): production or testing; NULL before setup()';


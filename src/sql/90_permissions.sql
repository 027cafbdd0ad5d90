-- PUBLIC may call only what tells a session about itself; setup() grants the
-- rest to the app and admin roles.
GRANT USAGE ON SCHEMA publicdigit TO PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA publicdigit FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA publicdigit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    publicdigit.current_tenant_id(),
    publicdigit.is_current_tenant(uuid),
    publicdigit.ensure_tenant(),
    publicdigit.current_tenant(),
    publicdigit.context(),
    publicdigit.environment(),
    publicdigit.guarded_nextval(regclass),
    publicdigit.guarded_setval(regclass, bigint),
    publicdigit.guarded_setval(regclass, bigint, boolean),
    publicdigit.forget_tenant()
    TO PUBLIC;
GRANT SELECT ON publicdigit.protected_tables TO PUBLIC;

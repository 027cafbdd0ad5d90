-- PUBLIC may call only what tells a session about itself; setup() grants the
-- rest to the app and admin roles.
GRANT USAGE ON SCHEMA publicdigit TO PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA publicdigit FROM PUBLIC;
-- Each query looks up the privileges of its policies' functions.  Default ones
-- are found several times as fast as a list, so what they give is not granted.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format(CASE WHEN is_public THEN 'GRANT EXECUTE ON FUNCTION %s TO PUBLIC'
                                          ELSE 'REVOKE ALL ON FUNCTION %s FROM PUBLIC' END,
                      signature)
        FROM (SELECT oid::regprocedure AS signature,
                     proname IN ('current_tenant_id', 'is_current_tenant', 'ensure_tenant',
                                 'current_tenant', 'context', 'environment', 'guarded_nextval',
                                 'guarded_setval', 'forget_tenant') AS is_public
              FROM pg_proc WHERE pronamespace = 'publicdigit'::regnamespace) AS f
        WHERE is_public <> has_function_privilege('public', signature, 'execute')
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
GRANT SELECT ON publicdigit.protected_tables, publicdigit.landlord_references TO PUBLIC;

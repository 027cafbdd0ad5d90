-- Roles and environment of this landlord database.

CREATE FUNCTION publicdigit.setup(owner name, app name,
                                  environment text DEFAULT 'production',
                                  admin name DEFAULT NULL)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_setup';
COMMENT ON FUNCTION publicdigit.setup(name, name, text, name) IS
    'makes the roles that are missing, the landlord''s schema, and the grants; may be called again';

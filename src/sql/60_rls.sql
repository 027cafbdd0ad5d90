-- Row-level security helpers.

CREATE FUNCTION publicdigit.protect_table(table_name regclass,
                                          tenant_column name DEFAULT 'tenant_id')
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_protect_table';
COMMENT ON FUNCTION publicdigit.protect_table(regclass, name) IS
    'puts a table under tenant row-level security';

CREATE FUNCTION publicdigit.unprotect_table(table_name regclass)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_unprotect_table';
COMMENT ON FUNCTION publicdigit.unprotect_table(regclass) IS
    'takes a table out of tenant row-level security';

CREATE FUNCTION publicdigit.share_table(table_name regclass)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_share_table';
COMMENT ON FUNCTION publicdigit.share_table(regclass) IS
    'lets every tenant read a landlord''s table, and none write it';

-- A partition or child made later is protected as its parent is.
CREATE FUNCTION publicdigit.protect_children() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_protect_children';
COMMENT ON FUNCTION publicdigit.protect_children() IS
    'event trigger: protects new partitions and children of protected tables';
CREATE EVENT TRIGGER publicdigit_protect_children ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE FOREIGN TABLE',
                 'ALTER FOREIGN TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION publicdigit.protect_children();


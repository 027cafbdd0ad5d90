-- References of tenants' tables to the landlord's tables.

-- Which tenants may have rows that refer to a key of a landlord's table: a key
-- of the landlord is looked for in the tables of these alone.  A tenant is
-- entered before its first such row, and stays when the last one goes, until
-- somebody deletes the key.  Nothing here is unique: two sessions of a tenant
-- that use a new key at the same time enter it twice, and neither waits.
CREATE TABLE publicdigit.landlord_reference_key (
    landlord_table pg_catalog.regclass NOT NULL,
    key            text COLLATE "C" NOT NULL,
    tenant_id      uuid NOT NULL
);
CREATE INDEX landlord_reference_key_landlord_idx
    ON publicdigit.landlord_reference_key (landlord_table, key);
CREATE INDEX landlord_reference_key_tenant_idx
    ON publicdigit.landlord_reference_key (tenant_id, landlord_table, key);
-- A publication of all tables would refuse to delete from it otherwise.
ALTER TABLE publicdigit.landlord_reference_key REPLICA IDENTITY FULL;
COMMENT ON TABLE publicdigit.landlord_reference_key IS
    'tenants that may have rows which refer to a key of a landlord''s table';
SELECT pg_catalog.pg_extension_config_dump('publicdigit.landlord_reference_key', '');

CREATE FUNCTION publicdigit.check_landlord_reference() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_check_landlord_reference';
COMMENT ON FUNCTION publicdigit.check_landlord_reference() IS
    'trigger: refuses a value that the landlord''s table does not have';

CREATE FUNCTION publicdigit.keep_landlord_key() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_keep_landlord_key';
COMMENT ON FUNCTION publicdigit.keep_landlord_key() IS
    'trigger: refuses to take away what tenants'' rows refer to';

CREATE FUNCTION publicdigit.reference_landlord(table_name regclass, column_name name,
                                               landlord_table regclass)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_reference_landlord';
COMMENT ON FUNCTION publicdigit.reference_landlord(regclass, name, regclass) IS
    'lets a column of a tenant''s table refer to a landlord''s table, as a foreign key does';

-- Not by a foreign key: its check would wait for sessions of the tenant that
-- wait for drop_tenant() to let go of their table.
CREATE FUNCTION publicdigit.forget_landlord_keys() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_forget_landlord_keys';
COMMENT ON FUNCTION publicdigit.forget_landlord_keys() IS
    'trigger: takes a dropped tenant out of landlord_reference_key';
CREATE TRIGGER forget_landlord_keys
    AFTER DELETE ON publicdigit.tenant
    FOR EACH ROW EXECUTE FUNCTION publicdigit.forget_landlord_keys();

-- A foreign key goes with its column; so does the trigger that stands for one,
-- a restored one too.
CREATE FUNCTION publicdigit.settle_landlord_references() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_settle_landlord_references';
COMMENT ON FUNCTION publicdigit.settle_landlord_references() IS
    'event trigger: lets a reference to the landlord go with its column';
CREATE EVENT TRIGGER publicdigit_settle_landlord_references ON ddl_command_end
    WHEN TAG IN ('CREATE TRIGGER')
    EXECUTE FUNCTION publicdigit.settle_landlord_references();

-- Read from the catalogs: the trigger is the reference.  Its condition names
-- column and landlord's table, so that both may be renamed.  One that was made by
-- hand, for some columns' updates only, is none.
CREATE VIEW publicdigit.landlord_references AS
    SELECT t.tgrelid::pg_catalog.regclass AS table_name,
           a.attname AS column_name,
           l.refobjid::pg_catalog.regclass AS landlord_table,
           t.tgname AS trigger_name
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_depend AS l
      ON l.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass
     AND l.objid = t.oid
     AND l.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND l.refobjid <> t.tgrelid
     AND l.refobjsubid = 0
    JOIN pg_catalog.pg_depend AS c
      ON c.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass
     AND c.objid = t.oid
     AND c.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND c.refobjid = t.tgrelid
     AND c.refobjsubid > 0
    JOIN pg_catalog.pg_attribute AS a
      ON a.attrelid = t.tgrelid AND a.attnum = c.refobjsubid
    WHERE t.tgfoid OPERATOR(pg_catalog.=) 'publicdigit.check_landlord_reference()'::pg_catalog.regprocedure
      AND t.tgparentid = 0
      AND t.tgattr::pg_catalog.text OPERATOR(pg_catalog.=) '';
COMMENT ON VIEW publicdigit.landlord_references IS
    'columns of tenants'' tables that refer to landlord''s tables';


-- Which objects a module has made, and what differs from what it would make.

-- By name, so that a dump restores under other OIDs, and without the schema,
-- which the tenant knows.  "migration" is set for what is dropped again as a whole,
-- in the reverse of the order in which it was made: what repeatable scripts and the
-- installer's script have made.
CREATE TABLE publicdigit.module_object (
    installation_id bigint NOT NULL
                    REFERENCES publicdigit.installation ON DELETE CASCADE,
    type            text NOT NULL,
    identity        text NOT NULL,
    migration       text,
    position        bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (installation_id, type, identity)
);
COMMENT ON TABLE publicdigit.module_object IS 'objects that installed modules have made, by type and name as pg_identify_object() has them';
SELECT pg_catalog.pg_extension_config_dump('publicdigit.module_object', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.module_object_position_seq', '');

CREATE FUNCTION publicdigit.fingerprint(tenant text, module text)
    RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'pd_fingerprint';
COMMENT ON FUNCTION publicdigit.fingerprint(text, text) IS
    'checksum of the definitions of all that an installed module consists of';
CREATE FUNCTION publicdigit.fingerprint(tenant uuid, module text)
    RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'pd_fingerprint_by_id';
COMMENT ON FUNCTION publicdigit.fingerprint(uuid, text) IS
    'checksum of the definitions of all that an installed module consists of';

CREATE FUNCTION publicdigit.check_drift(tenant text DEFAULT NULL,
        OUT tenant text, OUT module text, OUT difference text, OUT object text,
        OUT expected text, OUT actual text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_check_drift';
COMMENT ON FUNCTION publicdigit.check_drift(text) IS
    'what is otherwise than the installed versions would make it, for a tenant, or for all and the landlord';
CREATE FUNCTION publicdigit.check_drift(tenant uuid,
        OUT tenant text, OUT module text, OUT difference text, OUT object text,
        OUT expected text, OUT actual text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_check_drift_by_id';
COMMENT ON FUNCTION publicdigit.check_drift(uuid) IS
    'what is otherwise than the installed versions would make it, for a tenant';

-- The installer gives tenant_id its default and NOT NULL, and the table its
-- row-level security.  Every key holds tenant_id, so that the table can also
-- stand beside other tenants' rows.
CREATE TABLE members (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id    uuid,
    full_name    text NOT NULL CHECK (full_name <> ''),
    email        text NOT NULL CHECK (email LIKE '_%@_%'),
    country_code char(2),
    joined_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, id)
);
COMMENT ON TABLE members IS 'the people who belong to this tenant';
COMMENT ON COLUMN members.country_code IS 'code of a country of module geography';
-- The landlord's countries, as by a foreign key.
SELECT publicdigit.reference_landlord('members', 'country_code', 'countries');

-- The installer gives tenant_id its default and NOT NULL, and the table its
-- row-level security.
CREATE TABLE @TABLE@ (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id  uuid,
    title      text NOT NULL CHECK (title <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, title)
);
COMMENT ON TABLE @TABLE@ IS 'to start from';

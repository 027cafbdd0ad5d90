-- A module of fifty tables, each with keys, a foreign key, checks, an index and a comment.
SELECT publicdigit.register_module(jsonb_build_object(
    'name', 'bench_large',
    'version', '1.0.0',
    'context', 'tenant',
    'tables', (SELECT jsonb_object_agg(format('t%s', n), 'tenant') FROM generate_series(0, 49) AS n),
    'scripts', jsonb_build_object('migrations/tenant/0001_create_tables.up.sql', (
        SELECT string_agg(format($$
CREATE TABLE t%1$s (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    name text NOT NULL CHECK (name <> ''),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    amount numeric(12, 2),
    parent_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES t%2$s (tenant_id, id)
);
CREATE INDEX t%1$s_parent_idx ON t%1$s (tenant_id, parent_id);
COMMENT ON TABLE t%1$s IS 'table %1$s';
$$, n, greatest(n - 1, 0)), '' ORDER BY n) FROM generate_series(0, 49) AS n))));
SELECT publicdigit.create_tenant(slug) FROM unnest(ARRAY['large'] || ARRAY(SELECT format('other-%s', n) FROM generate_series(1, 9) AS n)) AS slug;
SELECT publicdigit.install_module('bench_large', slug) FROM publicdigit.tenants;

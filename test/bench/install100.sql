-- A module of 100 tables in 20 migrations, with keys, foreign keys, checks and
-- indexes.
GRANT pg_read_all_stats TO bench_ops;

SELECT publicdigit.register_module(jsonb_build_object(
    'name', 'bench_hundred',
    'title', 'A hundred tables',
    'version', '1.0.0',
    'context', 'tenant',
    'tables', (SELECT jsonb_object_agg(format('t_%s', n), 'tenant') FROM generate_series(1, 100) AS n),
    'scripts', (SELECT jsonb_object_agg(format('migrations/tenant/%s_create.up.sql', to_char(script, 'FM0000')), tables)
                FROM (SELECT (n + 4) / 5 AS script, string_agg(format($$
CREATE TABLE t_%1$s (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    parent_id uuid,
    name text NOT NULL CHECK (name <> ''),
    amount numeric(12, 2) NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES t_%2$s (tenant_id, id)
);
CREATE INDEX t_%1$s_parent_idx ON t_%1$s (tenant_id, parent_id);
$$, n, greatest(n - 1, 1)), '' ORDER BY n) AS tables
                      FROM generate_series(1, 100) AS n GROUP BY 1) AS s)));

-- What the plain side's script is made from.
SELECT publicdigit.create_tenant('hundred-0');
SELECT publicdigit.install_module('bench_hundred', 'hundred-0');

-- A module of a table, of which the next version has ten columns more, installed for
-- :tenants tenants.
SELECT publicdigit.register_module(jsonb_build_object(
    'name', 'bench_stock',
    'title', 'One table',
    'version', version,
    'context', 'tenant',
    'tables', jsonb_build_object('stock', 'tenant'),
    'scripts', jsonb_object_agg(path, script)))
FROM (VALUES ('1.0.0', 'migrations/tenant/0001_create_stock.up.sql', $$
CREATE TABLE stock (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name)
);
$$), ('1.1.0', 'migrations/tenant/0002_add_columns.up.sql', $$
ALTER TABLE stock ADD COLUMN sku text;
ALTER TABLE stock ADD COLUMN title text;
ALTER TABLE stock ADD COLUMN quantity integer NOT NULL DEFAULT 0;
ALTER TABLE stock ADD COLUMN weight numeric;
ALTER TABLE stock ADD COLUMN width integer;
ALTER TABLE stock ADD COLUMN height integer;
ALTER TABLE stock ADD COLUMN price numeric(12, 2);
ALTER TABLE stock ADD COLUMN is_sold boolean NOT NULL DEFAULT false;
ALTER TABLE stock ADD COLUMN sold_at timestamptz;
ALTER TABLE stock ADD COLUMN remarks text;
$$)) AS s (since, path, script)
JOIN unnest(ARRAY['1.0.0', '1.1.0']) AS version ON since <= version
GROUP BY version
ORDER BY version;

SELECT publicdigit.create_tenant(format('stock-%s', n)) FROM generate_series(0, :tenants) AS n;
SELECT publicdigit.install_module('bench_stock', format('stock-%s', n), '1.0.0')
FROM generate_series(0, :tenants) AS n;

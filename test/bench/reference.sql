-- 2,000 tenants with a table that refers to a table of the landlord, and as many
-- plain schemas with a table that has a real foreign key.
SET client_min_messages = warning;

CREATE TABLE landlord.country (code text PRIMARY KEY, name text);
INSERT INTO landlord.country SELECT 'C' || n, 'Country ' || n FROM generate_series(1, 200) AS n;
ALTER TABLE landlord.country OWNER TO bench_owner;
SELECT publicdigit.share_table('landlord.country');
CREATE SCHEMA plain;
CREATE TABLE plain.country (LIKE landlord.country INCLUDING INDEXES);
INSERT INTO plain.country TABLE landlord.country;

SELECT publicdigit.register_module($${
    "name": "bench_people",
    "version": "1.0.0",
    "context": "tenant",
    "tables": {"people": "tenant"},
    "scripts": {"migrations/tenant/0001_create_people.up.sql":
        "CREATE TABLE people (id bigint, tenant_id uuid, country text); SELECT publicdigit.reference_landlord('people', 'country', 'country');"}
}$$::jsonb);
SELECT unnest(ARRAY[
    format('SELECT publicdigit.create_tenant(''refer-%1$s'')', n),
    format('SELECT publicdigit.install_module(''bench_people'', ''refer-%1$s'')', n),
    format('INSERT INTO tenant_refer_%1$s.people SELECT n, id, ''C'' || n FROM publicdigit.tenants, generate_series(1, 3) AS n WHERE slug = ''refer-%1$s''', n),
    format('CREATE SCHEMA plain_refer_%s CREATE TABLE people (id bigint, tenant_id uuid, country text REFERENCES plain.country)', n),
    format('INSERT INTO plain_refer_%s.people SELECT n, NULL, ''C'' || n FROM generate_series(1, 3) AS n', n)])
FROM generate_series(1, 2000) AS n
\gexec

-- Many keys, which one tenant has not used before.
CREATE TABLE landlord.product (id bigint PRIMARY KEY);
INSERT INTO landlord.product SELECT generate_series(1, 100000);
SELECT publicdigit.share_table('landlord.product');
CREATE TABLE plain.product (id bigint PRIMARY KEY);
INSERT INTO plain.product TABLE landlord.product;
CREATE TABLE tenant_refer_1.items (id bigint);
SELECT publicdigit.reference_landlord('tenant_refer_1.items', 'id', 'landlord.product');
CREATE TABLE plain_refer_1.items (id bigint REFERENCES plain.product);

-- Nobody refers to these.
INSERT INTO landlord.country SELECT 'X' || n, 'Unused ' || n FROM generate_series(1, 100) AS n;
INSERT INTO plain.country SELECT 'X' || n, 'Unused ' || n FROM generate_series(1, 100) AS n;
VACUUM ANALYZE landlord.country, plain.country, landlord.product, plain.product, publicdigit.landlord_reference_key;

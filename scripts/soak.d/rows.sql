-- The rows of tenant :tenant, put back as they were.  Texts hold
-- "marker-of-TENANT", and ids begin with :key, so that whoever sees a row in
-- what a query returns knows whose it is.
\set ON_ERROR_STOP on
BEGIN;
SELECT id AS tenant_id, schema_name AS schema FROM publicdigit.tenants WHERE slug = :'tenant' \gset
SELECT id AS other_id, slug AS other FROM publicdigit.tenants WHERE slug <> :'tenant' \gset
SET LOCAL search_path = :schema, landlord, pg_temp;
-- A reference may be to a row that was given another id.
SET LOCAL session_replication_role = replica;

DELETE FROM digital_cards WHERE tenant_id = :'tenant_id';
DELETE FROM members WHERE tenant_id = :'tenant_id';
INSERT INTO members (id, tenant_id, full_name, email, country_code)
SELECT format('%s-%s', :'key', lpad(i::text, 12, '0'))::uuid, :'tenant_id',
       format('marker-of-%s-name-%s', :'tenant', i),
       format('marker-of-%s-%s@example.org', :'tenant', i), 'NP'
FROM generate_series(1, 20) AS i;
INSERT INTO digital_cards (id, tenant_id, member_id, card_number)
SELECT id, :'tenant_id', id, format('marker-of-%s-card', full_name)
FROM members WHERE tenant_id = :'tenant_id';

DELETE FROM notes WHERE tenant_id = :'tenant_id';
DELETE FROM comments WHERE tenant_id = :'tenant_id';
DELETE FROM events WHERE tenant_id = :'tenant_id';
DELETE FROM queues WHERE tenant_id = :'tenant_id';
INSERT INTO notes (id, tenant_id, number, size, price, weight, pinned, title, tags, details,
                   due, other, other_id)
SELECT id, :'tenant_id', row_number() OVER (ORDER BY id), 1000, 9.5, 0.5, id::text LIKE '%1',
       full_name, ARRAY[full_name, 'tag'], jsonb_build_object('name', full_name),
       '2026-01-05', :'other', :'other_id'
FROM members WHERE tenant_id = :'tenant_id';
INSERT INTO old_notes SELECT * FROM notes WHERE tenant_id = :'tenant_id' LIMIT 2;
INSERT INTO comments SELECT tenant_id, id, title FROM ONLY notes WHERE tenant_id = :'tenant_id';
INSERT INTO events SELECT tenant_id, number, date '2026-01-01' + number, title, other_id
FROM notes WHERE tenant_id = :'tenant_id';
INSERT INTO queues SELECT tenant_id, number, title, other_id
FROM notes WHERE tenant_id = :'tenant_id';
COMMIT;

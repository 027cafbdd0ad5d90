-- A million rows of 1,000 tenants, and the same without row security.
CREATE TABLE landlord.events (id bigint, tenant_id uuid, payload text);
INSERT INTO landlord.events
    SELECT n, t.id, 'event ' || n
    FROM generate_series(1, 1000000) AS n
    JOIN (SELECT id, row_number() OVER (ORDER BY slug) AS number
          FROM publicdigit.tenants) AS t ON t.number = n % 1000 + 1
    ORDER BY n;
CREATE TABLE landlord.events_plain AS TABLE landlord.events;

CREATE INDEX ON landlord.events (tenant_id);
CREATE INDEX ON landlord.events_plain (tenant_id);
ALTER TABLE landlord.events OWNER TO bench_owner;
ALTER TABLE landlord.events_plain OWNER TO bench_owner;
GRANT SELECT ON landlord.events, landlord.events_plain TO bench_app;
SELECT publicdigit.protect_table('landlord.events');
VACUUM ANALYZE landlord.events, landlord.events_plain;

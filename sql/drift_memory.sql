-- A drift check of all tenants gives back what it has read of each.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
-- The last tenant has a module of its own, whose script looks when the others have been looked at.
SELECT module('many', '1.0.0', (SELECT jsonb_object_agg(to_char(n, 'FM0000') || '_m.up', format('CREATE TABLE m%s (id serial PRIMARY KEY, tenant_id uuid, a int, b int)', n)) FROM generate_series(1, 5) AS n)),
       module('probe', '1.0.0', jsonb_build_object('0001_probe.up', $$DO 'DECLARE held bigint := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name ~ ''^(SPI|publicdigit)'');
    BEGIN IF held > 3000000 THEN RAISE EXCEPTION ''% bytes are held'', held; END IF; END'$$));
GRANT SELECT ON pg_backend_memory_contexts TO regress_owner;
GRANT EXECUTE ON FUNCTION pg_get_backend_memory_contexts TO regress_owner;
SELECT count(publicdigit.create_tenant('t' || n)) FROM generate_series(100, 199) AS n;
SELECT publicdigit.create_tenant('zzz') IS NOT NULL;
SELECT count(*) FROM publicdigit.tenants AS t, LATERAL (SELECT publicdigit.install_module('many', t.slug)) AS i;
SELECT publicdigit.install_module('probe', 'zzz');
SELECT * FROM publicdigit.check_drift();
REVOKE SELECT ON pg_backend_memory_contexts FROM regress_owner;
REVOKE EXECUTE ON FUNCTION pg_get_backend_memory_contexts FROM regress_owner;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

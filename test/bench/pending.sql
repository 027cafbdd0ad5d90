-- :tenants tenants, each with five modules of :migrations migrations.
--
-- One tenant has them by install_module.  The others have the rows that it leaves in
-- the registry, and no tables: 10,000 installations take minutes, and nothing that is
-- measured looks at a tenant's schema.
SELECT publicdigit.register_module(jsonb_build_object(
    'name', format('bench_module_%s', m),
    'title', 'Migrations that do nothing',
    'version', '1.0.0',
    'context', 'tenant',
    'scripts', (SELECT jsonb_object_agg(format('migrations/tenant/%s_step.up.sql', to_char(n, 'FM0000')),
                                        format('SELECT %s', n))
                FROM generate_series(1, :migrations) AS n)))
FROM generate_series(1, 5) AS m;

SELECT publicdigit.create_tenant('pending-1');
SELECT publicdigit.install_module(format('bench_module_%s', m), 'pending-1')
FROM generate_series(1, 5) AS m;

SELECT publicdigit.create_tenant(format('pending-%s', n)) FROM generate_series(2, :tenants) AS n;
INSERT INTO publicdigit.installation (context, tenant_id, module, version_id, head)
SELECT i.context, t.id, i.module, i.version_id, i.head
FROM publicdigit.installation AS i
CROSS JOIN publicdigit.tenant AS t
WHERE t.slug <> 'pending-1'
ORDER BY t.id, i.id;
INSERT INTO publicdigit.tenant_migration
    (installation_id, migration, version, batch, checksum, statements, duration)
SELECT o.id, m.migration, m.version, m.batch, m.checksum, m.statements, m.duration
FROM publicdigit.installation AS o
JOIN publicdigit.tenant AS t ON t.id = o.tenant_id AND t.slug <> 'pending-1'
JOIN publicdigit.installation AS i ON i.module = o.module
JOIN publicdigit.tenant AS f ON f.id = i.tenant_id AND f.slug = 'pending-1'
JOIN publicdigit.tenant_migration AS m ON m.installation_id = i.id
ORDER BY o.id, m.position;

VACUUM ANALYZE;

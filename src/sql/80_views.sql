-- What users read.

-- A join, so that nobody deletes tenants by the view: it has no drop_tenant() in it.
CREATE VIEW publicdigit.tenants AS
    SELECT t.id, t.slug, t.name, t.status, t.placement, t.schema_name, t.created_at
    FROM publicdigit.tenant AS t
    JOIN publicdigit.tenant_schema AS s ON s.schema_name = t.schema_name;
COMMENT ON VIEW publicdigit.tenants IS 'the tenants';

CREATE VIEW publicdigit.domains AS
    SELECT d.domain, d.tenant_id, t.slug AS tenant
    FROM publicdigit.domain AS d
    JOIN publicdigit.tenant AS t ON t.id = d.tenant_id;
COMMENT ON VIEW publicdigit.domains IS 'host names and their tenants';

CREATE VIEW publicdigit.tenant_access AS
    SELECT a.role_name AS role, coalesce(t.slug, '*') AS tenant, a.token_only
    FROM publicdigit.access AS a
    LEFT JOIN publicdigit.tenant AS t ON t.id = a.tenant_id;
COMMENT ON VIEW publicdigit.tenant_access IS 'roles that may enter a tenant; * is every tenant';

CREATE VIEW publicdigit.modules AS
    SELECT v.module, v.version, m.context, v.title, v.checksum,
           v.registered_at, v.registered_by
    FROM publicdigit.module_version AS v
    JOIN publicdigit.module AS m ON m.name = v.module;
COMMENT ON VIEW publicdigit.modules IS 'registered versions of modules';

CREATE VIEW publicdigit.module_installations AS
    SELECT i.tenant_id, t.slug AS tenant, i.module, v.version, i.status,
           i.installed_at, i.installed_by
    FROM publicdigit.installation AS i
    JOIN publicdigit.module_version AS v ON v.id = i.version_id
    LEFT JOIN publicdigit.tenant AS t ON t.id = i.tenant_id;
COMMENT ON VIEW publicdigit.module_installations IS
    'installed modules; tenant is NULL for the landlord';

CREATE VIEW publicdigit.migrations AS
    SELECT l.context, NULL::uuid AS tenant_id, NULL::text AS tenant, i.module,
           l.migration, l.version, l.batch, l.checksum, l.applied_at,
           l.applied_by, l.duration
    FROM publicdigit.landlord_migration AS l
    JOIN publicdigit.installation AS i ON i.id = l.installation_id
    UNION ALL
    SELECT l.context, i.tenant_id, t.slug, i.module,
           l.migration, l.version, l.batch, l.checksum, l.applied_at,
           l.applied_by, l.duration
    FROM publicdigit.tenant_migration AS l
    JOIN publicdigit.installation AS i ON i.id = l.installation_id
    JOIN publicdigit.tenant AS t ON t.id = i.tenant_id;
COMMENT ON VIEW publicdigit.migrations IS 'migrations that are applied now';

CREATE VIEW publicdigit.migration_events AS
    SELECT e.id, e.at, e.action, e.context, e.tenant_id, e.tenant, e.module,
           e.migration, e.version, e.batch, e.checksum, e.former_checksum,
           e.duration, e.by, e.reason, e.head
    FROM publicdigit.migration_event AS e;
COMMENT ON VIEW publicdigit.migration_events IS 'all that ever happened to migrations';

-- Read from the catalogs, so that it cannot tell of what is not there.
CREATE VIEW publicdigit.protected_tables AS
    SELECT DISTINCT p.polrelid::pg_catalog.regclass AS table_name,
           a.attname AS tenant_column
    FROM pg_catalog.pg_policy AS p
    JOIN pg_catalog.pg_depend AS d
      ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass
     AND d.objid = p.oid
     AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND d.refobjid = p.polrelid
     AND d.refobjsubid > 0
    JOIN pg_catalog.pg_attribute AS a
      ON a.attrelid = p.polrelid AND a.attnum = d.refobjsubid
    WHERE p.polname = 'publicdigit_tenant'
      AND NOT p.polpermissive;
COMMENT ON VIEW publicdigit.protected_tables IS
    'tables under tenant row-level security, and their tenant column';


-- Migrations, whatever their modules.

CREATE FUNCTION publicdigit.pending_migrations(tenant text DEFAULT NULL,
        OUT context text, OUT tenant_id uuid, OUT tenant text, OUT module name,
        OUT migration text, OUT version text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_pending_migrations';
COMMENT ON FUNCTION publicdigit.pending_migrations(text) IS
    'what the highest registered versions have that is not applied, for a tenant, or for all and the landlord; migration is NULL where nothing has to run';
CREATE FUNCTION publicdigit.pending_migrations(tenant uuid,
        OUT context text, OUT tenant_id uuid, OUT tenant text, OUT module name,
        OUT migration text, OUT version text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_pending_migrations_by_id';
COMMENT ON FUNCTION publicdigit.pending_migrations(uuid) IS
    'what the highest registered versions have that is not applied, for a tenant; migration is NULL where nothing has to run';

CREATE FUNCTION publicdigit.migrate_landlord()
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_migrate_landlord';
COMMENT ON FUNCTION publicdigit.migrate_landlord() IS
    'brings the landlord''s modules to their highest versions; returns how many migrations were applied';

CREATE FUNCTION publicdigit.migrate_tenant(tenant text)
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_migrate_tenant';
COMMENT ON FUNCTION publicdigit.migrate_tenant(text) IS
    'brings a tenant''s modules to their highest versions; returns how many migrations were applied';
CREATE FUNCTION publicdigit.migrate_tenant(tenant uuid)
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_migrate_tenant_by_id';
COMMENT ON FUNCTION publicdigit.migrate_tenant(uuid) IS
    'brings a tenant''s modules to their highest versions; returns how many migrations were applied';

CREATE FUNCTION publicdigit.rollback_landlord(batches integer DEFAULT 1)
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_rollback_landlord';
COMMENT ON FUNCTION publicdigit.rollback_landlord(integer) IS
    'undoes the landlord''s last batches of migrations; returns how many migrations that were';

CREATE FUNCTION publicdigit.rollback_tenant(tenant text, batches integer DEFAULT 1)
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_rollback_tenant';
COMMENT ON FUNCTION publicdigit.rollback_tenant(text, integer) IS
    'undoes a tenant''s last batches of migrations; returns how many migrations that were';
CREATE FUNCTION publicdigit.rollback_tenant(tenant uuid, batches integer DEFAULT 1)
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_rollback_tenant_by_id';
COMMENT ON FUNCTION publicdigit.rollback_tenant(uuid, integer) IS
    'undoes a tenant''s last batches of migrations; returns how many migrations that were';

CREATE FUNCTION publicdigit.accept_migration(module text, migration text, tenant text, reason text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_accept_migration';
COMMENT ON FUNCTION publicdigit.accept_migration(text, text, text, text) IS
    'accepts a harmless change of the script of a migration that is applied, and keeps the reason';
CREATE FUNCTION publicdigit.accept_migration(module text, migration text, tenant uuid, reason text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_accept_migration_by_id';
COMMENT ON FUNCTION publicdigit.accept_migration(text, text, uuid, text) IS
    'accepts a harmless change of the script of a migration that is applied, and keeps the reason';

CREATE FUNCTION publicdigit.baseline_module(module text, tenant text, version text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_baseline_module';
COMMENT ON FUNCTION publicdigit.baseline_module(text, text, text) IS
    'enters a version as installed whose tables are there already, just as it would have made them';
CREATE FUNCTION publicdigit.baseline_module(module text, tenant uuid, version text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_baseline_module_by_id';
COMMENT ON FUNCTION publicdigit.baseline_module(text, uuid, text) IS
    'enters a version as installed whose tables are there already, just as it would have made them';

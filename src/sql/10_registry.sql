-- Operators are written with their schema where the server's own have other types
-- than the operands: the path that this runs under has the schema of semver in it,
-- where others may have put operators that fit better.

-- The registry: what the landlord knows of tenants, domains, modules and
-- installations.  Roles and schemas are stored by name, so that a dump
-- restores under other OIDs.  Users read the views of 80_views.sql; only the
-- extension's functions write here.

-- What setup() decided; one row at most.
CREATE TABLE publicdigit.setting (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    owner_role  name NOT NULL,
    app_role    name NOT NULL,
    admin_role  name,
    environment text NOT NULL CHECK (environment IN ('production', 'testing')),
    CHECK (owner_role <> app_role),
    CHECK (admin_role <> owner_role AND admin_role <> app_role)
);
COMMENT ON TABLE publicdigit.setting IS 'roles and environment chosen by setup()';

-- Every schema name that ever was a tenant's.  Rows are never deleted: a name
-- used again could let an old session's search_path read another tenant.
CREATE TABLE publicdigit.tenant_schema (
    schema_name name PRIMARY KEY CHECK (schema_name OPERATOR(pg_catalog.~) '^tenant_[a-z0-9_]+$')
);
COMMENT ON TABLE publicdigit.tenant_schema IS 'schema names that are or were a tenant''s, never used again';

CREATE TABLE publicdigit.tenant (
    id          uuid CONSTRAINT tenant_pkey PRIMARY KEY
                DEFAULT pg_catalog.gen_random_uuid(),
    slug        text NOT NULL CONSTRAINT tenant_slug_key UNIQUE
                CHECK (slug ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' AND octet_length(slug) <= 50),
    name        text NOT NULL CHECK (name <> ''),
    status      text NOT NULL DEFAULT 'active'
                CHECK (status IN ('active', 'suspended', 'archived')),
    placement   text NOT NULL DEFAULT 'schema' CHECK (placement = 'schema'),
    schema_name name NOT NULL UNIQUE REFERENCES publicdigit.tenant_schema,
    created_at  timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE publicdigit.tenant IS 'the landlord''s tenants';

-- Host names, in lower case, "*.example.org" for every name below a domain.
CREATE TABLE publicdigit.domain (
    domain    text CONSTRAINT domain_pkey PRIMARY KEY
              CHECK (octet_length(domain) <= 253
                     AND domain ~ '^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$'),
    tenant_id uuid NOT NULL REFERENCES publicdigit.tenant ON DELETE CASCADE
);
CREATE INDEX domain_tenant_id_idx ON publicdigit.domain (tenant_id);
COMMENT ON TABLE publicdigit.domain IS 'host names by which tenants are found';

-- Who may enter which tenant; tenant_id NULL stands for every tenant.
CREATE TABLE publicdigit.access (
    role_name  name NOT NULL,
    tenant_id  uuid REFERENCES publicdigit.tenant ON DELETE CASCADE,
    token_only boolean NOT NULL DEFAULT false,
    CONSTRAINT access_tenant_id_role_name_key
        UNIQUE NULLS NOT DISTINCT (tenant_id, role_name)
);
COMMENT ON TABLE publicdigit.access IS 'roles that may enter a tenant, or all of them';

CREATE TABLE publicdigit.module (
    name    name PRIMARY KEY CHECK (name OPERATOR(pg_catalog.~) '^[a-z][a-z0-9_]*$'),
    context text NOT NULL CHECK (context IN ('landlord', 'tenant')),
    UNIQUE (name, context)
);
COMMENT ON TABLE publicdigit.module IS 'names of registered modules; every version of one has the same context';

CREATE TABLE publicdigit.module_version (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    module        name NOT NULL REFERENCES publicdigit.module,
    version       semver NOT NULL,
    title         text NOT NULL,
    manifest      jsonb NOT NULL CHECK (jsonb_typeof(manifest) = 'object'),
    checksum      text NOT NULL CHECK (checksum ~ '^sha256:[0-9a-f]{64}$'),
    head          text NOT NULL CHECK (head ~ '^sha256:[0-9a-f]{64}$'),
    registered_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    registered_by name NOT NULL DEFAULT session_user,
    UNIQUE (module, version),
    UNIQUE (id, module)
);
COMMENT ON TABLE publicdigit.module_version IS 'registered versions of modules with their manifests';

CREATE TABLE publicdigit.module_script (
    version_id bigint NOT NULL REFERENCES publicdigit.module_version ON DELETE CASCADE,
    path       text NOT NULL,
    kind       text NOT NULL
               CHECK (kind IN ('up', 'down', 'verify', 'repeatable', 'installer', 'seed')),
    migration  text CHECK ((migration IS NULL) = (kind = 'seed')),
    content    text NOT NULL,
    checksum   text NOT NULL CHECK (checksum ~ '^sha256:[0-9a-f]{64}$'),
    statements text NOT NULL CHECK (statements ~ '^sha256:[0-9a-f]{64}$'),
    PRIMARY KEY (version_id, path)
);
COMMENT ON TABLE publicdigit.module_script IS 'the scripts of registered versions, as they were at registration';

-- tenant_id is NULL for the landlord.  "head" is that of the chain over what is
-- applied (see chain.c): that of the version where nothing is pending.  What has
-- happened to an installation is what happened from "installed_at" on, which is
-- therefore not when the transaction began.
CREATE TABLE publicdigit.installation (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    context      text NOT NULL,
    tenant_id    uuid REFERENCES publicdigit.tenant ON DELETE CASCADE,
    module       name NOT NULL,
    version_id   bigint NOT NULL,
    status       text NOT NULL DEFAULT 'installed'
                 CHECK (status IN ('installed', 'disabled', 'archived')),
    head         text NOT NULL CHECK (head ~ '^sha256:[0-9a-f]{64}$'),
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    installed_by name NOT NULL DEFAULT session_user,
    CHECK ((context = 'tenant') = (tenant_id IS NOT NULL)),
    FOREIGN KEY (module, context) REFERENCES publicdigit.module (name, context),
    FOREIGN KEY (version_id, module) REFERENCES publicdigit.module_version (id, module),
    UNIQUE NULLS NOT DISTINCT (tenant_id, module),
    UNIQUE (id, context)
);
CREATE INDEX installation_version_id_idx ON publicdigit.installation (version_id);
-- To forget a module asks whether it is installed anywhere.
CREATE INDEX installation_module_idx ON publicdigit.installation (module, context);
COMMENT ON TABLE publicdigit.installation IS 'modules installed for a tenant, or once for the landlord';

-- The two ledgers live apart.  "context" is there only so that a landlord's
-- installation cannot stand in a tenant's ledger, nor the reverse.  "position" is
-- the order in which migrations were applied, whatever their module.
CREATE TABLE publicdigit.landlord_migration (
    installation_id bigint NOT NULL,
    context         text NOT NULL DEFAULT 'landlord' CHECK (context = 'landlord'),
    migration       text NOT NULL,
    version         semver NOT NULL,
    batch           integer NOT NULL CHECK (batch > 0),
    position        bigint GENERATED ALWAYS AS IDENTITY,
    checksum        text NOT NULL CHECK (checksum ~ '^sha256:[0-9a-f]{64}$'),
    statements      text NOT NULL CHECK (statements ~ '^sha256:[0-9a-f]{64}$'),
    applied_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    applied_by      name NOT NULL DEFAULT session_user,
    duration        interval NOT NULL,
    PRIMARY KEY (installation_id, migration),
    FOREIGN KEY (installation_id, context)
        REFERENCES publicdigit.installation (id, context) ON DELETE CASCADE
);
COMMENT ON TABLE publicdigit.landlord_migration IS 'migrations applied to the landlord';

CREATE TABLE publicdigit.tenant_migration (
    installation_id bigint NOT NULL,
    context         text NOT NULL DEFAULT 'tenant' CHECK (context = 'tenant'),
    migration       text NOT NULL,
    version         semver NOT NULL,
    batch           integer NOT NULL CHECK (batch > 0),
    position        bigint GENERATED ALWAYS AS IDENTITY,
    checksum        text NOT NULL CHECK (checksum ~ '^sha256:[0-9a-f]{64}$'),
    statements      text NOT NULL CHECK (statements ~ '^sha256:[0-9a-f]{64}$'),
    applied_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    applied_by      name NOT NULL DEFAULT session_user,
    duration        interval NOT NULL,
    PRIMARY KEY (installation_id, migration),
    FOREIGN KEY (installation_id, context)
        REFERENCES publicdigit.installation (id, context) ON DELETE CASCADE
);
COMMENT ON TABLE publicdigit.tenant_migration IS 'migrations applied to tenants';

-- All that ever happened to migrations.  Rows are only added, and name tenants and
-- modules that may be gone.  "head" is the installation's after it; that of an
-- empty chain once nothing is applied.
CREATE TABLE publicdigit.migration_event (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    action          text NOT NULL
                    CHECK (action IN ('applied', 'undone', 'baselined', 'accepted', 'discarded')),
    context         text NOT NULL CHECK (context IN ('landlord', 'tenant')),
    tenant_id       uuid CHECK ((context = 'tenant') = (tenant_id IS NOT NULL)),
    tenant          text,
    module          name NOT NULL,
    version         text NOT NULL,
    migration       text NOT NULL,
    batch           integer NOT NULL,
    checksum        text NOT NULL,
    former_checksum text,
    duration        interval,
    by              name NOT NULL DEFAULT session_user,
    reason          text,
    head            text NOT NULL
);
CREATE INDEX migration_event_tenant_id_module_idx
    ON publicdigit.migration_event (tenant_id, module);
COMMENT ON TABLE publicdigit.migration_event IS 'all that ever happened to migrations';

CREATE TABLE publicdigit.seed (
    installation_id bigint NOT NULL
                    REFERENCES publicdigit.installation ON DELETE CASCADE,
    path            text NOT NULL,
    checksum        text NOT NULL CHECK (checksum ~ '^sha256:[0-9a-f]{64}$'),
    seeded_at       timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    seeded_by       name NOT NULL DEFAULT session_user,
    PRIMARY KEY (installation_id, path)
);
COMMENT ON TABLE publicdigit.seed IS 'seed scripts that have run; none runs twice';

-- All of it is the user's data, which pg_dump has to save.
SELECT pg_catalog.pg_extension_config_dump('publicdigit.setting', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.tenant_schema', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.tenant', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.domain', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.access', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.module', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.module_version', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.module_version_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.module_script', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.installation', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.installation_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.landlord_migration', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.landlord_migration_position_seq', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.tenant_migration', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.tenant_migration_position_seq', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.migration_event', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.migration_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('publicdigit.seed', '');

-- Backends cache tenants and access grants.  Any change of these tables, by
-- whatever statement, makes every backend read them again.  ENABLE ALWAYS and
-- FOR EACH ROW: also when a logical replication worker applies the change.
CREATE FUNCTION publicdigit.invalidate_registry() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pd_invalidate_registry';
REVOKE ALL ON FUNCTION publicdigit.invalidate_registry() FROM PUBLIC;
COMMENT ON FUNCTION publicdigit.invalidate_registry() IS
    'trigger: makes all sessions read the registry again';

CREATE TRIGGER invalidate_registry
    AFTER INSERT OR UPDATE OR DELETE ON publicdigit.setting
    FOR EACH ROW EXECUTE FUNCTION publicdigit.invalidate_registry();
CREATE TRIGGER invalidate_registry_truncate
    AFTER TRUNCATE ON publicdigit.setting
    FOR EACH STATEMENT EXECUTE FUNCTION publicdigit.invalidate_registry();
CREATE TRIGGER invalidate_registry
    AFTER INSERT OR UPDATE OR DELETE ON publicdigit.tenant
    FOR EACH ROW EXECUTE FUNCTION publicdigit.invalidate_registry();
CREATE TRIGGER invalidate_registry_truncate
    AFTER TRUNCATE ON publicdigit.tenant
    FOR EACH STATEMENT EXECUTE FUNCTION publicdigit.invalidate_registry();
CREATE TRIGGER invalidate_registry
    AFTER INSERT OR UPDATE OR DELETE ON publicdigit.access
    FOR EACH ROW EXECUTE FUNCTION publicdigit.invalidate_registry();
CREATE TRIGGER invalidate_registry_truncate
    AFTER TRUNCATE ON publicdigit.access
    FOR EACH STATEMENT EXECUTE FUNCTION publicdigit.invalidate_registry();
ALTER TABLE publicdigit.setting ENABLE ALWAYS TRIGGER invalidate_registry,
    ENABLE ALWAYS TRIGGER invalidate_registry_truncate;
ALTER TABLE publicdigit.tenant ENABLE ALWAYS TRIGGER invalidate_registry,
    ENABLE ALWAYS TRIGGER invalidate_registry_truncate;
ALTER TABLE publicdigit.access ENABLE ALWAYS TRIGGER invalidate_registry,
    ENABLE ALWAYS TRIGGER invalidate_registry_truncate;


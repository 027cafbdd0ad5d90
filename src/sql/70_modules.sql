-- Modules: registration and installation.

CREATE FUNCTION publicdigit.available_modules(OUT module name, OUT version text,
        OUT context text, OUT title text, OUT registered boolean, OUT problem text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_available_modules';
COMMENT ON FUNCTION publicdigit.available_modules() IS
    'modules in the server''s share folder, and what keeps a faulty one from being registered';

CREATE FUNCTION publicdigit.register_module(module text, strict boolean DEFAULT false)
    RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'pd_register_module';
COMMENT ON FUNCTION publicdigit.register_module(text, boolean) IS
    'registers a module of the server''s share folder by name (or a document that begins with {), strictly: only without hazards; returns its version';
CREATE FUNCTION publicdigit.register_module(document jsonb, strict boolean DEFAULT false)
    RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'pd_register_module_document';
COMMENT ON FUNCTION publicdigit.register_module(jsonb, boolean) IS
    'registers a module from one document: the manifest''s keys and "scripts"; strictly: only without hazards; returns its version';

CREATE FUNCTION publicdigit.unregister_module(module text, version text DEFAULT NULL)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_unregister_module';
COMMENT ON FUNCTION publicdigit.unregister_module(text, text) IS
    'forgets a version of a module, or all of them; refused while one is installed';

CREATE FUNCTION publicdigit.install_module(module text, tenant text DEFAULT '@current',
                                           version text DEFAULT NULL)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_install_module';
COMMENT ON FUNCTION publicdigit.install_module(text, text, text) IS
    'installs a module and what it requires for a tenant, or a landlord''s module once';
CREATE FUNCTION publicdigit.install_module(module text, tenant uuid,
                                           version text DEFAULT NULL)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_install_module_by_id';
COMMENT ON FUNCTION publicdigit.install_module(text, uuid, text) IS
    'installs a module and what it requires for a tenant';

CREATE FUNCTION publicdigit.uninstall_module(module text, tenant text,
                                             cascade boolean DEFAULT false)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_uninstall_module';
COMMENT ON FUNCTION publicdigit.uninstall_module(text, text, boolean) IS
    'undoes a module''s migrations; with cascade also of modules that need it';
CREATE FUNCTION publicdigit.uninstall_module(module text, tenant uuid,
                                             cascade boolean DEFAULT false)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_uninstall_module_by_id';
COMMENT ON FUNCTION publicdigit.uninstall_module(text, uuid, boolean) IS
    'undoes a module''s migrations; with cascade also of modules that need it';

CREATE FUNCTION publicdigit.seed_module(module text, tenant text DEFAULT '@current')
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_seed_module';
COMMENT ON FUNCTION publicdigit.seed_module(text, text) IS
    'runs the seed scripts that have not run yet; returns their number';
CREATE FUNCTION publicdigit.seed_module(module text, tenant uuid)
    RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'pd_seed_module_by_id';
COMMENT ON FUNCTION publicdigit.seed_module(text, uuid) IS
    'runs the seed scripts that have not run yet; returns their number';

CREATE FUNCTION publicdigit.upgrade_module(module text, tenant text DEFAULT '@current',
                                           version text DEFAULT NULL)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_upgrade_module';
COMMENT ON FUNCTION publicdigit.upgrade_module(text, text, text) IS
    'brings a module to a higher version, or the highest, and what it requires along';
CREATE FUNCTION publicdigit.upgrade_module(module text, tenant uuid,
                                           version text DEFAULT NULL)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_upgrade_module_by_id';
COMMENT ON FUNCTION publicdigit.upgrade_module(text, uuid, text) IS
    'brings a module to a higher version, or the highest, and what it requires along';

CREATE FUNCTION publicdigit.downgrade_module(module text, tenant text, version text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_downgrade_module';
COMMENT ON FUNCTION publicdigit.downgrade_module(text, text, text) IS
    'brings a module to a lower version by its down scripts';
CREATE FUNCTION publicdigit.downgrade_module(module text, tenant uuid, version text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_downgrade_module_by_id';
COMMENT ON FUNCTION publicdigit.downgrade_module(text, uuid, text) IS
    'brings a module to a lower version by its down scripts';

CREATE FUNCTION publicdigit.enable_module(module text, tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_enable_module';
COMMENT ON FUNCTION publicdigit.enable_module(text, text) IS
    'lets the app role use a disabled module again';
CREATE FUNCTION publicdigit.enable_module(module text, tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_enable_module_by_id';
COMMENT ON FUNCTION publicdigit.enable_module(text, uuid) IS
    'lets the app role use a disabled module again';

CREATE FUNCTION publicdigit.disable_module(module text, tenant text)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_disable_module';
COMMENT ON FUNCTION publicdigit.disable_module(text, text) IS
    'keeps the app role from using a module, whose tables stay';
CREATE FUNCTION publicdigit.disable_module(module text, tenant uuid)
    RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'pd_disable_module_by_id';
COMMENT ON FUNCTION publicdigit.disable_module(text, uuid) IS
    'keeps the app role from using a module, whose tables stay';

CREATE FUNCTION publicdigit.plan_module(action text, module text, tenant text DEFAULT '@current',
        version text DEFAULT NULL, OUT step integer, OUT action text, OUT module text,
        OUT version text, OUT migration text, OUT statement text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_plan_module';
COMMENT ON FUNCTION publicdigit.plan_module(text, text, text, text) IS
    'the statements that install, upgrade, downgrade, uninstall or seed would run';
CREATE FUNCTION publicdigit.plan_module(action text, module text, tenant uuid,
        version text DEFAULT NULL, OUT step integer, OUT action text, OUT module text,
        OUT version text, OUT migration text, OUT statement text)
    RETURNS SETOF record LANGUAGE c AS 'MODULE_PATHNAME', 'pd_plan_module_by_id';
COMMENT ON FUNCTION publicdigit.plan_module(text, text, uuid, text) IS
    'the statements that install, upgrade, downgrade, uninstall or seed would run';

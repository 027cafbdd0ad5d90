-- Registering modules and forgetting them: from a document, from the share folder.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start

-- A document with one migration.
CREATE FUNCTION public.module(name text, version text, context text, requires jsonb DEFAULT '{}',
                       script text DEFAULT 'SELECT 1') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', name, 'version', version, 'context', context,
        'requires', requires, 'scripts', jsonb_build_object('migrations/'
            || CASE context WHEN 'tenant' THEN 'tenant/' ELSE '' END || '0001_a.up.sql', script))
$$;

-- The document that says the same as a folder of the server's share folder.
CREATE FUNCTION public.folder_as_document(name text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    folder text := (SELECT setting FROM pg_config WHERE pg_config.name = 'SHAREDIR')
                   || '/publicdigit/modules/' || $1 || '/';
BEGIN
    RETURN pg_read_file(folder || 'module.json')::jsonb || jsonb_build_object('scripts', (
        SELECT jsonb_object_agg(path, pg_read_file(folder || path))
        FROM unnest(ARRAY['migrations', 'migrations/tenant', 'seeds', 'seeds/tenant']) AS part,
             LATERAL pg_ls_dir(folder || part, true, false) AS file,
             LATERAL concat(part, '/', file) AS path
        WHERE file LIKE '%.sql'));
END $$;

-- The reference modules, by folder and then by document: the same content.
SELECT module, version, context, title, registered, problem
FROM publicdigit.available_modules()
WHERE module IN ('geography', 'members', 'digital_card') ORDER BY module;
SELECT publicdigit.register_module('digital_card');
SELECT publicdigit.register_module('members');
SELECT publicdigit.register_module('geography');
SELECT publicdigit.register_module('geography');
SELECT publicdigit.register_module(folder_as_document('geography'));
SELECT publicdigit.register_module(folder_as_document('members')::text);
SELECT publicdigit.register_module(E'\n\t ' || folder_as_document('digital_card')::text);
SELECT module, registered FROM publicdigit.available_modules()
WHERE module IN ('geography', 'members', 'digital_card') ORDER BY module;
SELECT module, version, context, title, checksum ~ '^sha256:[0-9a-f]{64}$' AS checksum,
       registered_by = session_user AS registered_by
FROM publicdigit.modules ORDER BY module;

-- What is kept: manifest without scripts, each script as it is, with its checksum.
SELECT v.manifest = folder_as_document('geography') - 'scripts' AS manifest,
       s.path, s.content = folder_as_document('geography') #>> ARRAY['scripts', s.path] AS content,
       s.checksum = 'sha256:' || encode(sha256(convert_to(s.content, 'UTF8')), 'hex') AS checksum
FROM publicdigit.module_script AS s JOIN publicdigit.module_version AS v ON v.id = s.version_id
WHERE v.module = 'geography' ORDER BY s.path COLLATE "C";

-- One version, one content; layout and order of keys do not count.
SELECT publicdigit.register_module(module('a', '1.0.0', 'tenant'));
SELECT publicdigit.register_module('{"scripts":  {"migrations/tenant/0001_a.up.sql": "SELECT 1"},
    "version": "1.0.0", "requires": {}, "context": "tenant", "name": "a"}');
SELECT publicdigit.register_module(module('a', '1.0.0', 'tenant', script => 'SELECT 1 '));
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('a', '1.0.0', 'tenant') || '{"scripts": {}}');
SELECT publicdigit.register_module(module('a', '1.0.0', 'tenant') || '{"description": "A"}');
SELECT publicdigit.register_module(module('a', '1.0.0+build', 'tenant'));
SELECT publicdigit.register_module(module('a', '1.0.0', 'landlord'));
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('a', '1.10.0', 'tenant'));
SELECT publicdigit.register_module(module('a', '1.9.0-rc.1', 'tenant'));
SELECT publicdigit.register_module(module('a', '1.9.0', 'tenant'));
SELECT version FROM publicdigit.modules WHERE module = 'a' ORDER BY version;

-- Cycles, at whatever distance, and only where the ranges close them.
SELECT publicdigit.register_module(module('b', '1.0.0', 'tenant', '{"c": "^1.0"}'));
SELECT publicdigit.register_module(module('c', '0.9.0', 'tenant', '{"b": "*"}'));
SELECT publicdigit.register_module(module('c', '1.0.0', 'tenant', '{"d": "1 || 2"}'));
SELECT publicdigit.register_module(module('d', '2.0.0', 'tenant', '{"a": "*", "b": ">=1"}'));
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('d', '2.0.0', 'tenant', '{"a": "*", "b": "2"}'));
SELECT publicdigit.register_module(module('b', '2.0.0', 'tenant', '{"c": "0.9"}'));
SELECT publicdigit.register_module(module('b', '2.1.0', 'tenant', '{"c": "1"}'));

-- What is installed once cannot stand on a tenant's module.
SELECT publicdigit.register_module(module('e', '1.0.0', 'landlord', '{"a": "*"}'));
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('e', '1.0.0', 'landlord', '{"f": "^3"}'));
SELECT publicdigit.register_module(module('f', '1.0.0', 'tenant'));
SELECT publicdigit.register_module(module('f', '1.0.0', 'landlord'));
SELECT publicdigit.register_module(module('g', '1.0.0', 'tenant', '{"f": "*"}'));

-- A failure leaves nothing, not even the name.
SELECT name FROM publicdigit.module WHERE name IN ('e', 'f', 'g', 'h') ORDER BY name;
BEGIN;
SELECT publicdigit.register_module(module('h', '1.0.0', 'tenant'));
ROLLBACK;
SELECT count(*) FROM publicdigit.modules WHERE module = 'h';

-- Forgetting.
SELECT publicdigit.unregister_module(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.unregister_module('h');
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.unregister_module('a', '1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.unregister_module('a', '1.0.0+build');
SELECT publicdigit.unregister_module('a', '1.10.0');
SELECT version FROM publicdigit.modules WHERE module = 'a' ORDER BY version;
SELECT publicdigit.register_module(module('a', '1.10.0', 'tenant', script => 'SELECT 2'));
SELECT publicdigit.unregister_module('f', version => '1.0.0');
SELECT count(*) FROM publicdigit.module WHERE name = 'f';
SELECT publicdigit.unregister_module(module => 'a', version => NULL);
SELECT count(*) FROM publicdigit.module WHERE name = 'a';

-- Not what is installed; a row stands for an installation here.
INSERT INTO publicdigit.installation (context, module, version_id, head)
SELECT 'landlord', module, id, head FROM publicdigit.module_version WHERE module = 'geography';
SELECT publicdigit.register_module(folder_as_document('geography') || '{"version": "1.1.0"}');
SELECT publicdigit.unregister_module('geography');
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.unregister_module('geography', '1.0.0');
SELECT publicdigit.unregister_module('geography', '1.1.0');
SELECT module, version FROM publicdigit.modules WHERE module = 'geography';

-- The caller's search_path and objects of his do not matter.
CREATE SCHEMA regress_trap;
CREATE FUNCTION regress_trap.equal(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 = 1';
CREATE OPERATOR regress_trap.= (LEFTARG = name, RIGHTARG = text, FUNCTION = regress_trap.equal);
CREATE FUNCTION regress_trap.count(anyelement) RETURNS bigint LANGUAGE sql AS 'SELECT 1 / 0';
SET search_path = regress_trap, pg_catalog;
SELECT publicdigit.register_module(public.module('i', '1.0.0', 'tenant', '{"b": "*"}'));
SELECT publicdigit.unregister_module('i');
RESET search_path;

\set clean :include 'clean.psql'
DROP FUNCTION public.module, public.folder_as_document;
\i :clean

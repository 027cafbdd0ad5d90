-- Seed scripts: each runs once, for the target that was asked for.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS publicdigit CASCADE;
\pset format unaligned
\pset tuples_only on
\pset null NULL
SELECT publicdigit.setup('regress_seed_owner', 'regress_seed_app');
SELECT publicdigit.create_tenant(slug) IS NOT NULL FROM unnest('{acme,globex}'::text[]) AS slug;
SELECT publicdigit.register_module('geography');
RESET client_min_messages;

\getenv abs_srcdir PG_ABS_SRCDIR
\set try_call :abs_srcdir '/test/include/try_call.psql'
\i :try_call
CREATE FUNCTION notes(tenant text) RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
BEGIN
    PERFORM publicdigit.use_tenant(tenant);
    RETURN (SELECT string_agg(note, ' ' ORDER BY n) FROM notes WHERE tenant_id = publicdigit.current_tenant_id());
END $$;

-- The landlord's.
SELECT try($$SELECT publicdigit.seed_module('geography')$$);
SELECT publicdigit.install_module('geography');
SELECT publicdigit.seed_module('geography');
SELECT count(*) FROM landlord.countries;
SELECT publicdigit.seed_module('geography', '@landlord');
SELECT count(*) FROM landlord.countries;
SELECT try($$SELECT publicdigit.seed_module('geography', 'acme')$$);

-- A tenant's: in order of their names, bound to the tenant, without naming it.
SELECT publicdigit.register_module($${"name": "notes", "version": "1.0.0", "context": "tenant",
    "tables": {"notes": "tenant"}, "scripts": {
    "migrations/tenant/0001_notes.up.sql": "CREATE TABLE notes (n serial PRIMARY KEY, tenant_id uuid, note text UNIQUE)",
    "migrations/tenant/0001_notes.down.sql": "DROP TABLE notes",
    "seeds/tenant/b.sql": "INSERT INTO notes (note) VALUES ('second'); UPDATE notes SET note = note || '!'",
    "seeds/tenant/a.sql": "INSERT INTO notes (note) VALUES ('first')"}}$$);
SELECT publicdigit.install_module('notes', slug) FROM publicdigit.tenants ORDER BY slug;
-- An install does not seed.
SELECT try($$SELECT notes('acme')$$);
SELECT publicdigit.seed_module('notes', 'acme');
SELECT notes('acme'), notes('globex');
SELECT publicdigit.seed_module('notes', 'acme');
SELECT notes('acme');
SELECT t.slug, s.path, s.seeded_by = session_user AS seeded_by,
       s.checksum = 'sha256:' || encode(sha256(convert_to(c.content, 'UTF8')), 'hex') AS checksum
FROM publicdigit.seed AS s JOIN publicdigit.installation AS i ON i.id = s.installation_id
JOIN publicdigit.module_script AS c USING (version_id, path)
LEFT JOIN publicdigit.tenant AS t ON t.id = i.tenant_id ORDER BY 1, 2;
-- Seeds are no migrations.
SELECT tenant, migration FROM publicdigit.migrations WHERE module = 'notes' ORDER BY tenant;

-- Bad arguments.
SELECT try($$SELECT publicdigit.seed_module('nothing', 'acme')$$);
SELECT try($$SELECT publicdigit.seed_module(NULL, 'acme')$$);
SELECT try($$SELECT publicdigit.seed_module('notes', NULL::text)$$);
SELECT try($$SELECT publicdigit.seed_module('notes', NULL::uuid)$$);
SELECT try($$SELECT publicdigit.seed_module('notes')$$);
SELECT try($$SELECT publicdigit.seed_module('notes', '@landlord')$$);
SELECT publicdigit.suspend_tenant('globex');
SELECT try($$SELECT publicdigit.seed_module('notes', 'globex')$$);
SELECT publicdigit.resume_tenant('globex');

-- A new version's scripts are not the installed version's.
SELECT publicdigit.register_module($${"name": "notes", "version": "1.1.0", "context": "tenant",
    "tables": {"notes": "tenant"}, "scripts": {
    "migrations/tenant/0001_notes.up.sql": "CREATE TABLE notes (n serial PRIMARY KEY, tenant_id uuid, note text UNIQUE)",
    "seeds/tenant/c.sql": "INSERT INTO notes (note) VALUES ('third')"}}$$);
SELECT publicdigit.seed_module('notes', 'acme');
-- It does not look at the tables: rows that are deleted come back under another name of the seed.  One that has changed is told of.
SELECT publicdigit.register_module($${"name": "notes", "version": "1.2.0", "context": "tenant",
    "tables": {"notes": "tenant"}, "scripts": {
    "migrations/tenant/0001_notes.up.sql": "CREATE TABLE notes (n serial PRIMARY KEY, tenant_id uuid, note text UNIQUE)",
    "migrations/tenant/0001_notes.down.sql": "DROP TABLE notes",
    "seeds/tenant/a.sql": "INSERT INTO notes (note) VALUES ('changed')",
    "seeds/tenant/b.sql": "INSERT INTO notes (note) VALUES ('second'); UPDATE notes SET note = note || '!'",
    "seeds/tenant/b_again.sql": "INSERT INTO notes (note) VALUES ('first!'), ('second!') ON CONFLICT DO NOTHING"}}$$);
SELECT publicdigit.upgrade_module('notes', 'acme', '1.2.0');
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('acme') IS NOT NULL;
RESET client_min_messages;
DELETE FROM notes WHERE note = 'second!';
SELECT statement FROM publicdigit.plan_module('seed', 'notes');
SELECT publicdigit.seed_module('notes'), public.notes('acme');
SELECT publicdigit.seed_module('notes'), public.notes('acme');
ROLLBACK;

-- One that fails leaves none of them; the ones before it run again then.
SELECT publicdigit.register_module($${"name": "failing", "version": "1.0.0", "context": "tenant", "scripts": {
    "seeds/tenant/a.sql": "INSERT INTO notes (note) VALUES ('never')",
    "seeds/tenant/b.sql": "INSERT INTO notes (note) VALUES ('never');"}}$$);
SELECT publicdigit.install_module('failing', 'acme');
SELECT try($$SELECT publicdigit.seed_module('failing', 'acme')$$);
SELECT notes('acme');
SELECT count(*) FROM publicdigit.seed AS s JOIN publicdigit.installation AS i ON i.id = s.installation_id
WHERE i.module = 'failing';

-- Seeds are held to their tenant as migrations are.
SELECT publicdigit.register_module($${"name": "reaching", "version": "1.0.0", "context": "tenant", "scripts": {
    "seeds/tenant/a.sql": "UPDATE landlord.countries SET name = 'x'"}}$$);
SELECT publicdigit.install_module('reaching', 'acme');
SELECT try($$SELECT publicdigit.seed_module('reaching', 'acme')$$);
-- Nor may they make a table that keeps no rule.
SELECT publicdigit.register_module($${"name": "making", "version": "1.0.0", "context": "tenant", "scripts": {
    "seeds/tenant/a.sql": "CREATE TABLE made (id int)"}}$$);
SELECT publicdigit.install_module('making', 'acme');
SELECT try($$SELECT publicdigit.seed_module('making', 'acme')$$);
-- What one makes is its module's, and the module's tables stay tables.
SELECT publicdigit.register_module($${"name": "holding", "version": "1.0.0", "context": "tenant", "tables": {"held": "tenant"}, "scripts": {
    "migrations/tenant/0001_a.up.sql": "CREATE TABLE held (tenant_id uuid)",
    "seeds/tenant/a.sql": "CREATE TABLE made (tenant_id uuid); CREATE FUNCTION helper() RETURNS int LANGUAGE sql RETURN 1"}}$$);
SELECT publicdigit.register_module($${"name": "swapping", "version": "1.0.0", "context": "tenant", "tables": {"swapped": "tenant"}, "scripts": {
    "migrations/tenant/0001_a.up.sql": "CREATE TABLE swapped (tenant_id uuid)",
    "seeds/tenant/a.sql": "DROP TABLE swapped; CREATE VIEW swapped WITH (security_invoker) AS SELECT 1 AS one"}}$$);
SELECT publicdigit.install_module('holding', 'acme'), publicdigit.install_module('swapping', 'acme');
SELECT publicdigit.seed_module('holding', 'acme');
SELECT type, identity FROM publicdigit.module_object JOIN publicdigit.installation AS i ON i.id = installation_id WHERE module = 'holding' ORDER BY 1, 2;
SELECT try($$SELECT publicdigit.seed_module('swapping', 'acme')$$);

-- What refers to the landlord's rows wants them there: by a foreign key and by a reference.
SELECT publicdigit.register_module(jsonb_build_object('name', name, 'version', '1.0.0', 'context', 'tenant',
    'requires', '{"geography": "^1.0"}'::jsonb, 'scripts', jsonb_build_object(
    'migrations/tenant/0001_a.up.sql', format('CREATE TABLE %s (tenant_id uuid, country char(2)); %s', name, refers),
    'seeds/tenant/a.sql', format('INSERT INTO %s (country) VALUES (''ZZ'')', name))))
FROM (VALUES ('keyed', 'ALTER TABLE keyed ADD FOREIGN KEY (country) REFERENCES landlord.countries'),
             ('referring', 'SELECT publicdigit.reference_landlord(''referring'', ''country'', ''landlord.countries'')'))
    AS v (name, refers);
SELECT publicdigit.install_module(name, 'acme') FROM unnest('{keyed,referring}'::text[]) AS name;
SELECT try(format('SELECT publicdigit.seed_module(%L, ''acme'')', name)) FROM unnest('{keyed,referring}'::text[]) AS name;

-- With uuid, bound, and again after the module was gone.
SELECT publicdigit.seed_module('notes', id) FROM publicdigit.tenants WHERE slug = 'globex';
SELECT notes('globex');
SELECT publicdigit.uninstall_module('notes', 'globex');
SELECT publicdigit.install_module('notes', 'globex', '1.0.0');
BEGIN;
SET LOCAL client_min_messages = error;
SELECT publicdigit.use_tenant('globex') IS NOT NULL;
RESET client_min_messages;
SELECT publicdigit.seed_module('notes');
SELECT publicdigit.current_tenant(), note FROM notes ORDER BY n;
ROLLBACK;

SET client_min_messages = warning;
DROP FUNCTION try, notes;
DROP EXTENSION publicdigit CASCADE;
DROP SCHEMA tenant_acme, tenant_globex, landlord CASCADE;
DROP ROLE regress_seed_owner, regress_seed_app;

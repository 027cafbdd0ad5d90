-- Functions that the server computes by itself: a predicate, a check or a rule of somebody
-- else's table, opened by who has more rights.  Each attack leaves a note of who it ran as.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'

-- While the extension is made: operators that fit better than the server's own, in the schema
-- that semver goes to.
\set ECHO none
SET client_min_messages = error;
CREATE SCHEMA regress_hostile;
CREATE EXTENSION semver SCHEMA regress_hostile;
SELECT format('CREATE FUNCTION regress_hostile.%s(%s, %s) RETURNS boolean LANGUAGE sql AS ''SELECT true''',
              name, l, r),
       format('CREATE OPERATOR regress_hostile.%s (leftarg = %s, rightarg = %s, function = regress_hostile.%s)',
              operator, l, r, name)
FROM (VALUES ('~', 'name', 'name'), ('=', 'oid', 'regclass'), ('=', 'oid', 'regprocedure'),
             ('=', 'regclass', 'oid'), ('<>', 'oid', 'regclass'), ('=', 'name', 'unknown'),
             ('~', 'name', 'unknown'), ('=', 'oid', 'unknown')) AS v (operator, l, r),
     LATERAL (SELECT translate('f_' || operator || l || '_' || r, '~=<>', 'abcd') AS name) AS n
WHERE NOT EXISTS (SELECT WHERE 'unknown' IN (l, r))
\gexec
CREATE FUNCTION regress_hostile.octet_length(name) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION regress_hostile.has_function_privilege(text, regprocedure, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
RESET client_min_messages;
\set start :include 'start.psql'
\i :start
SELECT DISTINCT d.refclassid::regclass, pg_describe_object(d.refclassid, d.refobjid, 0)
FROM pg_depend AS d
WHERE d.refclassid IN ('pg_operator'::regclass, 'pg_proc'::regclass)
AND coalesce((SELECT oprnamespace FROM pg_operator WHERE oid = d.refobjid AND d.refclassid = 'pg_operator'::regclass),
             (SELECT pronamespace FROM pg_proc WHERE oid = d.refobjid AND d.refclassid = 'pg_proc'::regclass))
    = 'regress_hostile'::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e')
AND pg_describe_object(d.classid, d.objid, 0) NOT LIKE '%regress_hostile%';

\set ECHO none
SET client_min_messages = error;
SELECT publicdigit.setup('regress_owner', 'regress_app') \g /dev/null
SELECT publicdigit.create_tenant(slug) FROM unnest('{acme,beta}'::text[]) AS slug \g /dev/null
CREATE TABLE landlord.countries (code text PRIMARY KEY, name text);
INSERT INTO landlord.countries VALUES ('NP', 'Nepal');
ALTER TABLE landlord.countries OWNER TO regress_owner;
SELECT publicdigit.share_table('landlord.countries') \g /dev/null
CREATE TABLE tenant_beta.members (tenant_id uuid, name text);
ALTER TABLE tenant_beta.members OWNER TO regress_owner;
SELECT publicdigit.protect_table('tenant_beta.members') \g /dev/null
INSERT INTO tenant_beta.members SELECT id, 'secret of beta' FROM publicdigit.tenants WHERE slug = 'beta';
CREATE MATERIALIZED VIEW tenant_beta.names AS SELECT 'secret ' || n AS name FROM generate_series(1, 100) AS n;
ALTER MATERIALIZED VIEW tenant_beta.names OWNER TO regress_owner;
ANALYZE tenant_beta.names;
CREATE TABLE public.note (who name, is_superuser boolean, saw text);
GRANT INSERT ON public.note TO PUBLIC;
-- Installs a module of one script for acme; the notes stay.
CREATE FUNCTION public.install(name text, script text, tables jsonb DEFAULT '{}', more jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql SET client_min_messages = error AS $$
BEGIN
    PERFORM publicdigit.register_module(jsonb_build_object('name', name, 'version', '1.0.0', 'context', 'tenant',
        'tables', tables, 'scripts', jsonb_build_object('migrations/tenant/0001_a.up.sql', script) || more));
    RETURN public.try(format('SELECT publicdigit.install_module(%L, ''acme'')', name));
END $$;
-- An immutable function runs a volatile one; that notes who it is, and what it could see of beta's.
\set probe 'CREATE OR REPLACE FUNCTION vol() RETURNS boolean LANGUAGE plpgsql AS $p$ DECLARE saw text; BEGIN BEGIN SELECT string_agg(name, $q$,$q$) INTO saw FROM tenant_beta.members; EXCEPTION WHEN OTHERS THEN saw := SQLSTATE; END; BEGIN INSERT INTO public.note SELECT current_user, rolsuper, saw FROM pg_roles WHERE rolname = current_user; EXCEPTION WHEN OTHERS THEN NULL; END; BEGIN ALTER TABLE tenant_beta.members DISABLE ROW LEVEL SECURITY; EXCEPTION WHEN OTHERS THEN NULL; END; BEGIN CREATE ROLE regress_made SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END; RETURN true; END $p$; CREATE OR REPLACE FUNCTION imm(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $p$ BEGIN PERFORM tenant_acme.vol(); RETURN true; END $p$; '
CREATE VIEW public.damage AS
    SELECT (SELECT count(*) FROM public.note WHERE is_superuser OR saw ~ 'secret') AS notes,
           (SELECT count(*) FROM pg_roles WHERE rolname = 'regress_made') AS roles,
           (SELECT count(*) FROM pg_class WHERE oid = 'tenant_beta.members'::regclass AND NOT relrowsecurity) AS unprotected;
RESET client_min_messages;
\set ECHO all

-- A check, proved while the table is protected: by the script's own guard it reaches nothing.
SELECT public.install('checked', :'probe' || 'CREATE TABLE checked (tenant_id uuid, CHECK (imm(1)))');
TABLE public.damage;

-- A deferred trigger that such a function sets off does not wait for COMMIT.
SELECT public.install('late', 'CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN CREATE ROLE regress_made SUPERUSER; RETURN NULL; END $$;
    CREATE TABLE q (tenant_id uuid); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON q DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trg();
    CREATE FUNCTION ins() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO tenant_acme.q DEFAULT VALUES; RETURN true; END $$;
    CREATE FUNCTION imm_late(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM tenant_acme.ins(); RETURN true; END $$;
    CREATE TABLE late (tenant_id uuid, CHECK (imm_late(1)))');
TABLE public.damage;

-- A superuser protects somebody else's table, shares it, and takes that back.
CREATE ROLE regress_mallory;
CREATE SCHEMA regress_mallory AUTHORIZATION regress_mallory;
SET ROLE regress_mallory;
CREATE TABLE regress_mallory.q (a int);
CREATE FUNCTION regress_mallory.trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN CREATE ROLE regress_made SUPERUSER; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON regress_mallory.q DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regress_mallory.trg();
CREATE FUNCTION regress_mallory.vol() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO regress_mallory.q VALUES (1); RETURN true; END $$;
CREATE FUNCTION regress_mallory.imm(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_mallory.vol(); RETURN true; END $$;
CREATE TABLE regress_mallory.t (tenant_id uuid, CHECK (regress_mallory.imm(1)));
RESET ROLE;
SELECT public.try('SELECT publicdigit.protect_table(''regress_mallory.t'')');
TABLE public.damage;

-- A script reads what the planner knows of beta's tables.
SELECT public.install('statistics', 'DO $$ BEGIN IF EXISTS (SELECT FROM pg_stats WHERE schemaname = ''tenant_beta'') THEN RAISE EXCEPTION ''seen''; END IF; END $$');

-- A seed puts a view in the table's place, and the grants follow the name.
SELECT public.install('swapped', 'CREATE TABLE swapped (tenant_id uuid)', '{"swapped": "tenant"}',
    '{"seeds/tenant/a.sql": "DROP TABLE swapped; CREATE VIEW swapped AS SELECT * FROM landlord.countries;"}');
SELECT public.try('SELECT publicdigit.seed_module(''swapped'', ''acme'')');
SET client_min_messages = error;
SELECT public.try('SELECT publicdigit.disable_module(''swapped'', ''acme'')'), public.try('SELECT publicdigit.enable_module(''swapped'', ''acme'')');
RESET client_min_messages;
SELECT has_table_privilege('regress_app', c.oid, 'INSERT') FROM pg_class AS c
WHERE c.relname = 'swapped' AND c.relkind = 'v';

-- A rule of a view writes the landlord's table.
SELECT public.install('ruled', 'CREATE VIEW ruled AS SELECT * FROM landlord.countries; CREATE RULE r AS ON INSERT TO ruled DO INSTEAD DELETE FROM landlord.countries');
SELECT count(*) FROM landlord.countries;

-- The tenant goes, with tables whose keys of partitions are computed when they are opened.
SET client_min_messages = error;
SELECT public.install('parted', :'probe' || 'CREATE TABLE parted (tenant_id uuid, n int) PARTITION BY RANGE ((CASE WHEN imm(1) THEN n END))');
TRUNCATE public.note;
\c
SET client_min_messages = error;
SELECT publicdigit.drop_tenant('acme', force => true);
TABLE public.damage;
SELECT DISTINCT who FROM public.note;

DROP VIEW public.damage;
DROP TABLE public.note;
DROP FUNCTION public.install;
\set clean :include 'clean.psql'
\i :clean

-- Attempts of a module's author, and of whoever owns a table, to have their code run as the
-- extension's owner, a superuser, or past the guard of scripts into another tenant's schema.  The
-- server computes IMMUTABLE functions of constants when it opens a table, plans a query of it or
-- alters it; so each place for such a function is tried against each thing that the extension does.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\set attack :include 'attack.psql'
\i :attack
SET client_min_messages = error;
SET ROLE regress_owner;
CREATE TABLE tenant_beta.plain (body text);
INSERT INTO tenant_beta.plain VALUES ('beta plain');
RESET ROLE;
SELECT publicdigit.create_tenant('gone') AS gone \gset

-- What is put where.  Advisory locks outlive what is rolled back, and may be taken anywhere.
CREATE FUNCTION public.planted(name text) RETURNS text LANGUAGE sql AS $probe$
    SELECT format($script$
DO $do$ BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s_vol() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN
            PERFORM pg_advisory_lock(666, 0);
            IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN PERFORM pg_advisory_lock(666, 1); END IF;
            BEGIN
                PERFORM body FROM tenant_beta.plain;
                IF FOUND THEN PERFORM pg_advisory_lock(666, 2); END IF;
            EXCEPTION WHEN OTHERS THEN NULL; END;
            BEGIN
                PERFORM body FROM tenant_beta.note;
                IF FOUND THEN PERFORM pg_advisory_lock(666, 2); END IF;
            EXCEPTION WHEN OTHERS THEN NULL; END;
        END $body$;
        CREATE FUNCTION %1$s_imm(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
            'BEGIN PERFORM %%1$I.%1$s_vol(); RETURN 1; END'$f$, current_schema());
END $do$;
$script$, name)
$probe$;
CREATE TABLE public.place (n int, place text, of_tenant text, of_landlord text);
INSERT INTO public.place VALUES
    (1, 'index predicate', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2)); CREATE INDEX ON :t (c) WHERE :imm(1) = 1',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int); CREATE INDEX ON :t (c) WHERE :imm(1) = 1'),
    (2, 'index expression', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2)); CREATE INDEX ON :t ((id + :imm(1)))',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int); CREATE INDEX ON :t ((id + :imm(1)))'),
    (3, 'statistics', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2)); CREATE STATISTICS :t_s ON (id + :imm(1)) FROM :t',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int); CREATE STATISTICS :t_s ON (id + :imm(1)) FROM :t'),
    (4, 'partition key', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2)) PARTITION BY LIST ((CASE WHEN :imm(1) = 1 THEN c END)); CREATE TABLE :t_p PARTITION OF :t DEFAULT',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int)'),
    (5, 'CHECK', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2), CHECK (:imm(1) = 1))',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int, CHECK (:imm(1) = 1))'),
    (6, 'view', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2))', 'CREATE TABLE :t (c char(2) PRIMARY KEY, id int)'),
    (7, 'domain', 'CREATE DOMAIN :t_d AS char(2) CHECK (:imm(1) = 1); CREATE TABLE :t (tenant_id uuid, id int, c :t_d)',
        'CREATE DOMAIN :t_d AS char(2) CHECK (:imm(1) = 1); CREATE TABLE :t (c :t_d PRIMARY KEY, id int)'),
    (8, 'policy', 'CREATE TABLE :t (tenant_id uuid, id int, c char(2)); CREATE POLICY p ON :t AS RESTRICTIVE USING (:imm(1) = 1)',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int); CREATE POLICY p ON :t USING (:imm(1) = 1); ALTER TABLE :t ENABLE ROW LEVEL SECURITY'),
    (9, 'column', 'CREATE TABLE :t (tenant_id uuid, id int DEFAULT :imm(1), c char(2), g int GENERATED ALWAYS AS (:imm(1)) STORED)',
        'CREATE TABLE :t (c char(2) PRIMARY KEY, id int DEFAULT :imm(1), g int GENERATED ALWAYS AS (:imm(1)) STORED)');
CREATE VIEW public.module AS
    SELECT n, place, kind, name, name || 't' AS "table", format('country_%s', n) AS country,
        public.planted(name) || replace(replace(of_tenant, ':imm', name || '_imm'), ':t', name || 't')
            || format('; SELECT publicdigit.reference_landlord(%L, ''c'', ''country_%s'')', name || 't', n) AS up,
        format('DROP TABLE IF EXISTS %1$st; DROP DOMAIN IF EXISTS %1$st_d; DROP FUNCTION %1$s_imm, %1$s_vol', name) AS down,
        format(CASE n WHEN 6 THEN 'DROP TABLE %1$st; CREATE VIEW %1$st AS SELECT 1 AS a WHERE %1$s_imm(1) = 1'
               ELSE 'INSERT INTO %1$st (id, c) VALUES (1, ''DE''); DELETE FROM %1$st' END, name) AS seed
    FROM public.place CROSS JOIN LATERAL (SELECT kind, left(kind, 1) || n AS name
        FROM unnest('{drop, archive, refuse_if_data}'::text[]) AS kind) AS k;
SELECT publicdigit.register_module(jsonb_build_object('name', 'world', 'version', '1.0.0', 'context', 'landlord',
    'tables', (SELECT jsonb_object_agg('country_' || n, 'shared') FROM public.place),
    'scripts', jsonb_build_object(
        'migrations/0001_world.up.sql', (SELECT string_agg(public.planted('w' || n) || replace(replace(of_landlord, ':imm', format('w%s_imm', n)), ':t', 'country_' || n), ';' ORDER BY n) FROM public.place),
        'seeds/world.sql', (SELECT string_agg(format('INSERT INTO country_%s VALUES (''DE'', 1), (''NP'', 2), (''US'', 3), (''FR'', 4)', n), ';') FROM public.place)))) \g /dev/null
SELECT publicdigit.register_module(jsonb_build_object('name', name, 'version', '1.0.0', 'context', 'tenant', 'on_uninstall', kind,
    'tables', jsonb_build_object("table", 'tenant'), 'scripts', jsonb_build_object(
        'migrations/tenant/0001_it.up.sql', up, 'migrations/tenant/0001_it.down.sql', down, 'seeds/tenant/it.sql', seed)))
FROM public.module \g /dev/null

-- Does something; it gets through where the probe was a superuser, or, while a script was held, read beta's.
CREATE SEQUENCE public.ran;
GRANT USAGE ON SEQUENCE public.ran TO PUBLIC;
GRANT SELECT ON public.module, public.place TO PUBLIC;
CREATE FUNCTION public.act(what text, statement text, held boolean) RETURNS text LANGUAGE plpgsql
    -- So that the planner looks at every CHECK.
    SET constraint_exclusion = on AS $$
DECLARE
    outcome text := 'done';
    was boolean[];
BEGIN
    PERFORM pg_advisory_unlock_all();
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN outcome := SQLSTATE || ' ' || SQLERRM;
    END;
    SELECT array_agg(EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = 666 AND objid = n) ORDER BY n)
    INTO was FROM generate_series(0, 2) AS n;
    PERFORM pg_advisory_unlock_all();
    IF was[1] THEN PERFORM nextval('public.ran'); END IF;
    RETURN public.told(what, outcome, nullif(concat_ws(', ', CASE WHEN was[2] THEN 'superuser' END, CASE WHEN was[3] AND held THEN 'beta' END), ''));
END $$;
-- The same for the modules of a kind.
CREATE FUNCTION public.act_on(kind text, what text, statement text, held boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT * FROM public.module AS x WHERE x.kind = act_on.kind ORDER BY n LOOP
        RETURN NEXT public.act(m.place || ': ' || what,
            format(replace(replace(replace(statement, ':m', m.name), ':t', 'tenant_acme.' || m."table"), ':c', 'landlord.' || m.country)), held);
    END LOOP;
END $$;

-- Each in a session of its own: what one has computed is remembered for the next.
\c - regress_admin
SET client_min_messages = error;
SELECT public.act('landlord: install', 'SELECT publicdigit.install_module(''world'')', true);
\c - regress_admin
SELECT public.act('landlord: seed', 'SELECT publicdigit.seed_module(''world'', ''@landlord'')', true);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('drop', 'plan', 'SELECT publicdigit.plan_module(''install'', '':m'', ''acme'')', true);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on(kind, 'install', 'SELECT publicdigit.install_module('':m'', ''acme'')', true) FROM unnest('{drop, refuse_if_data, archive}'::text[]) AS kind;
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('drop', 'reference', 'SELECT publicdigit.reference_landlord('':t'', ''c'', '':c'')', false);
\c - regress_web
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT public.act_on('drop', 'INSERT', 'INSERT INTO :t (id, c) VALUES (1, ''DE''), (2, ''NP''), (3, ''US''), (4, ''FR'')', false);
DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT format('tenant_acme.d%st', n) FROM public.place LOOP EXECUTE format('DELETE FROM %s WHERE id > 2', t); END LOOP; END $$;
SELECT public.act_on('drop', 'INSERT of no key', 'INSERT INTO :t (id, c) VALUES (1, ''XX'')', false);
-- Who keeps the landlord's tables.
\c - :superuser
CREATE ROLE regress_clerk LOGIN;
GRANT USAGE ON SCHEMA landlord TO regress_clerk;
SELECT format('GRANT ALL ON landlord.country_%s TO regress_clerk', n) FROM public.place \gexec
\c - regress_clerk
SELECT public.act_on('drop', 'DELETE of a key', 'DELETE FROM :c WHERE c = ''DE''', false);
\c - regress_clerk
SELECT public.act_on('drop', 'DELETE of a key that was used', 'DELETE FROM :c WHERE c = ''FR''', false);
\c - regress_clerk
SELECT public.act_on('drop', 'UPDATE of a key', 'UPDATE :c SET c = ''XX'' WHERE c = ''NP''', false);
\c - regress_clerk
SELECT public.act_on('drop', 'TRUNCATE', 'TRUNCATE :c', false);
-- The same by a script, which holds the tenants' functions that it leads to.
\c - regress_admin
SELECT publicdigit.register_module(jsonb_build_object('name', 'purge' || n, 'version', '1.0.0', 'context', 'landlord', 'requires', '{"world": "*"}'::jsonb,
    'scripts', jsonb_build_object('migrations/0001_purge.up.sql', format('DELETE FROM country_%s WHERE c = ''US''', n)))) FROM public.place \g /dev/null
SELECT public.act(place || ': DELETE by a script', format('SELECT publicdigit.install_module(''purge%s'')', n), true) FROM public.place ORDER BY n;
-- The triggers made again, and all references with them checked.
\c - :superuser
SELECT format('DROP TRIGGER publicdigit_landlord_key ON landlord.country_%1$s; DROP TRIGGER publicdigit_landlord_truncate ON landlord.country_%1$s', n) FROM public.place \gexec
\c - regress_admin
SELECT public.act_on('drop', 'share', 'SELECT publicdigit.share_table('':c'')', false);
\c - regress_admin
SELECT public.act_on('drop', 'protect', 'SELECT publicdigit.protect_table('':t'')', false);
\c - :superuser
SELECT public.act_on('archive', 'protect, by a superuser', 'SELECT publicdigit.protect_table('':t'')', false);
\c - :superuser
SELECT public.act_on('archive', 'reference, by a superuser', 'SELECT publicdigit.reference_landlord('':t'', ''c'', '':c'')', false);
\c - regress_admin
SELECT public.act_on('drop', 'fingerprint', 'SELECT publicdigit.fingerprint(''acme'', '':m'')', false);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act('all: drift', 'SELECT publicdigit.check_drift(''acme'')', false);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act('landlord: drift', 'SELECT publicdigit.check_drift(''@landlord'')', false);
\c - regress_admin
SELECT public.act_on('drop', 'disable', 'SELECT publicdigit.disable_module('':m'', ''acme'')', false);
SELECT public.act_on('drop', 'enable', 'SELECT publicdigit.enable_module('':m'', ''acme'')', false);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on(kind, 'seed', 'SELECT publicdigit.seed_module('':m'', ''acme'')', true) FROM unnest('{refuse_if_data, archive}'::text[]) AS kind;
-- A view in the table's place, which a seed may not put there: by what the owner role does later.
\c - :superuser
SET ROLE regress_owner;
DO $$ BEGIN EXECUTE (SELECT string_agg(format('SET LOCAL search_path = tenant_acme; %s', seed), '; ') FROM public.module WHERE n = 6 AND kind <> 'drop'); END $$;
\c - regress_admin
SELECT public.act_on('refuse_if_data', 'fingerprint', 'SELECT publicdigit.fingerprint(''acme'', '':m'')', false);
\c - regress_admin
SELECT public.act_on('refuse_if_data', 'enable', 'SELECT publicdigit.disable_module('':m'', ''acme''), publicdigit.enable_module('':m'', ''acme'')', false);
\c - regress_admin
SELECT public.act_on('refuse_if_data', 'plan', 'SELECT publicdigit.plan_module(''uninstall'', '':m'', ''acme'')', true);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('refuse_if_data', 'uninstall', 'SELECT publicdigit.uninstall_module('':m'', ''acme'')', true);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('archive', 'archive', 'SELECT publicdigit.uninstall_module('':m'', ''acme'')', true);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('archive', 'install from the archive', 'SELECT publicdigit.install_module('':m'', ''acme'')', true);
-- Taken over as if made by hand.
\c - :superuser
DELETE FROM publicdigit.installation WHERE module ~ '^d';
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('drop', 'baseline', 'SELECT publicdigit.baseline_module('':m'', ''acme'', ''1.0.0'')', false);
\c - regress_admin
SET client_min_messages = error;
SELECT public.act_on('drop', 'uninstall', 'SELECT publicdigit.uninstall_module('':m'', ''acme'')', true);
\c - regress_admin
SET client_min_messages = error;
SELECT publicdigit.install_module(name, 'gone') FROM public.module WHERE kind = 'drop' \g /dev/null
SELECT publicdigit.seed_module(name, 'gone') FROM public.module WHERE kind = 'drop' AND n <> 6 \g /dev/null
\c - regress_admin
SELECT public.act('all: archive the tenant', 'SELECT publicdigit.archive_tenant(''gone'')', false);
SELECT public.act('all: restore the tenant', 'SELECT publicdigit.restore_tenant(''gone'')', false);
\c - regress_admin
SELECT public.act('all: drop the tenant', 'SELECT publicdigit.drop_tenant(''gone'', force => true)', false);
-- A table of somebody else's, which a superuser works on.
\c - :superuser
SET client_min_messages = error;
CREATE SCHEMA regress_nobody AUTHORIZATION regress_nobody;
SELECT replace(public.planted('x'), 'DO $do$ BEGIN', 'DO $do$ BEGIN SET LOCAL search_path = regress_nobody;') AS probe \gset
\c - regress_nobody
:probe
CREATE TABLE regress_nobody.t (tenant_id uuid, id int, CHECK (regress_nobody.x_imm(1) = 1)) PARTITION BY LIST ((id + regress_nobody.x_imm(1)));
CREATE INDEX ON regress_nobody.t (id) WHERE regress_nobody.x_imm(1) = 1;
CREATE STATISTICS regress_nobody.s ON (id + regress_nobody.x_imm(1)) FROM regress_nobody.t;
CREATE TABLE regress_nobody.p PARTITION OF regress_nobody.t DEFAULT;
\c - :superuser
SELECT public.act('somebody else''s: protect', 'SELECT publicdigit.protect_table(''regress_nobody.t'')', true);
\c - :superuser
SELECT public.act('somebody else''s: unprotect', 'SELECT publicdigit.unprotect_table(''regress_nobody.t'')', true);

\set attack_end :include 'attack_end.psql'
\i :attack_end
SELECT last_value > 50 AS the_probe_ran FROM public.ran;
SET client_min_messages = error;
DROP SEQUENCE public.ran;
DROP VIEW public.module;
DROP TABLE public.place;
DROP FUNCTION public.act, public.act_on, public.planted;
\set clean :include 'clean.psql'
\i :clean

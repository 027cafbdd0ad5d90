-- What registration says of hazards in a new version's scripts: each rule, the lock that
-- it names against the one that the server takes, what is exempt, strict, accepted.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start

-- A module of one migration, or of two, the second with the script that is asked about.
CREATE FUNCTION public.module(script text, before text DEFAULT NULL, context text DEFAULT 'tenant',
                              tables jsonb DEFAULT '{}', views jsonb DEFAULT '[]') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', 'lint', 'version', CASE WHEN before IS NULL THEN '1.0.0' ELSE '1.1.0' END,
        'context', context, 'tables', tables, 'views', views, 'scripts', jsonb_object_agg('migrations/' ||
            CASE context WHEN 'tenant' THEN 'tenant/' ELSE '' END || path, content))
    FROM (VALUES ('0001_a.up.sql', coalesce(before, script)),
                 (CASE WHEN before IS NOT NULL THEN '0002_b.up.sql' END, script)) AS s (path, content)
    WHERE path IS NOT NULL
$$;

-- The findings for a script.  The last statement has one of its own, so that
-- advice alone is listed as well.
CREATE FUNCTION public.findings(script text, before text DEFAULT 'SELECT 1', context text DEFAULT 'tenant',
                                tables jsonb DEFAULT '{}', views jsonb DEFAULT '[]',
                                OUT rule text, OUT severity text, OUT lock text, OUT message text, OUT line integer)
    RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    old_level text := current_setting('client_min_messages');
    found text;
    part text[];
BEGIN
    BEGIN
        PERFORM set_config('client_min_messages', 'error', true);
        IF before IS NOT NULL THEN
            PERFORM publicdigit.register_module(module(before, NULL, context, '{}'));
        END IF;
        PERFORM publicdigit.register_module(module(script || E'\n;TRUNCATE sentinel', before, context, tables, views),
                                            strict => true);
    EXCEPTION WHEN SQLSTATE 'PD004' THEN
        GET STACKED DIAGNOSTICS found = PG_EXCEPTION_DETAIL;
    END;
    FOREACH found IN ARRAY string_to_array(found, E'\n') LOOP
        part := regexp_match(found, '^(\w+): (.*) \((\w+) at script "[^"]*", line (\d+)(; lock: (.*))?\)$');
        CONTINUE WHEN part[2] LIKE '%"sentinel"%';
        rule := part[1]; message := part[2]; severity := part[3]; line := part[4]; lock := part[6];
        RETURN NEXT;
    END LOOP;
END $$;

-- The strongest lock on a relation that a statement takes; nothing of it stays.
CREATE FUNCTION public.lock_of(statement text, relation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    id oid := relation::regclass;
    result text;
BEGIN
    EXECUTE statement;
    SELECT mode INTO result FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'relation' AND pg_locks.relation = id
    ORDER BY array_position(ARRAY['AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock',
        'ShareUpdateExclusiveLock', 'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'], mode) LIMIT 1;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    RETURN upper(regexp_replace(replace(result, 'Lock', ''), '(\w)([A-Z])', '\1 \2', 'g'));
END $$;

-- Does a statement write a table anew?  Nothing of it stays.
CREATE FUNCTION public.rewrites(statement text, relation text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before oid := pg_relation_filenode(relation);
    result boolean;
BEGIN
    EXECUTE statement;
    result := pg_relation_filenode(relation) <> before;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    RETURN result;
END $$;

-- Tables in use, as the statements below know them.
CREATE SCHEMA regress_lint;
SET search_path = regress_lint, public;
CREATE TABLE u (id integer PRIMARY KEY);
CREATE DOMAIN d AS integer;
ALTER DOMAIN d ADD CONSTRAINT d_positive CHECK (VALUE > 0) NOT VALID;
CREATE TYPE e AS ENUM ('one');
CREATE SEQUENCE s;
CREATE TABLE t (id integer, x integer, y varchar(10), z d, g tsrange CONSTRAINT t_g CHECK (g IS NOT NULL),
    big integer, CONSTRAINT t_x UNIQUE (x));
ALTER TABLE t ADD CONSTRAINT t_id CHECK (id > 0) NOT VALID, ADD CONSTRAINT t_u FOREIGN KEY (id) REFERENCES u NOT VALID;
CREATE INDEX t_y ON t (y);
CREATE UNIQUE INDEX t_big ON t (big);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER t_f AFTER INSERT ON t EXECUTE FUNCTION f();
CREATE RULE t_r AS ON UPDATE TO t DO ALSO NOTHING;
CREATE VIEW v AS SELECT id FROM u;
CREATE MATERIALIZED VIEW m AS SELECT id FROM u;
CREATE TABLE p (id integer) PARTITION BY RANGE (id);
CREATE TABLE p0 PARTITION OF p DEFAULT;
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10);
CREATE TABLE p2 (id integer);

-- Every rule that names a lock: what the finding says, and what the server takes.
CREATE TABLE hazard (n integer GENERATED ALWAYS AS IDENTITY, relation text, statement text);
INSERT INTO hazard (relation, statement) VALUES
    ('t', 'DROP TABLE t'),
    ('t', 'ALTER TABLE t DROP COLUMN y'),
    ('t', 'ALTER TABLE t DROP COLUMN y CASCADE'),
    ('s', 'DROP SEQUENCE s'),
    ('t', 'DROP TABLE t CASCADE'),
    ('t', 'TRUNCATE t'),
    ('u', 'TRUNCATE u CASCADE'),
    ('t', 'DELETE FROM t'),
    ('t', 'WITH gone AS (DELETE FROM t RETURNING id) SELECT count(*) FROM gone'),
    ('t', 'ALTER TABLE t ADD COLUMN c integer NOT NULL'),
    ('u', 'UPDATE u SET id = id'),
    ('t', 'ALTER TABLE t ALTER COLUMN y TYPE text'),
    ('t', 'ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid()'),
    ('t', 'ALTER TABLE t ADD COLUMN c timestamptz DEFAULT date_trunc(''day'', clock_timestamp())'),
    ('t', 'ALTER TABLE t ADD COLUMN c serial'),
    ('t', 'ALTER TABLE t ADD COLUMN c integer GENERATED BY DEFAULT AS IDENTITY'),
    ('t', 'ALTER TABLE t ADD COLUMN c integer GENERATED ALWAYS AS (id * 2) STORED'),
    ('t', 'ALTER TABLE t ALTER COLUMN id SET NOT NULL'),
    ('t', 'ALTER TABLE t ADD CHECK (id > 0)'),
    ('t', 'ALTER TABLE t ADD COLUMN c integer CHECK (c > 0)'),
    ('t', 'ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES u'),
    ('u', 'ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES u'),
    ('t', 'ALTER TABLE t ADD COLUMN c integer DEFAULT 1 REFERENCES u'),
    ('t', 'ALTER TABLE t ADD UNIQUE (y)'),
    ('t', 'ALTER TABLE t ADD PRIMARY KEY (id)'),
    ('t', 'ALTER TABLE t ADD COLUMN c integer UNIQUE'),
    ('t', 'ALTER TABLE t ADD EXCLUDE USING gist (g WITH &&)'),
    ('t', 'ALTER DOMAIN d ADD CHECK (VALUE > 1)'),
    ('t', 'ALTER DOMAIN d VALIDATE CONSTRAINT d_positive'),
    ('t', 'ALTER DOMAIN d SET NOT NULL'),
    ('t', 'CREATE INDEX ON t (x)'),
    ('t', 'ALTER TABLE t SET UNLOGGED'),
    ('t', 'ALTER TABLE t SET TABLESPACE pg_default'),
    ('t', 'ALTER TABLE t SET ACCESS METHOD heap'),
    ('t_y', 'ALTER INDEX t_y SET TABLESPACE pg_default'),
    ('m', 'REFRESH MATERIALIZED VIEW m'),
    ('p', 'ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)'),
    ('p', 'ALTER TABLE p DETACH PARTITION p1'),
    ('p', 'CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30)'),
    ('t', 'CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()'),
    ('t', 'ALTER TABLE t DISABLE TRIGGER t_f'),
    ('t', 'ALTER TABLE t DISABLE TRIGGER USER'),
    ('t', 'LOCK TABLE t'),
    ('t', 'LOCK TABLE t IN SHARE MODE'),
    ('t', 'ALTER TABLE t RENAME TO t_old'),
    ('t', 'ALTER TABLE t RENAME COLUMN y TO name'),
    ('v', 'ALTER VIEW v RENAME TO w'),
    ('s', 'ALTER SEQUENCE s RENAME TO w'),
    ('t', 'ALTER TABLE t DROP CONSTRAINT t_x'),
    ('t_y', 'DROP INDEX t_y'),
    ('t', 'DROP INDEX t_y'),
    ('t', 'DROP TRIGGER t_f ON t'),
    ('t', 'DROP RULE t_r ON t'),
    ('v', 'DROP VIEW v'),
    ('m', 'DROP MATERIALIZED VIEW m'),
    ('t', 'CLUSTER t USING t_y'),
    ('t', 'REINDEX TABLE t'),
    ('t_y', 'REINDEX INDEX t_y'),
    ('t', 'ALTER TABLE t ALTER COLUMN x SET STATISTICS 10, ADD FOREIGN KEY (id) REFERENCES u'),
    ('t', 'ALTER TABLE t ALTER COLUMN x SET DEFAULT 1, ADD FOREIGN KEY (id) REFERENCES u');
SELECT f.rule, f.severity, regexp_replace(f.lock, ' on .*', '') AS named, h.relation, h.statement
FROM hazard AS h, findings(h.statement) AS f ORDER BY h.n, f.rule;
SELECT h.statement, f.rule, f.lock, lock_of(h.statement, h.relation) AS taken
FROM hazard AS h, findings(h.statement) AS f
WHERE regexp_replace(f.lock, ' on .*', '') IS DISTINCT FROM lock_of(h.statement, h.relation);
SELECT h.statement, f.rule, f.message ~ 'rewrites' AS named, rewrites(h.statement, 't') AS done
FROM hazard AS h, findings(h.statement) AS f
WHERE h.statement ~ 'ADD COLUMN' AND (f.message ~ 'rewrites') <> rewrites(h.statement, 't');
SELECT statement FROM hazard WHERE NOT EXISTS (SELECT FROM findings(statement));

SELECT relation, lock_of('ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)', relation)
FROM unnest('{p,p0,p2}'::text[]) AS relation;

-- These are no hazards, or take no lock that is worth a word.
SELECT statement, f.* FROM unnest(ARRAY[
    'ALTER TABLE t ADD COLUMN c integer',
    'ALTER TABLE t ADD COLUMN c integer NOT NULL DEFAULT 0',
    'ALTER TABLE t ADD COLUMN c timestamptz DEFAULT now(), ADD COLUMN d date NOT NULL DEFAULT CURRENT_DATE',
    'ALTER TABLE t ADD COLUMN c integer REFERENCES u',
    'ALTER TABLE t ADD CHECK (id > 0) NOT VALID, ADD FOREIGN KEY (id) REFERENCES u NOT VALID',
    'ALTER TABLE t VALIDATE CONSTRAINT t_id',
    'ALTER TABLE t ADD UNIQUE USING INDEX t_big',
    'ALTER DOMAIN d ADD CHECK (VALUE > 1) NOT VALID',
    'ALTER DOMAIN d DROP NOT NULL',
    'DELETE FROM t WHERE id = 1; UPDATE t SET id = 2 WHERE id = 1; INSERT INTO t (id) SELECT 1',
    'LOCK TABLE t IN ROW SHARE MODE',
    'REFRESH MATERIALIZED VIEW CONCURRENTLY m',
    'ANALYZE t',
    'ALTER INDEX t_y RENAME TO t_z; ALTER TABLE t RENAME CONSTRAINT t_x TO t_xx',
    'CREATE OR REPLACE VIEW v AS SELECT 1 AS id',
    'REVOKE ALL ON t FROM PUBLIC',
    'SET LOCAL work_mem = ''1MB''; SET CONSTRAINTS a IMMEDIATE',
    'DO ''BEGIN DELETE FROM t; END''']) AS statement, findings(statement) AS f;

SELECT statement FROM unnest(ARRAY[
    'ALTER TABLE t ADD COLUMN c integer NOT NULL DEFAULT 0',
    'ALTER TABLE t ADD COLUMN c timestamptz DEFAULT now(), ADD COLUMN d date NOT NULL DEFAULT CURRENT_DATE',
    'ALTER TABLE t ADD COLUMN c uuid DEFAULT publicdigit.current_tenant_id()']) AS statement
WHERE rewrites(statement, 't') OR EXISTS (SELECT FROM findings(statement));

-- What names no lock.
SELECT f.rule, f.severity, f.lock, f.message FROM unnest(ARRAY[
    'DROP FUNCTION f()', 'DROP PROCEDURE f', 'DROP AGGREGATE a(integer)', 'DROP TYPE e', 'DROP DOMAIN d CASCADE',
    'ALTER FUNCTION f() RENAME TO g', 'ALTER TYPE e RENAME TO e2',
    'ALTER TYPE e RENAME VALUE ''one'' TO ''two''', 'ALTER TYPE e ADD VALUE ''two''',
    'ALTER TABLE t ADD COLUMN c integer DEFAULT own_number()']) WITH ORDINALITY AS s (statement, n),
    findings(statement) AS f ORDER BY n, f.rule;

-- What breaks the golden rules, and what the installer would refuse.
SELECT f.rule, f.severity, f.message FROM unnest(ARRAY[
    'CREATE TABLE a (id integer)',
    'CREATE TABLE a (id integer, tenant_id text)',
    'CREATE TABLE a (tenant_id uuid[])',
    'CREATE TABLE a (tenant_id uuid NULL)',
    'CREATE TABLE a AS SELECT 1 AS id',
    'SELECT 1 AS id INTO a',
    'ALTER TABLE t ADD COLUMN tenant_id bigint',
    'ALTER TABLE t DROP COLUMN tenant_id',
    'ALTER TABLE t RENAME COLUMN tenant_id TO owner_id',
    'ALTER TABLE t ALTER COLUMN tenant_id TYPE text',
    'ALTER TABLE t ALTER COLUMN tenant_id DROP NOT NULL',
    'ALTER TABLE t ALTER COLUMN tenant_id DROP DEFAULT',
    'ALTER TABLE t ALTER COLUMN tenant_id SET DEFAULT gen_random_uuid()',
    'CREATE TABLE a (tenant_id uuid, b integer, FOREIGN KEY (tenant_id, b) REFERENCES b ON DELETE SET NULL)',
    'CREATE TABLE a (tenant_id uuid, b integer, FOREIGN KEY (tenant_id, b) REFERENCES b ON DELETE SET NULL (tenant_id))',
    'CREATE TABLE a (tenant_id uuid, b integer, FOREIGN KEY (tenant_id, b) REFERENCES b ON UPDATE SET NULL)',
    'CREATE TABLE a (tenant_id uuid REFERENCES b ON DELETE SET NULL)',
    'CREATE TABLE a (tenant_id uuid); ALTER TABLE a NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY',
    'DROP POLICY publicdigit_tenant ON t',
    'ALTER POLICY publicdigit_tenant ON t USING (true)',
    'ALTER POLICY publicdigit_tenant ON t RENAME TO mine',
    'CREATE POLICY publicdigit_bound ON t USING (true)',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER AS ''SELECT 1''',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS ''SELECT 1''',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = ''pg_catalog, pg_temp'' AS ''SELECT 1''',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_temp, pg_catalog AS ''SELECT 1''',
    'ALTER FUNCTION f() SECURITY DEFINER',
    'ALTER FUNCTION f() SECURITY DEFINER RESET ALL',
    'GRANT SELECT ON t TO PUBLIC',
    'BEGIN', 'SAVEPOINT a', 'COMMIT', 'START TRANSACTION',
    'COPY t FROM STDIN', 'COPY t TO PROGRAM ''cat''', 'COPY t FROM ''/etc/passwd''',
    'CREATE INDEX CONCURRENTLY ON t (x)', 'DROP INDEX CONCURRENTLY t_y',
    'ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY',
    'VACUUM', 'VACUUM t', 'VACUUM FULL t', 'VACUUM (FULL off) t', 'CLUSTER', 'REINDEX SCHEMA public',
    'REINDEX TABLE CONCURRENTLY t',
    'SET ROLE postgres', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT', 'SET LOCAL search_path = public',
    'SET "Row_Security" = off', 'RESET ALL', 'SET publicdigit.context = ''x''',
    'ALTER TABLE t OWNER TO postgres', 'ALTER VIEW v OWNER TO postgres', 'ALTER FUNCTION f() OWNER TO postgres',
    'ALTER TABLE t SET SCHEMA public', 'ALTER FUNCTION f() DEPENDS ON EXTENSION semver',
    'DROP SCHEMA landlord CASCADE', 'CREATE SCHEMA a', 'CREATE EXTENSION a', 'DROP EXTENSION publicdigit',
    'CREATE ROLE a', 'GRANT a TO b', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC',
    'CREATE TEMPORARY TABLE a (id integer)', 'PREPARE a AS SELECT 1', 'LISTEN a', 'SET CONSTRAINTS ALL DEFERRED']
    ) WITH ORDINALITY AS s (statement, n), findings(statement) AS f ORDER BY n, f.rule;

-- These keep them.
SELECT statement, f.* FROM unnest(ARRAY[
    'CREATE TABLE a (tenant_id uuid)',
    'CREATE TABLE a (tenant_id pg_catalog.uuid NOT NULL DEFAULT publicdigit.current_tenant_id())',
    'CREATE TABLE a (id integer); ALTER TABLE a ADD COLUMN tenant_id uuid',
    'CREATE TABLE a (id integer); DROP TABLE a',
    'CREATE TABLE a (owner uuid); ALTER TABLE a RENAME COLUMN owner TO tenant_id',
    'CREATE TABLE a (tenant_id text); ALTER TABLE a ALTER COLUMN tenant_id TYPE uuid USING tenant_id::uuid',
    'CREATE TABLE a (tenant_id uuid NULL); ALTER TABLE a ALTER COLUMN tenant_id SET NOT NULL',
    'CREATE TABLE a (LIKE t); CREATE TABLE b () INHERITS (t); CREATE TABLE c OF e; CREATE TABLE f OF e (tenant_id WITH OPTIONS NOT NULL)',
    'CREATE TABLE a AS SELECT * FROM t; CREATE TABLE b AS SELECT t.tenant_id FROM t; CREATE TABLE c (tenant_id) AS SELECT 1',
    'ALTER TABLE t ALTER COLUMN tenant_id SET DEFAULT publicdigit.current_tenant_id()',
    'CREATE TABLE a (tenant_id uuid, b integer, FOREIGN KEY (tenant_id, b) REFERENCES b ON DELETE SET NULL (b))',
    'CREATE TABLE a (tenant_id uuid, b integer REFERENCES b ON DELETE SET NULL)',
    'CREATE POLICY mine ON t USING (publicdigit.is_current_tenant(tenant_id)); DROP POLICY publicdigit_bound ON t',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ''SELECT 1''',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS ''SELECT 1''',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql SECURITY DEFINER AS ''SELECT 1''; ALTER FUNCTION a() SET search_path = pg_temp',
    'CREATE FUNCTION a() RETURNS integer LANGUAGE sql AS ''SELECT 1''; ALTER FUNCTION a() SECURITY INVOKER']) AS statement,
    findings(statement) AS f;

-- In a landlord's module the tables that hold rows of tenants.
SELECT f.rule, f.message FROM findings('CREATE TABLE a (id integer); CREATE TABLE landlord.b (id integer); CREATE TABLE c (id integer)',
    context => 'landlord', tables => '{"a": "tenant", "b": "tenant", "c": "shared"}') AS f;

-- Views that the manifest lets the app role read, as they are in the end.
SELECT f.rule, f.severity, f.message FROM unnest(ARRAY[
    'CREATE VIEW a AS SELECT 1', 'CREATE OR REPLACE VIEW a WITH (security_barrier) AS SELECT 1',
    'CREATE VIEW a WITH (security_invoker = 0) AS SELECT 1', 'CREATE VIEW a WITH (security_invoker = perhaps) AS SELECT 1',
    'CREATE VIEW a WITH (security_invoker) AS SELECT 1; CREATE OR REPLACE VIEW a AS SELECT 1',
    'ALTER VIEW a SET (security_invoker = no)', 'ALTER VIEW a RESET (security_barrier, security_invoker)',
    'CREATE MATERIALIZED VIEW a AS SELECT 1']) WITH ORDINALITY AS s (statement, n),
    findings(statement, views => '["a"]') AS f ORDER BY n, f.rule;
SELECT statement, f.* FROM unnest(ARRAY[
    'CREATE VIEW b AS SELECT 1', 'CREATE VIEW a WITH (security_invoker) AS SELECT 1',
    'CREATE VIEW a AS SELECT 1; CREATE OR REPLACE VIEW a WITH (security_invoker = on) AS SELECT 1',
    'CREATE VIEW a AS SELECT 1; ALTER VIEW a SET (security_invoker = true)',
    'ALTER VIEW a SET (security_barrier), RESET (check_option)']) AS statement, findings(statement, views => '["a"]') AS f;
SELECT f.rule FROM findings('CREATE VIEW landlord.a AS SELECT 1', context => 'landlord', views => '["a"]') AS f;

-- What the version has made itself nobody uses yet: from then on, and until it is gone.
SELECT f.rule, f.line, f.message FROM findings($$CREATE TABLE a (tenant_id uuid, x integer, y text);
CREATE INDEX a_x ON a (x); DROP INDEX a_x; ALTER TABLE a DROP COLUMN x, ALTER COLUMN y TYPE varchar, ADD UNIQUE (y);
CREATE TRIGGER a_f AFTER INSERT ON a EXECUTE FUNCTION f(); DROP TRIGGER a_f ON a; TRUNCATE a; DELETE FROM a; UPDATE a SET y = '';
ALTER TABLE a RENAME TO b; LOCK b; ALTER TABLE b RENAME y TO z;
DROP TABLE a;
CREATE VIEW w AS SELECT 1; DROP VIEW w; CREATE SEQUENCE q; DROP SEQUENCE q; CREATE FUNCTION g() RETURNS integer LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION g();
CREATE TYPE h AS ENUM ('x'); ALTER TYPE h ADD VALUE 'y'; DROP TYPE h; CREATE DOMAIN i AS integer; ALTER DOMAIN i SET NOT NULL; DROP DOMAIN i;
CREATE MATERIALIZED VIEW n AS SELECT 1; REFRESH MATERIALIZED VIEW n; DROP MATERIALIZED VIEW n;
CREATE TABLE j (tenant_id uuid) PARTITION BY LIST (tenant_id); CREATE TABLE k PARTITION OF j DEFAULT; ALTER TABLE j DETACH PARTITION k; ALTER TABLE j ATTACH PARTITION k DEFAULT;
DROP TABLE b; DROP TABLE IF EXISTS b$$) AS f;
SELECT f.rule, f.message FROM findings('DROP TABLE IF EXISTS t; CREATE TABLE t (tenant_id uuid); TRUNCATE t') AS f;
SELECT f.rule, f.message FROM findings('CREATE TABLE IF NOT EXISTS t (tenant_id uuid, c text); ALTER TABLE t DROP COLUMN c') AS f;
SELECT f.rule FROM findings('CREATE TABLE IF NOT EXISTS t (tenant_id uuid, c text); ALTER TABLE t DROP COLUMN c', before => NULL) AS f;
SELECT f.rule, f.message FROM findings('CREATE TABLE a (tenant_id uuid); DROP TABLE landlord.a', context => 'landlord') AS f;
SELECT f.rule, f.message FROM findings('CREATE TABLE a (tenant_id uuid); DROP TABLE landlord.a') AS f;

-- SET NOT NULL reads no row where a valid constraint says so; adding one valid does.
SELECT f.rule, f.message FROM findings('ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL, ALTER COLUMN c SET NOT NULL, ALTER COLUMN d SET NOT NULL',
    before => 'CREATE TABLE t (tenant_id uuid, a integer CHECK (a IS NOT NULL), b integer, c integer, d integer);
        ALTER TABLE t ADD CONSTRAINT b_c CHECK (b IS NOT NULL AND c IS NOT NULL) NOT VALID, ADD CONSTRAINT d CHECK (d IS NOT NULL) NOT VALID;
        ALTER TABLE t VALIDATE CONSTRAINT b_c') AS f;
SELECT f.rule, f.lock FROM findings('ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c') AS f;
SELECT f.rule FROM findings('ALTER TABLE t VALIDATE CONSTRAINT c',
    before => 'ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID') AS f;

-- The migrations that the next lower version lacks, by the order of versions.
CREATE FUNCTION public.version(version text, VARIADIC scripts text[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', 'grown', 'version', version, 'context', 'tenant', 'scripts',
        jsonb_object_agg(format('migrations/tenant/000%s_m.up.sql', n), script))
    FROM unnest(scripts) WITH ORDINALITY AS s (script, n)
$$;
SELECT publicdigit.register_module(version('1.0.0', 'DROP TABLE one'));
SELECT publicdigit.register_module(version('1.10.0', 'DROP TABLE one', 'DROP TABLE two', E'-- three\n\n  DROP /* it */ TABLE three'));
SELECT publicdigit.register_module(version('1.2.0-rc.1', 'DROP TABLE one', 'DROP TABLE two'));
SELECT publicdigit.register_module(version('1.2.0', 'DROP TABLE one', 'DROP TABLE two'));
SELECT publicdigit.register_module(version('1.2.0', 'DROP TABLE one', 'DROP TABLE two'), strict => true);
SELECT publicdigit.register_module(version('0.1.0', 'DROP TABLE one'));

-- Odd forms, of which none trips the lint.
SELECT statement, f.rule FROM unnest(ARRAY[
    'ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE fast', 'ALTER TYPE e ADD ATTRIBUTE tenant_id text',
    'SET TIME ZONE LOCAL', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'ALTER FUNCTION f RESET ALL',
    'ALTER FUNCTION f SET TIME ZONE ''UTC''', 'ALTER FUNCTION f SET search_path TO DEFAULT SECURITY DEFINER',
    'CREATE FUNCTION f() RETURNS int SECURITY DEFINER SET search_path = 1 RETURN 1',
    'DROP TRIGGER a ON b.c', 'DROP OPERATOR + (int, int)', 'ALTER DOMAIN d RENAME CONSTRAINT a TO b',
    'CREATE TABLE a AS VALUES (1)', 'CREATE TABLE a AS EXECUTE b', 'CREATE TABLE a AS TABLE b UNION SELECT 1',
    '(SELECT 1 INTO a UNION SELECT 2)', 'SELECT (b).* INTO a FROM b', 'CREATE TABLE a ()',
    'INSERT INTO t SELECT * FROM u ON CONFLICT (id) DO UPDATE SET x = DEFAULT WHERE t.x > 1 RETURNING *',
    'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)',
    'WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1) SEARCH DEPTH FIRST BY a SET b CYCLE c SET d USING e DELETE FROM t USING r',
    'SELECT * FROM xmltable(''/a'' PASSING x COLUMNS b int), LATERAL rows FROM (f(1), g(2)) WITH ORDINALITY, u TABLESAMPLE system (1) GROUP BY GROUPING SETS ((1), ROLLUP (2)) WINDOW w AS (PARTITION BY 1) FOR UPDATE OF t',
    'ALTER TABLE t ADD COLUMN c text COLLATE "C" DEFAULT (CASE WHEN CURRENT_USER = ANY (ARRAY[''a'']) THEN xmlelement(NAME a)::text ELSE upper(''b'' || CAST(1 AS text)) END) CHECK (c IS NOT NULL AND t.* IS NOT NULL) DEFERRABLE',
    '']) AS statement LEFT JOIN LATERAL findings(statement) AS f ON true;

-- Repeatable scripts, when they are new or have changed.
CREATE FUNCTION public.repeatable(version text, script text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', 'again', 'version', version, 'context', 'tenant', 'scripts',
        jsonb_build_object('migrations/tenant/views.repeatable.sql', script))
$$;
SELECT publicdigit.register_module(repeatable('1.0.0', 'DROP VIEW v'));
SELECT publicdigit.register_module(repeatable('1.1.0', 'DROP VIEW v'), true);
SELECT publicdigit.register_module(repeatable('1.2.0', 'DROP VIEW IF EXISTS v'), true);

-- The landlord's tables.
SELECT publicdigit.register_module('geography');
SELECT f.rule, f.severity, f.lock, f.message FROM findings('CREATE TABLE a (tenant_id uuid, country char(2) REFERENCES countries, c char(2), FOREIGN KEY (c) REFERENCES landlord.countries)') AS f;
SELECT f.rule FROM findings('CREATE TABLE countries (tenant_id uuid); CREATE TABLE a (tenant_id uuid, country char(2) REFERENCES countries)') AS f;

-- The registry, of which no key is needed.
SELECT f.rule, f.severity, f.line, f.message FROM unnest(ARRAY['tenant', 'landlord']) AS context,
    findings(E'CREATE TABLE a (tenant_id uuid REFERENCES publicdigit.tenant);\nCREATE TABLE b (id int, tenant_id uuid, FOREIGN KEY (tenant_id) REFERENCES publicdigit.tenant (id) ON DELETE CASCADE);\nALTER TABLE t ADD COLUMN domain text REFERENCES publicdigit.domain',
             context => context) AS f WHERE f.rule = 'reference_registry';
SELECT f.rule FROM findings('CREATE TABLE tenant (tenant_id uuid, id int PRIMARY KEY); CREATE TABLE a (tenant_id uuid, t int REFERENCES tenant)') AS f;

-- The schema of one tenant, known or not; once for a script.
SELECT f.rule, f.severity, f.line, f.message FROM findings(E'CREATE TABLE tenant_acme.a (tenant_id uuid);\nALTER TABLE tenant_acme.a ADD x int;\nSELECT 1 FROM tenant_red_cross_2.a;') AS f WHERE f.rule = 'tenant_schema';
SELECT statement FROM unnest(ARRAY[
    'CREATE TABLE a (tenant_id uuid, t int REFERENCES tenant_a.t)', 'CREATE TABLE a (LIKE tenant_a.t)', 'CREATE TABLE a () INHERITS (tenant_a.t)',
    'CREATE TABLE a (tenant_id uuid, e tenant_a.e)', 'CREATE TABLE a (tenant_id uuid, i int DEFAULT tenant_a.f())', 'CREATE TABLE a (tenant_id uuid, CHECK (tenant_a.f()))',
    'CREATE TABLE tenant_a.b AS SELECT 1', 'CREATE TABLE b AS SELECT tenant_id FROM tenant_a.t', 'CREATE VIEW tenant_a.v AS SELECT 1', 'CREATE VIEW w AS SELECT 1 FROM tenant_a.t',
    'ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES tenant_a.t NOT VALID', 'ALTER SEQUENCE tenant_a.s RESTART', 'ALTER TABLE tenant_a.t RENAME TO u', 'DROP TABLE t, tenant_a.t', 'DROP FUNCTION tenant_a.f()',
    'DROP TYPE tenant_a.e', 'DROP TRIGGER x ON tenant_a.t', 'TRUNCATE tenant_a.t', 'LOCK tenant_a.t', 'CREATE INDEX ON tenant_a.t (id)', 'CREATE POLICY x ON tenant_a.t',
    'CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tenant_a.f()', 'CREATE SEQUENCE tenant_a.s', 'REFRESH MATERIALIZED VIEW tenant_a.m',
    'CREATE FUNCTION tenant_a.f() RETURNS int LANGUAGE sql RETURN 1', 'CREATE TYPE tenant_a.c AS (i int)', 'CREATE TYPE tenant_a.e AS ENUM ()', 'CREATE DOMAIN tenant_a.d AS int',
    'WITH w AS (DELETE FROM tenant_a.t WHERE false) SELECT 1', 'SELECT 1::tenant_a.e'
    ]) AS statement WHERE NOT EXISTS (SELECT FROM findings(statement) AS f WHERE f.message = 'schema "tenant_a" is that of one tenant');
SELECT statement, f.message FROM unnest(ARRAY[
    'SELECT tenant_a.id FROM t AS tenant_a', 'SELECT tenant_a.id FROM tenant_a FOR UPDATE OF tenant_a', 'DROP TRIGGER x ON tenant_a', 'SELECT 1 FROM "tenant_A".t', 'SELECT 1 FROM tenants.t, landlord.t, pg_catalog.pg_class',
    'SELECT publicdigit.current_tenant_id()'
    ]) AS statement, findings(statement) AS f WHERE f.rule = 'tenant_schema';

-- Tables of modules that "requires" does not name, in whatever kind of statement.
SELECT publicdigit.register_module('members', strict => true);
SELECT f.rule, f.severity, f.line, f.message, statement FROM unnest(ARRAY[
    'CREATE TABLE a (tenant_id uuid, c char(2)); SELECT publicdigit.reference_landlord(''a'', ''c'', ''countries'')',
    E'SELECT 1;\nSELECT publicdigit.reference_landlord(''a'', ''c'', landlord_table => ''landlord.countries''::regclass)',
    'INSERT INTO t (id) SELECT 1 FROM landlord.countries', 'DELETE FROM t USING members WHERE t.id = 1 AND members.id IS NULL',
    'WITH m AS (SELECT id FROM members) SELECT id FROM m', 'SELECT (SELECT count(*) FROM members) INTO t2',
    'CREATE VIEW w AS SELECT code FROM countries', 'CREATE TABLE a AS SELECT tenant_id FROM members',
    'CREATE MATERIALIZED VIEW a AS SELECT code FROM countries', 'CREATE TABLE a (LIKE members)', 'CREATE TABLE a () INHERITS (members)',
    'CREATE TABLE a (tenant_id uuid, m uuid REFERENCES members)', 'ALTER TABLE members ADD COLUMN x text',
    'ALTER TABLE t ADD COLUMN m uuid REFERENCES members', 'SELECT id FROM members UNION SELECT id FROM members, countries',
    'DROP TABLE t, members', 'DROP TABLE IF EXISTS members', 'DROP TRIGGER x ON members', 'TRUNCATE t, members', 'LOCK TABLE members IN ROW SHARE MODE',
    'CREATE INDEX ON members (id)', 'CREATE STATISTICS s ON id, name FROM members', 'CREATE TRIGGER x AFTER INSERT ON members FOR EACH ROW EXECUTE FUNCTION f()',
    'CREATE RULE x AS ON INSERT TO members DO NOTHING', 'CREATE POLICY x ON members', 'ALTER POLICY x ON members TO public',
    'ALTER TABLE members RENAME TO people', 'ALTER TABLE members RENAME name TO title', 'ALTER TRIGGER x ON members RENAME TO y'
    ]) WITH ORDINALITY AS s (statement, n), findings(statement) AS f WHERE f.rule = 'missing_requirement' ORDER BY n, f.message;
-- None is found of a name that stands for something else, or that two modules have, or that nobody knows.
SELECT publicdigit.register_module('{"name": "club", "version": "1.0.0", "context": "tenant", "tables": {"fees": "tenant"}, "scripts": {"migrations/tenant/0001_a.up.sql": ""}}'),
       publicdigit.register_module('{"name": "dues", "version": "1.0.0", "context": "tenant", "tables": {"fees": "tenant"}, "scripts": {"migrations/tenant/0001_a.up.sql": ""}}');
SELECT statement, f.* FROM unnest(ARRAY[
    'WITH members AS (SELECT 1 AS id) SELECT id FROM members', 'SELECT count(*) FROM other.members', 'SELECT count(*) FROM fees',
    'SELECT count(*) FROM nowhere', 'SELECT publicdigit.reference_landlord(''a'', ''c'', format(''countries''))',
    'SELECT reference_landlord(''a'', ''c'', ''countries'')', 'SELECT publicdigit.reference_landlord(VARIADIC NULL)',
    'SELECT 1 AS id INTO members; SELECT id FROM members', 'CREATE VIEW members AS SELECT 1 AS id; SELECT id FROM members',
    'CREATE TABLE m (tenant_id uuid); ALTER TABLE m RENAME TO members; SELECT tenant_id FROM members',
    'SELECT n FROM generate_series(1, 2) AS members (n) FOR UPDATE OF members', 'DO ''BEGIN DELETE FROM members; END''',
    'DROP TABLE IF EXISTS members; CREATE TABLE members (tenant_id uuid)', 'DROP INDEX members', 'ALTER INDEX members RENAME TO m', 'TRUNCATE other.members']) AS statement, findings(statement) AS f WHERE f.rule = 'missing_requirement';
SELECT f.* FROM findings('SELECT count(*) FROM members', before => 'CREATE TABLE members (tenant_id uuid)') AS f;
-- A foreign key that is altered names no table.
SELECT f.* FROM findings('ALTER TABLE t ALTER CONSTRAINT t_members_fkey DEFERRABLE') AS f;
SELECT f.rule, f.message FROM findings('SELECT count(*) FROM landlord.countries', before => 'CREATE TABLE countries (tenant_id uuid)') AS f;
SELECT f.rule, f.message FROM findings('SELECT count(*) FROM members, countries', context => 'landlord') AS f;
SELECT publicdigit.register_module(module('SELECT count(*) FROM members') || '{"name": "linked", "requires": {"members": "*"}}', strict => true),
       publicdigit.register_module(module('SELECT count(*) FROM members') || '{"name": "meant", "accept": {"0001_a": ["missing_requirement"]}}', strict => true);

-- What uninstalling keeps in the version below and would drop in this one.
CREATE FUNCTION public.kept(version text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', 'kept', 'version', version, 'context', 'tenant') || more
$$;
SELECT publicdigit.register_module(kept('1.0.0', '{"on_uninstall": "archive"}'));
SELECT publicdigit.register_module(kept('1.1.0'));
SELECT publicdigit.register_module(kept('1.0.1', '{"on_uninstall": "refuse_if_data"}'), strict => true);
SELECT publicdigit.register_module(kept('1.0.2', '{"on_uninstall": "drop"}'), strict => true);
SELECT publicdigit.register_module(kept('1.0.2', '{"on_uninstall": "drop", "accept": {"module.json": ["drop_on_uninstall"]}}'), strict => true);
SELECT publicdigit.register_module(kept(version), strict => true) FROM unnest('{0.9.0, 1.0.3, 1.2.0}'::text[]) AS version;

-- Strict: all findings in one error, and none of the module stays.  Advice alone passes.
SELECT publicdigit.register_module(module(E'ALTER TYPE e ADD VALUE ''two'';\nDROP TABLE t'), true);
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('ALTER TYPE e ADD VALUE ''two''')::text, true);
SELECT module, version FROM publicdigit.modules WHERE module = 'lint';
SELECT publicdigit.register_module('members', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module('{}'::jsonb, NULL);
\echo :LAST_ERROR_SQLSTATE

-- What the manifest accepts, by migration and rule.
SELECT publicdigit.unregister_module('lint');
SELECT publicdigit.register_module(module(E'DROP TABLE t;\nCREATE INDEX ON u (id)')
    || '{"accept": {"0001_a": ["drop_table"]}}', strict => true);
SELECT publicdigit.register_module(module('DROP TABLE t', before => 'DROP TABLE t')
    || '{"accept": {"0001_a": ["drop_table"]}}', strict => true);
SELECT publicdigit.register_module(module('DROP TABLE t') || '{"accept": {"0001_a": ["drop_table", "truncate"]}}', true);
SELECT publicdigit.unregister_module('lint');
SELECT publicdigit.register_module(module('DROP TABLE t') || '{"accept": {"0002_a": ["drop_table"]}}');
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('DROP TABLE t') || '{"accept": {"0001_a": ["drop_tables"]}}');
\echo :LAST_ERROR_SQLSTATE

-- Any script that does not parse, whatever the caller has set.
\set SHOW_CONTEXT always
SELECT publicdigit.register_module(module(E'SELECT 1;\n\n-- é\nSELECT ''é'' FORM t'));
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module(module('SELECT 1')
    || '{"scripts": {"migrations/tenant/0001_a.up.sql": "", "migrations/tenant/0001_a.down.sql": "\nDROP t"}}');
SELECT publicdigit.register_module(module('SELECT 1')
    || '{"scripts": {"migrations/tenant/0001_a.up.sql": "", "seeds/tenant/a.sql": "INSERT t"}}');
SELECT publicdigit.register_module(module(E'\\\\restrict abc\nDROP TABLE t'));
-- The rows of COPY, which no script has.  Where a row looks like a statement, it is not known that they are some.
SELECT rows, try(format('SELECT publicdigit.register_module(%L::jsonb)', module(E'SELECT 1;\nCOPY t FROM stdin;\n' || rows))) FROM unnest(ARRAY[
    E'1\tone\n\\.\n', E'\\.\n', E'one\tit''s\n\\.\n', E'SELECT\t1;\n\\.\n', E'SELECT\t1;\n2\n\\.\n']) AS rows;
SELECT try(format('SELECT publicdigit.register_module(%L::jsonb)', module(statement || E'\n1\tone\n'))) FROM unnest(ARRAY['COPY t TO stdout;', 'COPY t FROM ''f'';', 'SELECT 1;', '', '-- COPY t FROM stdin;']) AS statement;
\set SHOW_CONTEXT never
SELECT module($$SELECT '\'; DROP TABLE t; --'$$) AS hidden \gset
SET standard_conforming_strings = off;
SELECT publicdigit.register_module(:'hidden'::jsonb, true);
RESET standard_conforming_strings;

SET client_min_messages = error;
DROP FUNCTION public.module, public.findings, public.lock_of, public.rewrites, public.version, public.repeatable, public.kept;
RESET client_min_messages;
\set clean :include 'clean.psql'
\i :clean

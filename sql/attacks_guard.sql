-- Attempts to reach the schema of a tenant that is not bound: by its name, past its name, and by
-- what was made while it could be named.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
\set attack :include 'attack.psql'
\i :attack

-- Things for which row-level security does not hold, with all the privileges that can be given.
SET ROLE regress_owner;
CREATE TABLE tenant_beta.plain (id serial, body text);
INSERT INTO tenant_beta.plain (body) VALUES ('beta plain');
CREATE MATERIALIZED VIEW tenant_beta.report AS SELECT 'beta report' AS body;
CREATE FUNCTION tenant_beta.tell() RETURNS text LANGUAGE sql RETURN 'beta told';
CREATE VIEW tenant_beta.shown AS SELECT 'beta shown' AS body;
CREATE TYPE tenant_beta.kind AS ENUM ('beta kind');
GRANT ALL ON ALL TABLES IN SCHEMA tenant_beta TO regress_app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA tenant_beta TO regress_app;
GRANT CREATE ON SCHEMA tenant_beta TO regress_app;
CREATE TABLE landlord.parted (body text) PARTITION BY LIST (body);
CREATE TABLE landlord.parent (body text);
ANALYZE tenant_beta.plain;
CREATE VIEW landlord.peek AS TABLE tenant_beta.plain;
CREATE VIEW landlord.peek_invoker WITH (security_invoker) AS TABLE tenant_beta.plain;
CREATE FUNCTION landlord.atomic() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT body FROM tenant_beta.plain; END;
CREATE FUNCTION landlord.dynamic() RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY EXECUTE 'SELECT body FROM tenant_beta.plain'; END $$;
GRANT ALL ON ALL TABLES IN SCHEMA landlord TO regress_app;
-- No partition and no child leads into it: not even the owner can make one.
CREATE TABLE tenant_beta.part PARTITION OF landlord.parted DEFAULT;
CREATE TABLE tenant_beta.child () INHERITS (landlord.parent);
CREATE TABLE landlord.part PARTITION OF landlord.parted DEFAULT;
CREATE TABLE landlord.child () INHERITS (landlord.parent);
ALTER TABLE landlord.part SET SCHEMA tenant_beta;
ALTER TABLE landlord.child SET SCHEMA tenant_beta;
ALTER TABLE landlord.parent SET SCHEMA tenant_beta;
-- Nothing holds those that are taken apart.
ALTER TABLE landlord.child NO INHERIT landlord.parent;
BEGIN;
ALTER TABLE landlord.parent SET SCHEMA tenant_beta;
ALTER TABLE landlord.child SET SCHEMA tenant_beta;
ROLLBACK;
CREATE TABLE tenant_beta.part (body text);
ALTER TABLE landlord.parted ATTACH PARTITION tenant_beta.part FOR VALUES IN ('x');
ALTER TABLE tenant_beta.part INHERIT landlord.parent;
CREATE TABLE tenant_beta.parted (body text) PARTITION BY LIST (body);
CREATE TABLE tenant_beta.parted_1 PARTITION OF tenant_beta.parted DEFAULT;
RESET ROLE;
GRANT CREATE ON SCHEMA public TO regress_web;
SELECT 'tenant_beta.plain_id_seq'::regclass::oid AS sequence, 'tenant_beta.plain'::regclass::oid AS plain \gset

-- The same list, with acme bound and with nothing bound.
CREATE FUNCTION public.attack_list(sequence oid, plain oid) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT public.attack(what, replace(replace(statement, ':sequence', sequence::text), ':plain', plain::text), true)
    FROM (VALUES
        ('SELECT', 'SELECT body FROM tenant_beta.plain'),
        ('SELECT of no column', 'SELECT count(*) FROM tenant_beta.plain'),
        ('TABLE, protected', 'TABLE tenant_beta.note'),
        ('materialized view', 'TABLE tenant_beta.report'),
        ('subquery', 'SELECT (SELECT body FROM tenant_beta.plain)'),
        ('CTE', 'WITH c AS (SELECT body FROM tenant_beta.plain) SELECT * FROM c'),
        ('EXISTS', 'SELECT EXISTS (SELECT FROM tenant_beta.plain)'),
        ('FOR UPDATE', 'SELECT body FROM tenant_beta.plain FOR UPDATE'),
        ('INSERT', 'INSERT INTO tenant_beta.plain (body) VALUES (''x'')'),
        ('UPDATE', 'UPDATE tenant_beta.plain SET body = ''x'''),
        ('DELETE', 'DELETE FROM tenant_beta.plain'),
        ('DELETE USING', 'DELETE FROM landlord.event USING tenant_beta.plain AS p WHERE p.body = event.body'),
        ('MERGE', 'MERGE INTO tenant_beta.plain AS p USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE'),
        ('EXPLAIN', 'EXPLAIN SELECT * FROM tenant_beta.plain'),
        ('CREATE TABLE AS', 'CREATE TEMP TABLE t AS TABLE tenant_beta.plain'),
        ('LIKE', 'CREATE TEMP TABLE t (LIKE tenant_beta.plain)'),
        ('view', 'TABLE landlord.peek'),
        ('view, security_invoker', 'TABLE landlord.peek_invoker'),
        ('BEGIN ATOMIC', 'SELECT landlord.atomic()'),
        ('dynamic query', 'SELECT landlord.dynamic()'),
        ('function', 'SELECT tenant_beta.tell()'),
        ('type', 'SELECT enum_first(NULL::tenant_beta.kind)'),
        ('row type', 'SELECT NULL::tenant_beta.plain'),
        ('query_to_xml', 'SELECT query_to_xml(''TABLE tenant_beta.plain'', true, true, '''')'),
        ('table_to_xml by OID', 'SELECT table_to_xml(:plain, true, true, '''')'),
        ('statistics', 'SELECT most_common_vals FROM pg_stats WHERE schemaname = ''tenant_beta'''),
        ('statistics, extended', 'SELECT * FROM pg_stats_ext'),
        ('LOCK TABLE by a view', 'LOCK TABLE landlord.peek'),
        ('LOCK TABLE', 'LOCK TABLE tenant_beta.plain IN ACCESS SHARE MODE'),
        ('TRUNCATE', 'TRUNCATE tenant_beta.plain'),
        ('ANALYZE', 'ANALYZE tenant_beta.plain'),
        ('nextval', 'SELECT nextval(''tenant_beta.plain_id_seq'')'),
        ('nextval by OID', 'SELECT nextval(:sequence)'),
        ('nextval by OID as text', 'SELECT nextval('':sequence'')'),
        ('nextval by OID, computed', 'SELECT nextval((:sequence - 1 + n)::oid) FROM generate_series(1, 1) AS n'),
        ('setval by OID', 'SELECT setval(:sequence, 100)'),
        ('setval by OID, called', 'SELECT setval(:sequence, 100, false)'),
        ('sequence''s own row', 'SELECT last_value FROM tenant_beta.plain_id_seq'),
        ('nextval in a block', 'DO ''BEGIN PERFORM nextval(:sequence); END'''),
        ('nextval in an expression', 'DO ''DECLARE x bigint := nextval(:sequence); BEGIN END'''),
        ('nextval, inlined', 'CREATE FUNCTION pg_temp.n() RETURNS bigint LANGUAGE sql AS ''SELECT nextval(:sequence)''; SELECT pg_temp.n()'),
        ('nextval, inlined and by another name',
         'CREATE FUNCTION pg_temp.n() RETURNS bigint LANGUAGE sql AS ''SELECT U&"n\0065xtval"(:sequence)''; SELECT pg_temp.n()'),
        ('nextval as an operator',
         'CREATE OPERATOR public.#### (FUNCTION = nextval, RIGHTARG = regclass); SELECT OPERATOR(public.####) :sequence::regclass'),
        ('nextval as a default, INSERT',
         'CREATE TEMP TABLE t (a int, b bigint DEFAULT nextval(:sequence)); INSERT INTO t VALUES (1)'),
        ('nextval as a default, ALTER TABLE',
         'CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ADD b bigint DEFAULT nextval(:sequence)'),
        ('nextval in a CHECK', 'CREATE TEMP TABLE t (a int CHECK (nextval(:sequence) > a)); INSERT INTO t VALUES (1)'),
        ('nextval in a domain', 'CREATE DOMAIN pg_temp.d AS int CHECK (nextval(:sequence) > VALUE); SELECT 1::pg_temp.d'),
        ('nextval as an argument of CALL',
         'CREATE PROCEDURE pg_temp.p(bigint) LANGUAGE sql AS ''''; CALL pg_temp.p(nextval(:sequence))'),
        ('nextval as an argument of EXECUTE', 'PREPARE p(bigint) AS SELECT $1; EXECUTE p(nextval(:sequence))'),
        ('CREATE TABLE', 'CREATE TABLE tenant_beta.mine (a int)'),
        ('CREATE TABLE, partition', 'CREATE TABLE public.mine PARTITION OF landlord.parted FOR VALUES IN (''x'')'),
        ('CREATE FUNCTION', 'CREATE FUNCTION tenant_beta.mine() RETURNS int LANGUAGE sql RETURN 1'),
        ('CREATE TYPE', 'CREATE TYPE tenant_beta.mine AS (a int)'),
        ('CREATE DOMAIN', 'CREATE DOMAIN tenant_beta.mine AS int'),
        ('CREATE VIEW', 'CREATE VIEW tenant_beta.mine AS SELECT 1'),
        ('CREATE VIEW on it', 'CREATE TEMP VIEW mine AS TABLE tenant_beta.plain'),
        ('CREATE SEQUENCE', 'CREATE SEQUENCE tenant_beta.mine'),
        ('CREATE INDEX', 'CREATE INDEX ON tenant_beta.plain (body)'),
        ('CREATE TRIGGER', 'CREATE TRIGGER mine BEFORE UPDATE ON tenant_beta.plain EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
        ('SET SCHEMA', 'CREATE TABLE public.mine (a int); ALTER TABLE public.mine SET SCHEMA tenant_beta'),
        ('SET SCHEMA of a function', 'CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1; ALTER FUNCTION public.mine() SET SCHEMA tenant_beta'),
        ('REFERENCES', 'CREATE TEMP TABLE t (a int REFERENCES tenant_beta.plain)'),
        ('INHERIT', 'CREATE TABLE public.mine () INHERITS (tenant_beta.plain)'),
        ('ALTER TABLE', 'ALTER TABLE tenant_beta.plain ADD x int'),
        ('DROP TABLE', 'DROP TABLE tenant_beta.plain'),
        ('DROP SCHEMA', 'DROP SCHEMA tenant_beta CASCADE'),
        ('GRANT', 'GRANT ALL ON tenant_beta.plain TO PUBLIC'),
        ('COMMENT', 'COMMENT ON TABLE tenant_beta.plain IS ''x'''),
        ('DISABLE ROW LEVEL SECURITY', 'ALTER TABLE tenant_beta.note DISABLE ROW LEVEL SECURITY'),
        ('CREATE POLICY', 'CREATE POLICY mine ON tenant_beta.note USING (true)'),
        ('regclass', 'SELECT ''tenant_beta.plain''::regclass'),
        ('to_regclass', 'SELECT to_regclass(''tenant_beta.plain'')'),
        ('pg_get_serial_sequence', 'SELECT pg_get_serial_sequence(''tenant_beta.plain'', ''id'')')
    ) AS v (what, statement)
$$;
\c - regress_web
SET search_path = pg_catalog, public;
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SELECT public.attack_list(:sequence, :plain);
COPY tenant_beta.plain TO STDOUT;
COPY (TABLE tenant_beta.plain) TO STDOUT;
\copy tenant_beta.plain (body) FROM /dev/null
SELECT publicdigit.forget_tenant();
DEALLOCATE ALL;
SELECT outcome FROM public.attack_list(:sequence, :plain) AS outcome
WHERE outcome NOT LIKE '%: 42501 permission denied for schema tenant_beta';

-- By search_path, which passes over the schema.
SELECT publicdigit.use_tenant('acme', false) = :'acme';
SET search_path = tenant_beta, public;
SELECT current_schemas(false);
SELECT public.attack('search_path: ' || statement, statement, true)
FROM unnest('{TABLE plain, SELECT tell(), LOCK TABLE plain, SELECT nextval(''plain_id_seq''), TRUNCATE plain}'::text[]) AS statement;
ALTER ROLE regress_web SET search_path = tenant_beta, public;
\c - regress_web
-- Where the library is not preloaded it comes with the first function of the extension.
SELECT publicdigit.current_tenant();
SELECT current_schemas(false);
SELECT public.attack('search_path of the role', 'TABLE plain', true);
ALTER ROLE regress_web RESET search_path;

-- By a path that was right when it was set: what it was computed from no longer holds.
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT count(*) FROM note;
RESET publicdigit.context;
SHOW search_path;
SELECT public.attack('path without its tenant: ' || statement, statement, true)
FROM unnest('{TABLE note, LOCK TABLE note, DELETE FROM note}'::text[]) AS statement;
ROLLBACK;

-- By what was prepared when the schema could be reached.
\c - :superuser
SELECT publicdigit.grant_tenant_access('regress_web', 'beta');
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('beta') = :'beta';
PREPARE read AS SELECT body FROM plain;
PREPARE draw AS SELECT nextval('plain_id_seq');
CREATE TEMP VIEW kept_view AS SELECT body FROM shown;
CREATE TEMP VIEW kept AS SELECT body FROM plain;
CREATE FUNCTION pg_temp.kept() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT body FROM plain; END;
CREATE TEMP TABLE numbered (id bigint DEFAULT nextval('plain_id_seq'), a int);
EXECUTE read;
EXECUTE draw;
COMMIT;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SAVEPOINT s;
EXECUTE read;
ROLLBACK TO s;
EXECUTE draw;
ROLLBACK TO s;
SELECT public.attack('temporary view', 'TABLE kept', true);
SELECT public.attack('temporary view of a view', 'TABLE kept_view', true);
SELECT public.attack('function of one''s own', 'SELECT pg_temp.kept()', true);
SELECT public.attack('default of one''s own', 'INSERT INTO numbered (a) VALUES (1)', true);
\copy numbered (a) FROM /dev/null
ROLLBACK;

-- By nextval that was planned, or got ready, for somebody else.
\c - :superuser
CREATE FUNCTION public.draw(s oid) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN nextval(s); END $$;
CREATE FUNCTION public.draw_raw(s oid) RETURNS bigint LANGUAGE sql AS 'SELECT nextval(s)';
CREATE FUNCTION public.draw_inlined(s oid) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN public.draw_raw(s); END $$;
CREATE FUNCTION public.draw_first() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN RETURN public.draw('public.own'::regclass); END $$;
CREATE SEQUENCE public.own;
GRANT USAGE ON SEQUENCE public.own TO PUBLIC;
CREATE ROLE regress_noinherit LOGIN NOINHERIT IN ROLE regress_app;
SELECT publicdigit.grant_tenant_access('regress_noinherit', 'acme');
SELECT public.draw('public.own'::regclass), public.draw_inlined('public.own'::regclass);
\c - regress_web
SELECT publicdigit.current_tenant();
SELECT public.attack('planned for a superuser', format('SELECT public.draw_first() IS NULL, public.draw(%s)', :sequence), true);
SELECT public.attack('inlined', format('SELECT public.draw_inlined(%s)', :sequence), true);
\c - regress_noinherit
SELECT publicdigit.current_tenant();
SET search_path = public;
SELECT public.draw('own'::regclass);
SET ROLE regress_app;
SELECT public.attack('planned for a role that inherits nothing', format('SELECT public.draw(%s)', :sequence), true);
RESET ROLE;
SELECT public.attack('got ready for a role that inherits nothing', format('SELECT public.draw_inlined(%s)', :sequence), true);
-- By what ALTER TABLE computes when it adds a serial column.
\c - regress_web
SELECT publicdigit.current_tenant();
CREATE FUNCTION public.computed(s oid) RETURNS oid LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_setting('a.go', true) = '1' THEN PERFORM public.draw_raw(s); END IF;
    RETURN s;
END $$;
CREATE TABLE public.computed (s oid);
CREATE INDEX ON public.computed (public.computed(s));
INSERT INTO public.computed VALUES (:sequence);
SET a.go = '1';
SELECT public.attack('index of a table that gets a serial', 'ALTER TABLE public.computed ADD id serial', true);
RESET a.go;
DROP TABLE public.computed;
DROP FUNCTION public.computed;
-- By another name for the app role, which leaves nobody out; and for the schema.
\c - :superuser
SELECT publicdigit.environment();
ALTER SCHEMA tenant_beta RENAME TO regress_beta;
ALTER ROLE regress_app RENAME TO regress_former;
\c - regress_web
SELECT publicdigit.current_tenant();
SELECT public.attack('app role renamed: nextval by OID', format('SELECT nextval(%s)', :sequence), true);
SELECT public.attack('app role renamed: nextval inlined', format('SELECT public.draw_raw(%s)', :sequence), true);
SELECT public.attack('app role renamed: by name', 'TABLE tenant_beta.plain', true);
\c - :superuser
ALTER ROLE regress_former RENAME TO regress_app;

-- Who passes: a superuser, the owner and the admin role, also in their functions; a view does not.
\c - :superuser
SELECT count(*) FROM tenant_beta.plain;
CREATE FUNCTION public.superuser_reads() RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp RETURN (SELECT count(*) FROM tenant_beta.plain);
SET SESSION AUTHORIZATION regress_owner;
SELECT count(*) FROM tenant_beta.plain;
SET SESSION AUTHORIZATION regress_admin;
SELECT 'tenant_beta.plain'::regclass;
RESET SESSION AUTHORIZATION;
\c - regress_web
SELECT publicdigit.current_tenant();
SELECT public.superuser_reads();
-- What is no tenant's is nobody's business, sequences included.
CREATE TABLE public.mine (id serial, a int);
INSERT INTO public.mine (a) VALUES (1) RETURNING id;
ALTER TABLE public.mine ADD other serial;
SELECT nextval('public.mine_id_seq'), setval('public.mine_id_seq', 7), currval('public.mine_id_seq');
DROP TABLE public.mine;

\set attack_end :include 'attack_end.psql'
\i :attack_end
DROP FUNCTION public.attack_list, public.superuser_reads, public.draw, public.draw_raw, public.draw_inlined, public.draw_first;
DROP SEQUENCE public.own;
\set clean :include 'clean.psql'
\i :clean

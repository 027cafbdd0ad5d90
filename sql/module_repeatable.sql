-- Repeatable scripts: views and functions, made after the migrations, made again when their
-- statements change, and gone before down scripts run.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
SELECT publicdigit.install_module('trace', 'acme');
-- Version of card: its migrations and repeatable scripts; each script leaves a trace.
CREATE FUNCTION card(version text, migrations int, scripts jsonb, name text DEFAULT 'card') RETURNS text LANGUAGE sql AS $$
    SELECT module(name, version, jsonb_object_agg(key, value || CASE WHEN key ~ 'repeatable' THEN
        format(E';\nINSERT INTO trace (step) VALUES (%L)', key) ELSE '' END), '{"tables": {"cards": "tenant"}}')
    FROM jsonb_each_text(scripts || CASE WHEN migrations < 1 THEN '{}' ELSE '{"0001_cards.up": "CREATE TABLE cards (tenant_id uuid, n int, m int)", "0001_cards.down": "DROP TABLE cards"}'::jsonb END
        || CASE WHEN migrations < 2 THEN '{}' ELSE '{"0002_o.up": "ALTER TABLE cards ADD o int", "0002_o.down": "ALTER TABLE cards DROP o"}'::jsonb END)
$$;
-- As all servers have it: newer ones leave out the only table's name.
CREATE FUNCTION view_text(name text) RETURNS text LANGUAGE sql AS $$
    SELECT replace(pg_get_viewdef(format('tenant_acme.%I', name)::regclass), 'cards.', '')
$$;
\set double 'CREATE OR REPLACE FUNCTION double(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n * 2'
\set one 'CREATE OR REPLACE VIEW c_one WITH (security_invoker) AS SELECT double(n) AS n FROM cards'
\set two 'CREATE OR REPLACE VIEW d_two WITH (security_invoker) AS SELECT sum(n) AS n FROM c_one'
SELECT card('1.0.0', 1, jsonb_build_object('b_double.repeatable', :'double', 'c_one.repeatable', :'one', 'd_two.repeatable', :'two')),
       card('1.1.0', 2, jsonb_build_object('b_double.repeatable', '-- twice it' || E'\r\n' || :'double', 'c_one.repeatable', :'one' || ' WHERE n > 0', 'd_two.repeatable', :'two')),
       card('1.2.0', 2, jsonb_build_object('b_double.repeatable', :'double', 'c_one.repeatable', :'one' || ' WHERE n > 0',
                                           'e_three.repeatable', 'CREATE VIEW e_three WITH (security_invoker) AS SELECT o FROM cards'));
RESET client_min_messages;

-- Made in the order of their names; only what has changed is made again.
SELECT did('install', 'card', version => '1.0.0');
SELECT did('upgrade', 'card', version => '1.1.0');
SELECT did('upgrade', 'card', version => '1.2.0');
SELECT did('upgrade', 'card', version => '1.2.0');
SELECT to_regclass('tenant_acme.d_two'), to_regclass('tenant_acme.e_three'), view_text('c_one');
-- The way down drops all, undoes, and makes those of the lower version.
SELECT did('downgrade', 'card', version => '1.0.0');
SELECT view_text('c_one'), publicdigit.rollback_tenant('acme'), to_regprocedure('tenant_acme.double(int)');
SELECT did('install', 'card', version => '1.2.0');
SELECT count(*) FROM publicdigit.pending_migrations('acme');
SELECT did('uninstall', 'card');

-- Dropped by hand meanwhile: it is made again when it changes, and nothing is amiss on the way out.
SELECT publicdigit.install_module('card', 'acme', '1.0.0');
DROP VIEW tenant_acme.c_one CASCADE;
SELECT did('upgrade', 'card', version => '1.1.0');
DROP FUNCTION tenant_acme.double CASCADE;
SELECT action, migration, statement FROM publicdigit.plan_module('uninstall', 'card', 'acme');
SELECT publicdigit.uninstall_module('card', 'acme');
SELECT broken();
-- What somebody has put in its place is nobody's, and stays.
SELECT publicdigit.install_module('card', 'acme', '1.2.0');
DROP VIEW tenant_acme.e_three;
CREATE TABLE tenant_acme.e_three (n int);
SELECT publicdigit.uninstall_module('card', 'acme');
SELECT broken();
DROP TABLE tenant_acme.e_three;

-- What stands on it by hand keeps it, and all of it.
SELECT publicdigit.install_module('card', 'acme', '1.0.0');
CREATE VIEW tenant_acme.by_hand AS SELECT * FROM tenant_acme.d_two;
SELECT harmless($$SELECT publicdigit.uninstall_module('card', 'acme')$$);
SELECT harmless($$SELECT publicdigit.upgrade_module('card', 'acme')$$);
DROP VIEW tenant_acme.by_hand;

-- Names that clash: with another module's, with a script's own table.
SET client_min_messages = error;
SELECT module('clash', '1.0.0', '{"view.repeatable": "CREATE VIEW c_one AS SELECT 1 AS one"}'),
       module('clash', '1.1.0', jsonb_build_object('view.repeatable', 'CREATE OR REPLACE VIEW c_one AS SELECT 1 AS n')),
       module('clash', '1.2.0', '{"view.repeatable": "CREATE VIEW cards AS SELECT 1 AS one"}'),
       module('clash', '1.3.0', '{"view.repeatable": "CREATE TABLE extra (tenant_id uuid)", "wiew.repeatable": "SELECT * FROM missing"}'),
       module('clash', '1.4.0', '{"view.repeatable": "DROP VIEW IF EXISTS d_two; CREATE VIEW v AS SELECT 1 AS one; CREATE VIEW w AS SELECT one FROM v"}');
RESET client_min_messages;
SELECT version, harmless(format('SELECT publicdigit.install_module(''clash'', ''acme'', %L)', version)) FROM unnest('{1.0.0,1.2.0,1.3.0}'::text[]) AS version;
SELECT * FROM installed;
-- Replacing another module's view does not make it one's own.
SELECT publicdigit.install_module('clash', 'acme', '1.1.0');
SELECT count(*) FROM publicdigit.plan_module('uninstall', 'clash', 'acme');
SELECT publicdigit.uninstall_module('clash', 'acme');
SELECT to_regclass('tenant_acme.c_one');
-- Several objects of one script go in reverse.
SELECT publicdigit.install_module('clash', 'acme', '1.4.0');
SELECT statement FROM publicdigit.plan_module('uninstall', 'clash', 'acme');
SELECT publicdigit.uninstall_module('clash', 'acme');
SELECT publicdigit.uninstall_module('card', 'acme');
SELECT broken();

-- A module that has nothing else; and functions of one name that their arguments tell apart.
SET client_min_messages = error;
SELECT module('only', '1.0.0', jsonb_build_object('types.repeatable', 'CREATE TYPE mood AS ENUM (''good'', ''bad''); CREATE DOMAIN "Odd name" AS text CHECK (value <> '''');
    CREATE FUNCTION f(mood) RETURNS text LANGUAGE sql RETURN ''mood''; CREATE FUNCTION f("Odd name", int DEFAULT 1) RETURNS text LANGUAGE sql RETURN ''odd'';
    CREATE PROCEDURE p(INOUT n int) LANGUAGE plpgsql AS ''BEGIN n := 1; END''; CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
    CREATE AGGREGATE number(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = ''0''); CREATE AGGREGATE joined(text ORDER BY text)
    (SFUNC = textcat, STYPE = text, FINALFUNC = textcat)'), '{"on_uninstall": "archive"}'),
       module('only', '1.1.0', jsonb_build_object('f.repeatable', 'CREATE FUNCTION f(text) RETURNS text LANGUAGE sql RETURN ''text'''));
RESET client_min_messages;
SELECT publicdigit.install_module('only', 'acme', '1.0.0');
SELECT type, identity, migration FROM publicdigit.module_object WHERE migration IS NOT NULL ORDER BY position;
SELECT broken();
SELECT statement FROM publicdigit.plan_module('upgrade', 'only', 'acme');
SELECT publicdigit.upgrade_module('only', 'acme');
SELECT harmless($$SELECT publicdigit.rollback_tenant('acme', 9)$$);
SELECT * FROM installed;
SELECT publicdigit.downgrade_module('only', 'acme', '1.0.0');
SELECT broken();
SELECT publicdigit.uninstall_module('only', 'acme'), publicdigit.install_module('only', 'acme');
SELECT broken();
SELECT tenant_acme.number(*), tenant_acme.joined('b') WITHIN GROUP (ORDER BY 'a'::text);
SELECT publicdigit.uninstall_module('only', 'acme'), publicdigit.uninstall_module('trace', 'acme');
SELECT count(*) FROM pg_depend WHERE refobjid = 'tenant_acme'::regnamespace AND deptype = 'n';

-- A migration drops what a script has made that is as it was, and so does not run again; under
-- another name it does.
SET client_min_messages = error;
CREATE FUNCTION wide(version text, view_script text, up2 text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT module('wide', version, jsonb_strip_nulls(jsonb_build_object('0001_a.up', 'CREATE TABLE a (tenant_id uuid, n int)', '0001_a.down', 'DROP TABLE a',
        '0002_n.up', up2, '0002_n.down', CASE WHEN up2 IS NOT NULL THEN 'ALTER TABLE a ALTER n TYPE int' END,
        view_script, 'CREATE OR REPLACE VIEW wide WITH (security_invoker) AS SELECT n FROM a')))
$$;
SELECT wide('1.0.0', 'wide.repeatable'), wide('1.1.0', 'wide.repeatable', 'DROP VIEW IF EXISTS wide; ALTER TABLE a ALTER n TYPE bigint'),
       wide('1.2.0', 'wide_2.repeatable', 'ALTER TABLE a ALTER n TYPE bigint');
RESET client_min_messages;
SELECT publicdigit.install_module('wide', t, '1.0.0') FROM unnest('{acme,beta}'::text[]) AS t;
SELECT publicdigit.upgrade_module('wide', 'acme', '1.1.0');
SELECT difference, object FROM publicdigit.check_drift('acme') WHERE module = 'wide';
SELECT publicdigit.upgrade_module('wide', 'beta');
SELECT count(*) FROM publicdigit.check_drift('beta');
SELECT broken();
SELECT publicdigit.uninstall_module('wide', t) FROM unnest('{acme,beta}'::text[]) AS t;

SET client_min_messages = error;
DROP FUNCTION card, wide;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

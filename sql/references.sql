-- reference_landlord(): a tenant's column that refers to a landlord's table, as by a foreign key.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
CREATE VIEW public.entered AS
    SELECT landlord_table, key, slug FROM publicdigit.landlord_reference_key
    LEFT JOIN publicdigit.tenant ON id = tenant_id ORDER BY landlord_table::text COLLATE "C", key, slug;

-- The landlord's module has its side from the start; what is not shared has not.
SELECT publicdigit.register_module(jsonb_build_object('name', 'world', 'version', '1.0.0', 'context', 'landlord',
    'tables', jsonb_build_object('country', 'shared'),
    'scripts', jsonb_build_object(
        'migrations/0001_country.up.sql', 'CREATE TABLE country (code char(2) PRIMARY KEY, name text);
            CREATE TABLE secret (id int PRIMARY KEY)',
        'migrations/0001_country.down.sql', 'DROP TABLE country, secret',
        'seeds/0001_country.sql', $$INSERT INTO country VALUES ('DE', 'Germany'), ('NP', 'Nepal'), ('US', 'United States')$$)));
SELECT publicdigit.register_module(jsonb_build_object('name', 'people', 'version', '1.0.0', 'context', 'tenant',
    'requires', jsonb_build_object('world', '*'), 'tables', jsonb_build_object('person', 'tenant'),
    'scripts', jsonb_build_object(
        'migrations/tenant/0001_person.up.sql', $$
            CREATE TABLE person (id int, tenant_id uuid, country char(2), born char(2));
            SELECT publicdigit.reference_landlord('person', 'country', 'country');
            SELECT publicdigit.reference_landlord('person', 'born', 'country')$$,
        'migrations/tenant/0001_person.down.sql', 'DROP TABLE person')));
SELECT publicdigit.install_module('world');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('landlord.country'::regclass, 'landlord.secret'::regclass) ORDER BY 1, 2;

-- Installing and uninstalling lock the landlord's table no more than a query that locks rows.
CREATE VIEW public.locked AS
    SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = to_regclass('landlord.country') ORDER BY 1;
BEGIN;
SELECT publicdigit.install_module('people', 'acme');
TABLE public.locked;
COMMIT;
BEGIN;
SELECT publicdigit.uninstall_module('people', 'acme');
TABLE public.locked;
ROLLBACK;
SELECT publicdigit.install_module('people', 'beta');
SELECT * FROM publicdigit.landlord_references ORDER BY table_name::text, column_name;

-- What is missing is refused, and the module named that brings it.
\c - regress_web
\set VERBOSITY verbose
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO person VALUES (1, DEFAULT, 'DE');
ROLLBACK;
\set VERBOSITY default
\c - :superuser
SELECT publicdigit.seed_module('world');
\c - regress_web
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO person VALUES (1, DEFAULT, 'DE'), (2, DEFAULT, 'DE'), (3, DEFAULT, NULL);
UPDATE person SET country = 'NP', born = 'US' WHERE id = 2;
SELECT public.try('INSERT INTO person VALUES (4, DEFAULT, ''FR'')');
SELECT public.try('UPDATE person SET born = ''FR'' WHERE id = 1');
SELECT public.try('UPDATE person SET id = id + 10');
COMMIT;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT id, country, born FROM person ORDER BY id;
COMMIT;
-- An app role sees neither the registry nor its triggers' doings, and cannot take them away.
SELECT public.try('TABLE publicdigit.landlord_reference_key');
SELECT public.try('SELECT publicdigit.reference_landlord(''tenant_acme.person'', ''id'', ''landlord.country'')');
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
SELECT public.try('DROP TRIGGER person_country_landlord ON person');
SELECT public.try('ALTER TABLE person DISABLE TRIGGER person_country_landlord');
SELECT public.try('SET session_replication_role = replica');
SELECT public.try('CREATE TRIGGER mine AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION publicdigit.check_landlord_reference()');
ROLLBACK;
\c - :superuser
TABLE public.entered;

-- What tenants refer to stays.
SET search_path = landlord, public;
SELECT try('DELETE FROM country WHERE code = ''DE''');
SELECT try('UPDATE country SET code = ''XX'' WHERE code = ''US''');
SELECT try('UPDATE country SET name = upper(name)');
SELECT try('DELETE FROM country');
SELECT try('TRUNCATE country');
SELECT try('DROP TABLE country');
SELECT try('ALTER TABLE country DROP COLUMN code');
SELECT try('SELECT publicdigit.uninstall_module(''world'', ''@landlord'')');
-- Keys that change places within a statement, and one that is put back.
ALTER TABLE country DROP CONSTRAINT country_pkey, ADD CONSTRAINT country_pkey PRIMARY KEY (code) DEFERRABLE;
SELECT split_part(try('INSERT INTO tenant_beta.person VALUES (9, ''' || :'beta' || ''', ''NP'')'), E'\n', 1);
SELECT split_part(try('SELECT publicdigit.reference_landlord(''tenant_beta.person'', ''country'', ''landlord.country'')'), E'\n', 1);
ALTER TABLE country DROP CONSTRAINT country_pkey, ADD CONSTRAINT country_pkey PRIMARY KEY (code);
BEGIN;
WITH gone AS (DELETE FROM country WHERE code = 'NP') SELECT;
ROLLBACK;
BEGIN;
INSERT INTO country VALUES ('FR', 'France');
DELETE FROM country WHERE code = 'FR';
ROLLBACK;

-- Stale entries go with the key; the others stay.
BEGIN;
DELETE FROM tenant_acme.person WHERE country = 'NP' OR born = 'US';
DELETE FROM country WHERE code IN ('NP', 'US');
TABLE public.entered;
-- In this same transaction what was checked before counts no more.
SELECT try('INSERT INTO tenant_acme.person VALUES (5, ''' || :'acme' || ''', ''NP'')');
ROLLBACK;
BEGIN;
INSERT INTO tenant_acme.person VALUES (5, :'acme', 'US');
DELETE FROM tenant_acme.person WHERE 'US' IN (country, born);
DELETE FROM country WHERE code = 'US';
SELECT try('INSERT INTO tenant_acme.person VALUES (5, ''' || :'acme' || ''', ''US'')');
ROLLBACK;
-- What a subtransaction has checked and taken back is checked again.
BEGIN;
INSERT INTO country VALUES ('FR', 'France');
SAVEPOINT s;
INSERT INTO tenant_beta.person VALUES (1, :'beta', 'FR');
ROLLBACK TO s;
DELETE FROM country WHERE code = 'FR';
SELECT try('INSERT INTO tenant_beta.person VALUES (1, ''' || :'beta' || ''', ''FR'')');
ROLLBACK;
-- So is everything after a table has been altered: keys may have gone without their trigger.
BEGIN;
INSERT INTO country VALUES ('FR', 'France');
INSERT INTO tenant_beta.person VALUES (1, :'beta', 'FR');
ALTER TABLE country DISABLE TRIGGER publicdigit_landlord_key;
DELETE FROM country WHERE code = 'FR';
SELECT split_part(try('INSERT INTO tenant_beta.person VALUES (1, ''' || :'beta' || ''', ''FR'')'), E'\n', 1);
ROLLBACK;

-- The first few tenants, and how many they are.
SET client_min_messages = error;
SELECT publicdigit.create_tenant('t' || n), publicdigit.install_module('people', 't' || n) FROM generate_series(1, 3) AS n \g /dev/null
RESET client_min_messages;
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM publicdigit.tenants WHERE slug <> 'acme' LOOP
        EXECUTE format('INSERT INTO %I.person VALUES (1, %L, ''DE'')', t.schema_name, t.id);
    END LOOP;
END $$;
SELECT try('DELETE FROM country WHERE code = ''DE''');
SELECT publicdigit.drop_tenant(slug, force => true) FROM publicdigit.tenants WHERE slug LIKE 't_' ORDER BY slug \g /dev/null
TABLE public.entered;

-- A call again finds what was written meanwhile with the triggers off.
SELECT publicdigit.reference_landlord('tenant_beta.person', 'country', 'country');
SET session_replication_role = replica;
INSERT INTO tenant_beta.person VALUES (2, :'beta', 'US'), (3, :'beta', 'ZZ');
RESET session_replication_role;
TABLE public.entered;
SELECT try('SELECT publicdigit.reference_landlord(''tenant_beta.person'', ''country'', ''country'')');
DELETE FROM tenant_beta.person WHERE id = 3;
ALTER TABLE tenant_beta.person DISABLE TRIGGER ALL;
INSERT INTO tenant_beta.person VALUES (4, :'beta', 'NP');
ALTER TABLE tenant_beta.person ENABLE ALWAYS TRIGGER person_country_landlord, ENABLE ALWAYS TRIGGER person_born_landlord;
SELECT publicdigit.reference_landlord('tenant_beta.person', 'country', 'country');
SELECT * FROM public.entered WHERE slug = 'beta';

-- Renaming changes nothing.
ALTER TABLE country RENAME TO land;
ALTER TABLE land RENAME code TO iso;
ALTER TABLE tenant_beta.person RENAME TO human;
ALTER TABLE tenant_beta.human RENAME country TO home;
SELECT * FROM publicdigit.landlord_references ORDER BY table_name::text, column_name;
SELECT try('INSERT INTO tenant_beta.human VALUES (6, ''' || :'beta' || ''', ''FR'')');
INSERT INTO tenant_beta.human VALUES (6, :'beta', 'NP');
SELECT try('DELETE FROM land WHERE iso = ''US''');
ALTER TABLE tenant_beta.human RENAME home TO country;
ALTER TABLE tenant_beta.human RENAME TO person;
ALTER TABLE land RENAME iso TO code;
ALTER TABLE land RENAME TO country;

-- It goes with its column, its table, its tenant; then the keys are free.
BEGIN;
ALTER TABLE tenant_beta.person DROP COLUMN country;
SELECT count(*) FROM publicdigit.landlord_references WHERE table_name = 'tenant_beta.person'::regclass;
SELECT publicdigit.uninstall_module('people', 'acme'), publicdigit.uninstall_module('people', 'beta');
SELECT count(*) FROM publicdigit.landlord_references;
DELETE FROM country;
TABLE public.entered;
SELECT publicdigit.uninstall_module('world', '@landlord');
ROLLBACK;
BEGIN;
DROP TRIGGER person_country_landlord ON tenant_beta.person;
DROP TRIGGER person_born_landlord ON tenant_beta.person;
INSERT INTO tenant_beta.person VALUES (7, :'beta', 'FR');
ROLLBACK;
BEGIN;
DROP TABLE country CASCADE;
INSERT INTO tenant_beta.person VALUES (7, :'beta', 'FR');
ROLLBACK;
BEGIN;
SELECT publicdigit.drop_tenant('beta', force => true);
SELECT count(*) FROM public.entered WHERE slug IS DISTINCT FROM 'acme';
ROLLBACK;

-- The landlord's side once taken away and put back: everything is checked again.
DROP TRIGGER publicdigit_landlord_key ON country;
SELECT try('INSERT INTO tenant_beta.person VALUES (7, ''' || :'beta' || ''', ''NP'')');
DELETE FROM country WHERE code = 'NP';
DROP TRIGGER publicdigit_landlord_truncate ON country;
SELECT try('SELECT publicdigit.share_table(''country'')');
INSERT INTO country VALUES ('NP', 'Nepal');
SELECT publicdigit.share_table('country'), publicdigit.share_table('country');
SELECT split_part(try('DELETE FROM country WHERE code = ''NP'''), E'\n', 1);

-- What cannot be referred to, or refer.
CREATE TABLE plain (id int, code text);
CREATE TABLE twofold (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE at (moment timestamptz PRIMARY KEY);
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE folds (word text COLLATE folded PRIMARY KEY);
CREATE VIEW seen AS SELECT * FROM plain;
SELECT publicdigit.share_table(name) FROM unnest('{twofold, at, folds}'::regclass[]) AS name \g /dev/null
SELECT try(format('SELECT publicdigit.reference_landlord(%L, %L, %L)', a, b, c)) FROM (VALUES
    (NULL, 'country', 'country'), ('tenant_acme.person', NULL, 'country'), ('tenant_acme.person', 'country', NULL),
    ('plain', 'code', 'country'), ('seen', 'code', 'country'), ('tenant_acme.person', 'none', 'country'), ('tenant_acme.person', 'ctid', 'country'),
    ('tenant_acme.person', 'id', 'country'), ('tenant_acme.person', 'country', 'tenant_acme.note'),
    ('tenant_acme.person', 'id', 'plain'), ('tenant_acme.person', 'id', 'secret'), ('tenant_acme.person', 'id', 'twofold'),
    ('tenant_acme.person', 'id', 'event'), ('tenant_acme.person', 'id', 'at'), ('tenant_acme.person', 'id', 'folds'), ('tenant_acme.person', 'id', 'seen'))
    AS t (a, b, c);
SELECT try('SELECT publicdigit.check_landlord_reference()'), try('SELECT publicdigit.keep_landlord_key()'),
       try('SELECT publicdigit.forget_landlord_keys()'), try('SELECT publicdigit.settle_landlord_references()');
-- The owner, and the admin role for the owner role's tables.
CREATE TABLE tenant_acme.others (code char(2));
ALTER TABLE tenant_acme.person ADD third char(2);
SET ROLE regress_admin;
SELECT try('SELECT publicdigit.reference_landlord(''tenant_acme.others'', ''code'', ''landlord.country'')');
SELECT try('SELECT publicdigit.reference_landlord(''tenant_acme.person'', ''third'', ''landlord.country'')');
RESET ROLE;

-- A table of somebody else's: its owner would have to make the trigger.
ALTER TABLE tenant_acme.others OWNER TO regress_nobody;
SELECT split_part(try('SELECT publicdigit.reference_landlord(''tenant_acme.others'', ''code'', ''landlord.country'')'), E'\n', 1);

-- Keys of other types; where values that are equal read differently, the landlord's own counts.
CREATE TABLE number (n numeric PRIMARY KEY);
CREATE TABLE big (id bigint PRIMARY KEY);
CREATE DOMAIN code AS varchar(10);
CREATE TABLE word (word text PRIMARY KEY);
CREATE TABLE thing (id uuid PRIMARY KEY);
SELECT publicdigit.share_table(name) FROM unnest('{number, big, word, thing}'::regclass[]) AS name \g /dev/null
INSERT INTO number VALUES (1.0), (2);
INSERT INTO big VALUES (7), (8);
INSERT INTO word VALUES ('a'), ('A'), (repeat('x', 100));
INSERT INTO thing VALUES ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000002');
CREATE TABLE tenant_acme.kinds (tenant_id uuid, n numeric(5,2), id int, word code, thing uuid);
SELECT publicdigit.protect_table('tenant_acme.kinds');
INSERT INTO tenant_acme.kinds VALUES (:'acme', 1.00, 7, 'a', '00000000-0000-0000-0000-000000000001');
SELECT publicdigit.reference_landlord('tenant_acme.kinds', 'n', 'number'), publicdigit.reference_landlord('tenant_acme.kinds', 'id', 'big'),
       publicdigit.reference_landlord('tenant_acme.kinds', 'word', 'word'), publicdigit.reference_landlord('tenant_acme.kinds', 'thing', 'thing');
SELECT * FROM public.entered WHERE landlord_table <> 'country'::regclass;
SELECT split_part(try(statement), E'\n', 1), split_part(try(statement), E'\n', 2) FROM (VALUES
    ('DELETE FROM number WHERE n = 1'), ('UPDATE number SET n = 1.000 WHERE n = 1'), ('DELETE FROM number WHERE n = 1'), ('DELETE FROM number WHERE n = 2'),
    ('DELETE FROM big WHERE id = 7'), ('DELETE FROM big WHERE id = 8'), ('DELETE FROM word WHERE word = ''A'''), ('DELETE FROM word WHERE word = ''a'''),
    ('DELETE FROM thing WHERE id::text LIKE ''%2'''), ('DELETE FROM thing'),
    ('INSERT INTO tenant_acme.kinds (id) VALUES (9)'), ('INSERT INTO tenant_acme.kinds (word) VALUES (''A'')')) AS t (statement);
-- The server changes no type of a column that a trigger names.
ALTER TABLE tenant_acme.kinds ALTER word TYPE text;
ALTER TABLE tenant_acme.kinds ADD long text;
INSERT INTO tenant_acme.kinds (tenant_id, long) VALUES (:'acme', repeat('x', 100));
SELECT publicdigit.reference_landlord('tenant_acme.kinds', 'long', 'word');
UPDATE tenant_acme.kinds SET long = repeat('x', 100);
SELECT split_part(try(format('UPDATE tenant_acme.kinds SET long = %L', repeat('x', 101))), E'\n', 1);
SELECT split_part(try('DELETE FROM word WHERE length(word) = 100'), E'\n', 1);

-- A partitioned table of a tenant, with partitions of before and after; one of the landlord has no trigger for TRUNCATE of its partitions.
CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);
SELECT publicdigit.share_table('part');
CREATE TABLE tenant_acme.visit (tenant_id uuid, day date, id int) PARTITION BY RANGE (day);
CREATE TABLE tenant_acme.visit_1 PARTITION OF tenant_acme.visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
SELECT try('SELECT publicdigit.reference_landlord(''tenant_acme.visit'', ''id'', ''part'')');
INSERT INTO big VALUES (1), (2), (3);
SELECT publicdigit.reference_landlord('tenant_acme.visit', 'id', 'big');
CREATE TABLE tenant_acme.visit_2 PARTITION OF tenant_acme.visit FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
INSERT INTO tenant_acme.visit VALUES (:'acme', '2026-05-05', 1), (:'acme', '2027-05-05', 2);
SELECT * FROM public.entered WHERE landlord_table = 'big'::regclass;
SELECT * FROM publicdigit.landlord_references WHERE table_name::text LIKE 'tenant_acme.visit%';
SELECT split_part(try(statement), E'\n', 1) FROM (VALUES
    ('INSERT INTO tenant_acme.visit_2 VALUES (NULL, ''2027-06-06'', 4)'), ('INSERT INTO tenant_acme.visit_1 VALUES (NULL, ''2026-06-06'', 4)'),
    ('DELETE FROM big WHERE id = 1'), ('DELETE FROM big WHERE id = 2'), ('DELETE FROM big WHERE id = 3'),
    ('ALTER TABLE tenant_acme.visit DROP COLUMN id')) AS t (statement);

-- A script's own tables count as inside, the registry as the extension's.
SELECT publicdigit.register_module(jsonb_build_object('name', 'odd', 'version', '1.0.0', 'context', 'tenant',
    'tables', jsonb_build_object('odd', 'tenant'), 'scripts', jsonb_build_object('migrations/tenant/0001_odd.up.sql', $$
        CREATE TABLE odd (tenant_id uuid, code char(2));
        INSERT INTO odd (code) VALUES ('US');
        DO 'BEGIN PERFORM publicdigit.reference_landlord(''odd'', ''code'', ''country'');
            BEGIN INSERT INTO odd (code) VALUES (''FR''); EXCEPTION WHEN foreign_key_violation THEN NULL; END;
            BEGIN INSERT INTO publicdigit.landlord_reference_key VALUES (''country'', ''FR'', gen_random_uuid());
            EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE ''%'', SQLERRM; END; END'$$)));
INSERT INTO country VALUES ('US', 'United States') ON CONFLICT DO NOTHING;
SELECT publicdigit.install_module('odd', 'acme');
SELECT count(*) FROM tenant_acme.odd;

-- The owner role gets the trigger with a partition that it makes, in a script too.
SET ROLE regress_owner;
CREATE TABLE tenant_beta.visit (tenant_id uuid, id int) PARTITION BY LIST (id);
SELECT publicdigit.reference_landlord('tenant_beta.visit', 'id', 'landlord.big');
CREATE TABLE tenant_beta.visit_1 PARTITION OF tenant_beta.visit FOR VALUES IN (1, 4);
SELECT split_part(try('INSERT INTO tenant_beta.visit VALUES (''' || :'beta' || ''', 4)'), E'\n', 1);
RESET ROLE;
SELECT publicdigit.register_module(jsonb_build_object('name', 'stay', 'version', '1.0.0', 'context', 'tenant',
    'tables', jsonb_build_object('stay', 'tenant'), 'scripts', jsonb_build_object('migrations/tenant/0001_stay.up.sql', $$
        CREATE TABLE stay (tenant_id uuid, id numeric, day date) PARTITION BY LIST (id);
        SELECT publicdigit.reference_landlord('stay', 'id', 'number');
        CREATE TABLE stay_2 PARTITION OF stay FOR VALUES IN (2) PARTITION BY RANGE (day);
        CREATE TABLE stay_2a PARTITION OF stay_2 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        INSERT INTO stay (id, day) VALUES (2, '2026-06-06')$$)));
INSERT INTO number VALUES (2) ON CONFLICT DO NOTHING;
ALTER TABLE number OWNER TO regress_owner;
SELECT publicdigit.install_module('stay', 'beta');
-- A script of the landlord's that takes keys away: tenants' protected tables are read for it.
SELECT publicdigit.register_module(jsonb_build_object('name', 'tidy', 'version', '1.0.0', 'context', 'landlord',
    'scripts', jsonb_build_object('migrations/0001_tidy.up.sql', $$
        INSERT INTO number VALUES (3), (4);
        CREATE FUNCTION let_go(gone numeric) RETURNS void LANGUAGE plpgsql AS 'BEGIN
            DELETE FROM number WHERE n = gone; RAISE NOTICE ''% is free'', gone;
            EXCEPTION WHEN foreign_key_violation THEN RAISE NOTICE ''%: %'', gone, SQLERRM; END';
        SELECT let_go(1), let_go(2), let_go(3)$$)));
SELECT publicdigit.install_module('tidy');
DELETE FROM tenant_acme.kinds;
DELETE FROM tenant_beta.stay;
SELECT key, slug FROM public.entered WHERE landlord_table = 'number'::regclass;
BEGIN;
SELECT landlord.let_go(1), landlord.let_go(2);
SELECT key, slug FROM public.entered WHERE landlord_table = 'number'::regclass;
ROLLBACK;

-- Triggers made by hand: only one that is just as ours counts.  None brings the server down.
CREATE TABLE tenant_acme.hand (tenant_id uuid, id int, code char(2));
CREATE TABLE hand (id int PRIMARY KEY, code text);
CREATE FUNCTION made_by_hand(how text, of_table text DEFAULT 'tenant_acme.hand') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := try_and_undo(format('CREATE %s; INSERT INTO %s (id, code) VALUES (1, ''US''), (2, ''DE'');
        UPDATE %2$s SET id = id + 2, code = ''NP''; TRUNCATE %2$s; INSERT INTO %2$s (id) VALUES (1); DELETE FROM %2$s',
        format(how, of_table), of_table));
BEGIN
    RETURN split_part(result, E'\n', 1);
END $$;
SELECT made_by_hand(how) FROM (VALUES
    ('TRIGGER t AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.forget_landlord_keys()'),
    ('TRIGGER t BEFORE DELETE ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.forget_landlord_keys()'),
    ('TRIGGER t AFTER INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION publicdigit.forget_landlord_keys()'),
    ('TRIGGER t AFTER TRUNCATE ON %s EXECUTE FUNCTION publicdigit.forget_landlord_keys()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE OF code ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON %s DEFERRABLE FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference(''x'')'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL OR ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL OR true) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.tableoid IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.tenant_id IS NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''landlord.secret''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''1''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.id IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'))
    AS t (how);
SELECT made_by_hand(how, 'landlord.hand') FROM (VALUES
    ('TRIGGER t AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (NEW.code IS NOT NULL AND ''landlord.country''::regclass IS NOT NULL) EXECUTE FUNCTION publicdigit.check_landlord_reference()'),
    ('TRIGGER t AFTER UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER t AFTER UPDATE OR DELETE ON %s FOR EACH ROW WHEN (OLD.code IS NOT NULL) EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key AFTER UPDATE OR DELETE ON %s FOR EACH ROW WHEN (OLD IS NOT NULL) EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key AFTER UPDATE OR DELETE ON %s FOR EACH ROW WHEN (OLD.id > 0) EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key BEFORE UPDATE OR DELETE ON %s FOR EACH ROW WHEN (OLD.id IS NOT NULL) EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key AFTER DELETE ON %s FOR EACH ROW WHEN (OLD.id IS NOT NULL) EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key AFTER INSERT ON %s FOR EACH ROW EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key AFTER UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER t AFTER TRUNCATE ON %s EXECUTE FUNCTION publicdigit.keep_landlord_key()'),
    ('TRIGGER publicdigit_landlord_key AFTER UPDATE OR DELETE ON %s FOR EACH ROW WHEN (OLD.id IS NOT NULL) EXECUTE FUNCTION publicdigit.keep_landlord_key()'))
    AS t (how);
-- A key that is protected after it was referred to tells nothing any more.
BEGIN;
ALTER TABLE big ADD tenant_id uuid;
UPDATE big SET tenant_id = :'acme';
SELECT publicdigit.protect_table('big');
SELECT try('INSERT INTO tenant_acme.kinds (tenant_id, id) VALUES (''' || :'acme' || ''', 8)');
ROLLBACK;
SELECT try('CREATE EVENT TRIGGER hand ON ddl_command_start EXECUTE FUNCTION publicdigit.settle_landlord_references()');
SELECT split_part(try('CREATE TABLE public.never ()'), E'\n', 1);
DROP EVENT TRIGGER hand;

\set clean :include 'clean.psql'
DROP VIEW public.entered, public.locked;
\i :clean

-- What register_module refuses in a manifest and its scripts, and how it says so.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start

-- Registers a document; tells what went wrong, if anything.
CREATE FUNCTION public.submit(document text) RETURNS text LANGUAGE sql AS
    $$ SELECT public.try(format('SELECT publicdigit.register_module(%L::text)', document)) $$;

-- Registers a good document with some keys changed, and those that are null gone.
CREATE FUNCTION public.attempt(patch jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT public.submit(jsonb_strip_nulls('{"name": "demo", "version": "1.0.0", "context": "tenant"}'
                                           || patch)::text)
$$;

CREATE FUNCTION public.landlord(patch jsonb) RETURNS text LANGUAGE sql AS
    $$ SELECT public.attempt('{"context": "landlord"}' || patch) $$;

-- Scripts of which only the paths matter.
CREATE FUNCTION public.scripts(VARIADIC paths text[]) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('scripts', jsonb_object_agg(path, 'SELECT 1'))
       FROM unnest(paths) AS path $$;

-- Documents that are none.
SELECT submit('{"name": "demo",');
SELECT submit(E' \n{"name": demo}');
SELECT submit('{"name": "demo", "title": "\u0000"}');
SELECT submit('{"a": ' || repeat('[', 20000));
SELECT submit('demo');

-- A key that stands twice, which only a text still has.
SELECT submit('{"name": "demo", "version": "1.0.0", "context": "tenant", "on_uninstall": "archive", "on_uninstall": "drop"}');
SELECT submit('{"name": "demo", "version": "1.0.0", "context": "tenant", "scripts": {}, "requires": {"a": "*", "\u0061": "^1"}, "title": "requires.a"}');
SELECT submit('{"name": "demo", "version": "1.0.0", "context": "tenant", "tables": {"name": "tenant"}, "grants": {"name": []}, "name": "demo"}');
SELECT try($$SELECT publicdigit.register_module('{"name": "twice", "name": "demo", "version": "1.0.0", "context": "tenant"}'::jsonb)$$);
SELECT publicdigit.unregister_module('demo');
SELECT submit('../demo');
SELECT submit('');
-- A whole document in another form is not repeated; a byte order mark is told.
SELECT submit('[' || repeat('é', 1000) || ']') ~ 'invalid module name "\[é{63}"\n +DETAIL: The name is "\[é{63}", but' AS short;
SELECT submit(U&'\FEFF{"name": "demo", "version": "1.0.0", "context": "tenant"}');
SELECT publicdigit.register_module(NULL::text);
SELECT publicdigit.register_module(NULL::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT publicdigit.register_module('[1]'::jsonb);
SELECT publicdigit.register_module('"demo"'::jsonb);
\echo :LAST_ERROR_SQLSTATE

-- Keys that are missing, unknown or of the wrong type.
SELECT attempt('{"name": null}');
SELECT attempt('{"version": null}');
SELECT attempt('{"context": null}');
SELECT attempt('{"colour": "red"}');
SELECT attempt('{"Name": "demo"}');
SELECT attempt('{"name": 1}');
SELECT attempt('{"version": 1.0}');
SELECT attempt('{"context": ["tenant"]}');
SELECT attempt('{"title": true}');
SELECT attempt('{"description": {"en": "x"}}');
SELECT attempt('{"requires": "members"}');
SELECT attempt('{"requires": {"members": 1}}');
SELECT attempt('{"tables": ["cards"]}');
SELECT attempt('{"tables": {"cards": true}}');
SELECT attempt('{"grants": []}');
SELECT attempt('{"tables": {"cards": "tenant"}, "grants": {"cards": "select"}}');
SELECT attempt('{"views": {"card_list": ["select"]}}');
SELECT attempt('{"views": [1]}');
SELECT attempt('{"on_uninstall": 1}');
SELECT attempt('{"installer": "make"}');
SELECT attempt('{"installer": {"instal": "make"}}');
SELECT attempt('{"installer": {"install": 1}}');
SELECT attempt('{"installer": {"install": "make"}}');
SELECT attempt('{"installer": {"uninstall": "unmake"}}');
SELECT attempt('{"installer": {}}');
SELECT attempt('{"accept": [["0001_a", "drop_column"]]}');
SELECT attempt('{"accept": {"0001_a": "drop_column"}}');
SELECT attempt('{"accept": {"0001_a": [1]}}');
SELECT attempt('{"$schema": {}}');

-- Names.
SELECT name, split_part(attempt(jsonb_build_object('name', name)), E'\n', 1)
FROM unnest(ARRAY['', 'Demo', '1demo', '_demo', 'de-mo', 'de mo', 'dé', 'a/b', '..', 'x"',
                  repeat('a', 64)]) AS name;
SELECT attempt('{"name": "De-mo"}');
SELECT attempt('{"requires": {"Members": "*"}}');
SELECT attempt('{"tables": {"public.cards": "tenant"}}');
SELECT attempt('{"tables": {"1cards": "tenant"}}');
SELECT attempt('{"installer": {"install": "demo.make()"}}');
SELECT attempt('{"installer": {"install": "make", "uninstall": "Unmake"}}');
SELECT migration, split_part(attempt(jsonb_build_object('accept', jsonb_build_object(migration, '["drop_column"]'::jsonb))),
                             E'\n', 1)
FROM unnest(ARRAY['', 'a', '0001', '0001_', '001_a', '1234567890_a', '0001-a', '0001_A', '0001_a.up.sql',
                  'migrations/0001_a']) AS migration;
SELECT attempt('{"accept": {"0001": ["drop_column"]}}');

-- Versions: Semantic Versioning 2.0, and what type semver can order.
SELECT version, split_part(attempt(jsonb_build_object('version', version)), E'\n', 1)
FROM unnest(ARRAY['', '1', '1.0', 'v1.0.0', '=1.0.0', '01.0.0', '1.0.00', ' 1.0.0', '1.0.0 ',
                  '1.0.0.0', '1.0.x', '1.0.0-', '1.0.0+', '1.0.0-a..b', '1.0.0-01',
                  '1.0.0-1a', '1.0.0beta', '-1.0.0', '2147483648.0.0', '1.0.0-2147483648',
                  '1.0.0-é', '1.0.0+a+b']) AS version;
SELECT attempt('{"version": "1.0"}');
SELECT attempt('{"context": "shared"}');

-- Ranges.
SELECT range, split_part(attempt(jsonb_build_object('requires', jsonb_build_object('other', range))),
                         E'\n', 1)
FROM unnest(ARRAY['one', '1.2.3.4', '01', '1.x.3', '>>1', '=>1', '^^1', '1.0 -', '1 - 2 3', '1 |2',
                  '>1<2', '1.2-rc.1', '1.0.0-', '2147483647', '1,2', '1 && 2', 'é']) AS range;
SELECT attempt('{"requires": {"members": "^1.0 || >=2.x.1"}}');
SELECT attempt('{"requires": {"demo": "*"}}');

-- Tables and grants.
SELECT attempt('{"tables": {"cards": "private"}}');
SELECT attempt('{"tables": {"countries": "shared"}}');
SELECT attempt('{"grants": {"cards": []}}');
SELECT attempt('{"tables": {"cards": "tenant"}, "grants": {"cards": ["select", "truncate"]}}');
SELECT attempt('{"tables": {"cards": "tenant"}, "grants": {"cards": ["SELECT"]}}');
SELECT attempt('{"tables": {"cards": "tenant"}, "grants": {"cards": [1]}}');
SELECT landlord('{"tables": {"countries": "shared"}, "grants": {"countries": ["select", "insert"]}}');
SELECT attempt('{"tables": {"cards": "tenant"}}');
SELECT view, split_part(attempt(jsonb_build_object('views', jsonb_build_array(view))), E'\n', 2)
FROM unnest(ARRAY['', 'Cards', '1cards', 'public.cards', '"cards"', repeat('v', 64)]) AS view;
SELECT attempt('{"views": ["card_list", "card_list"]}');
SELECT attempt('{"tables": {"cards": "tenant"}, "views": ["cards"]}');
SELECT attempt('{"views": ["card_list"], "grants": {"card_list": ["select"]}}');
SELECT attempt('{"views": ["card_list"]}' || scripts('seeds/tenant/a.sql'));

-- What becomes of the tables, and hazards that are meant.
SELECT attempt('{"on_uninstall": "keep"}');
SELECT attempt('{"accept": {"0001_a": []}}');
SELECT attempt('{"accept": {"0001_a": ["drop_column", "drop_column"]}}');
SELECT attempt('{"accept": {"0001_a": ["drop column"]}}');
SELECT attempt('{"accept": {"0001_a": ["DROP_COLUMN"]}}');
SELECT attempt('{"accept": {"0001_a": [""]}}');
SELECT split_part(attempt('{"accept": {"0001_a": ["drop_everything"]}}'
                          || scripts('migrations/tenant/0001_a.up.sql')), E'\n    HINT', 1);
SELECT attempt('{"accept": {"0002_a": ["drop_column"]}}' || scripts('migrations/tenant/0001_a.up.sql'));
SELECT attempt(scripts('installer.sql'));
SELECT attempt('{"installer": {"install": "make", "uninstall": "unmake"}}');

-- Scripts.
SELECT attempt('{"scripts": ["SELECT 1"]}');
SELECT attempt('{"scripts": {"migrations/tenant/0001_a.up.sql": 1}}');
SELECT attempt(jsonb_build_object('scripts', jsonb_build_object('seeds/tenant/a.sql',
                                                                repeat('-', 16 * 1024 * 1024))));
SELECT path, split_part(attempt(scripts(path)), E'\n', 2)
FROM unnest(ARRAY['', '/etc/passwd', '../x.sql', 'migrations/tenant/../0001_a.up.sql',
                  'migrations//tenant/0001_a.up.sql', './migrations/tenant/0001_a.up.sql',
                  'migrations/tenant/', E'migrations\\tenant\\0001_a.up.sql', 'a.sql', 'module.json',
                  'migration/tenant/0001_a.up.sql', 'migrations/landlord/0001_a.up.sql',
                  'migrations/tenant/tenant/0001_a.up.sql', 'seeds/tenant/a/b.sql',
                  'migrations/0001_a.up.sql', 'seeds/a.sql',
                  'migrations/tenant/001_a.up.sql', 'migrations/tenant/0001a.up.sql',
                  'migrations/tenant/0001_.up.sql', 'migrations/tenant/a_0001.up.sql',
                  'migrations/tenant/0001_A.up.sql', 'migrations/tenant/0001_a-b.up.sql',
                  'migrations/tenant/0001_a.sql', 'migrations/tenant/0001_a.up.SQL',
                  'migrations/tenant/0001_a.up.sql.bak', 'migrations/tenant/1234567890_a.up.sql',
                  'migrations/tenant/.sql', 'seeds/tenant/.sql', 'seeds/tenant/A.sql',
                  'seeds/tenant/a.up.sql', 'seeds/tenant/a', 'seeds/tenant/' || repeat('a', 240) || '.sql']) AS path;
SELECT attempt(scripts('migrations/0001_a.up.sql'));
SELECT landlord(scripts('migrations/tenant/0001_a.up.sql'));
SELECT landlord(scripts('seeds/tenant/a.sql'));
SELECT attempt(scripts('migrations/tenant/0002_a.up.sql'));
SELECT attempt(scripts('migrations/tenant/0000_a.up.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/0003_b.up.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/0001_b.up.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/00001_b.up.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/00002_b.up.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/0001_b.down.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.down.sql'));
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/0002_a.verify.sql'));

-- Nothing of all this was registered; the edges of what is allowed.
SELECT count(*) FROM publicdigit.modules;
SELECT attempt('{}');
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/0001_a.verify.sql',
                       'migrations/tenant/0001_a.down.sql', 'migrations/tenant/0002_a_b.up.sql',
                       'seeds/tenant/0001_a.sql')
               || '{"version": "1.0.0-alpha.1+build.01", "title": "", "description": "",
                    "requires": {"any": "", "some": "~1.2 || 2.x - 3"}, "on_uninstall": "drop",
                    "tables": {"_a1": "tenant", "b": "tenant"}, "grants": {"b": []}}');
SELECT landlord(scripts('migrations/0001_a.up.sql', 'seeds/a.sql')
                || jsonb_build_object('name', repeat('m', 63),
                                      'tables', jsonb_build_object(repeat('t', 63), 'shared', 'u', 'tenant'),
                                      'grants', jsonb_build_object(repeat('t', 63), '[]'::jsonb)));
SELECT module, version, context, title FROM publicdigit.modules ORDER BY module, version;
SELECT value, attempt(jsonb_build_object('name', 'on_' || value, 'on_uninstall', value))
FROM unnest('{drop,archive,refuse_if_data}'::text[]) AS value;
SELECT attempt(scripts('migrations/tenant/0001_a.up.sql', 'migrations/tenant/0002_a.up.sql')
               || '{"name": "accepting", "accept": {"0001_a": ["drop_column"], "0002_a": ["drop_table", "lock_table"]}}');
SELECT attempt(scripts('installer.sql') || '{"name": "installing", "tables": {"cards": "tenant"},
                                             "installer": {"install": "make", "uninstall": "_unmake"}}');
SELECT attempt(scripts('migrations/tenant/a.repeatable.sql') || jsonb_build_object('name', 'viewing', 'views', jsonb_build_array('_v1', repeat('v', 63))));
-- They are part of the checksum.
SELECT split_part(attempt(scripts('migrations/tenant/a.repeatable.sql') || '{"name": "viewing", "views": ["_v1"]}'), E'\n', 1);

-- Where an editor finds the schema is not stored, and no part of the checksum.
SELECT attempt('{"name": "edited", "$schema": "../module.schema.json", "accept": {}}');
SELECT manifest FROM publicdigit.module_version WHERE module = 'edited';
SELECT attempt('{"name": "edited", "accept": {}}');
SELECT attempt('{"name": "edited", "$schema": "elsewhere", "accept": {}}');

\set clean :include 'clean.psql'
DROP FUNCTION public.submit, public.attempt, public.landlord, public.scripts;
\i :clean

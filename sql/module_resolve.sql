-- Which versions an installation chooses, and why it finds none.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'start.psql'
\i :start
SET client_min_messages = warning;
SELECT publicdigit.setup('regress_owner', 'regress_app') \g /dev/null
SELECT publicdigit.create_tenant(slug) FROM unnest('{acme,beta,gamma}'::text[]) AS slug \g /dev/null
RESET client_min_messages;

-- A version: "NAME VERSION: MODULE RANGE, MODULE RANGE".
CREATE FUNCTION public.version(line text, context text DEFAULT 'tenant') RETURNS text LANGUAGE sql AS $$
    SELECT publicdigit.register_module(jsonb_build_object('context', context,
        'name', split_part(line, ' ', 1), 'version', split_part(split_part(line, ':', 1), ' ', 2),
        'requires', (SELECT coalesce(jsonb_object_agg(part[1], part[2]), '{}')
                     FROM regexp_matches(split_part(line, ':', 2), '(\w+) ([^,]*)', 'g') AS part)))
$$;
CREATE FUNCTION public.versions(lines text, context text DEFAULT 'tenant') RETURNS bigint LANGUAGE sql AS $$
    SELECT count(public.version(line, context)) FROM regexp_split_to_table(lines, ';\s*') AS line
$$;
-- What a target has after an installation, in the order in which it came; an error as it is.
CREATE FUNCTION public.install(module text, target text DEFAULT 'acme', version text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE result text := public.try(format('SELECT publicdigit.install_module(%L, %L, %L)', module, target, version));
BEGIN
    RETURN CASE result WHEN 'done' THEN public.has(target) ELSE result END;
END $$;
CREATE FUNCTION public.has(target text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(i.module || ' ' || v.version::text, ', ' ORDER BY i.id)
    FROM publicdigit.installation AS i JOIN publicdigit.module_version AS v ON v.id = i.version_id
    LEFT JOIN publicdigit.tenant AS t ON t.id = i.tenant_id WHERE coalesce(t.slug, '@landlord') = target
$$;

-- The highest version, of what is required the highest in all ranges; what is required comes first.
SELECT public.versions('c 1.0.0; c 1.9.0; c 1.10.0; c 2.0.0; c 2.1.0-rc.1; b 1.0.0: c ^1.0; b 1.1.0: c >=1.2;
                        a 1.0.0: b *; a 1.1.0: c <1.10, b ^1.0');
BEGIN;
SELECT public.install('a');
SELECT public.install('a', 'beta', '1.0.0');
SELECT public.install('c', 'gamma');
-- What is there and fits stays as it is, though there is a higher version.
SELECT public.install('a', 'gamma', '1.0.0');
ROLLBACK;
BEGIN;
SELECT public.install('c', 'acme', '1.2.0'), public.install('c', 'acme', '1.9.0');
SELECT public.install('a', 'acme', '1.0.0');
-- Everything that is asked for is there: nothing changes.
SELECT public.install('a', 'acme', '1.0.0'), public.install('b');
ROLLBACK;

-- What is there and does not fit goes to the highest version that does, before what requires it.
SELECT public.versions('d 1.0.0: c ^2; e 1.0.0: c >=1.10 <2; d 2.0.0: c ^2, b 1.1');
BEGIN;
SELECT public.install('c', 'acme', '1.9.0');
SELECT public.install('e');
SELECT public.install('d');
ROLLBACK;
-- Also what requires the upgraded one, where it no longer goes with it.
BEGIN;
SELECT public.install('b', 'acme', '1.0.0');
SELECT public.install('d', 'acme', '1.0.0');
ROLLBACK;
-- Never to a lower one.
BEGIN;
SELECT public.install('c', 'acme', '2.0.0');
SELECT public.install('e');
-- Another's requirement holds c back, and there is no other version of e.
SELECT public.install('c', 'beta', '1.9.0'), public.install('e', 'beta');
SELECT public.install('d', 'beta');
ROLLBACK;

-- A lower version of what is asked for, or of what is required, where the highest makes a conflict.
SELECT public.versions('f 1.0.0: c ^1; f 2.0.0: c ^2; f 2.1.0: c ^2; g 1.0.0: f *, c <2; h 1.0.0: f ^2; h 2.0.0: f ^2, c ^1');
BEGIN;
SELECT public.install('g');
SELECT public.install('h', 'beta');
-- The prerequisites of the highest are not there at all.
SELECT public.version('h 3.0.0: nowhere *');
SELECT public.install('h', 'gamma');
ROLLBACK;
-- Deep down, with twenty versions of each module, all of which but the lowest end in the same conflict.
SELECT count(public.version(format('deep%s 1.%s.0: deep%s >=1.%s', n, v, n + 1, v)))
FROM generate_series(1, 9) AS n, generate_series(1, 20) AS v;
SELECT count(public.version(format('deep10 1.%s.0: c %s', v, CASE v WHEN 1 THEN '^1' ELSE '^2' END)))
FROM generate_series(1, 20) AS v;
BEGIN;
SELECT public.install('e', 'acme'), public.install('deep1', 'acme');
ROLLBACK;

-- Conflicts name the requirements that clash, from what was asked for on.
SELECT public.versions('members 1.0.0; members 1.1.0; members 2.0.0; elections 1.0.0: members ^2.0;
    digital_card 1.2.0: members ^1.0; digital_card 1.3.0: members ^1.0; events 3.1.0: digital_card *;
    fair 1.0.0: events ^3.0, elections 1.x; odd 1.0.0: members ^1 ^2; none 1.0.0: members ^1.5; lost 1.0.0: missing ');
BEGIN;
SELECT public.install('elections');
SELECT public.install('events');
SELECT public.install('fair', 'beta');
SELECT public.install('fair', 'beta', '1.0.0');
SELECT public.install('odd', 'beta');
SELECT public.install('none', 'beta');
SELECT public.install('lost', 'beta');
SELECT public.install('fair', 'beta', '1.0'), public.has('beta');
ROLLBACK;

-- Prereleases: only those that a range names; then only that version's.
SELECT public.versions('p 1.0.0; p 2.0.0-rc.1; p 2.0.0-rc.2; p 3.0.0-beta; q 1.0.0: p ^2.0.0-rc.1; r 1.0.0: p *;
                        only 0.1.0-a; only 0.1.0-b; s 1.0.0: only *; s 2.0.0: only ^0.1.0-a; t 1.0.0: p ^3');
BEGIN;
SELECT public.install('p'), public.install('q', 'beta'), public.install('only', 'gamma');
SELECT public.install('q'), public.install('r'), public.install('r', 'beta');
SELECT public.install('s', 'beta', '1.0.0');
SELECT public.install('s', 'beta'), public.install('p', 'gamma', '3.0.0-beta');
SELECT public.install('t');
ROLLBACK;
-- What is upgraded because another module is goes to a prerelease only where somebody names it.
SELECT public.versions('u 1.0.0: p ^1; u 2.0.0-rc.1: p 2.0.0-rc.2; v 1.0.0: p 2.0.0-rc.2');
BEGIN;
SELECT public.install('u');
SELECT public.install('v');
SELECT public.version('v 2.0.0: p 2.0.0-rc.2, u ^2.0.0-rc.0');
SELECT public.install('v');
ROLLBACK;
-- From a prerelease to a higher one, but rather to a release.
SELECT public.versions('pp 1.0.0-a; pp 1.0.0-b; pp 1.0.0; pp 2.0.0-a; ppp 1.0.0: pp >=1.0.0-b');
BEGIN;
SELECT public.install('pp', version => '1.0.0-a');
SELECT public.install('ppp');
ROLLBACK;

-- A disabled module is there, an archived one is not, but does not come back in a lower
-- version.
BEGIN;
SELECT public.install('c', 'acme', '1.9.0');
SELECT publicdigit.disable_module('c', 'acme');
SELECT public.install('a', 'acme', '1.0.0');
SELECT publicdigit.enable_module('c', 'acme');
SELECT public.install('a', 'acme', '1.0.0');
SELECT count(publicdigit.register_module(jsonb_build_object('name', 'kept', 'version', version,
    'context', 'tenant', 'on_uninstall', 'archive'))) FROM unnest('{1.0.0,1.1.0,2.0.0}'::text[]) AS version;
SELECT public.versions('one 1.0.0: kept ^1; two 1.0.0: kept ^2');
SELECT public.install('kept', 'beta', '1.1.0');
SELECT publicdigit.uninstall_module('kept', 'beta'), publicdigit.install_module('two', 'beta');
SELECT public.has('beta');
SELECT publicdigit.uninstall_module('two', 'beta'), publicdigit.uninstall_module('kept', 'beta');
SELECT public.install('one', 'beta');
ROLLBACK;

-- The landlord's modules are for a tenant as they are.
SELECT public.versions('l 1.0.0; l 1.1.0; l 2.0.0; k 1.0.0: l ^1.0; k 2.0.0: l ^2.0', 'landlord');
SELECT public.versions('w 1.0.0: l ^1.0; w 2.0.0: l ^2.0; x 1.0.0: w ^2; y 1.0.0: l ^1.1, w *; z 1.0.0: l ^3');
BEGIN;
SELECT public.install('w');
SELECT public.install('w', 'acme', '1.0.0');
SELECT public.install('x');
SELECT public.install('l', '@landlord', '1.0.0');
SELECT public.install('x');
SELECT public.install('y');
SELECT public.install('z');
-- There is a version of w for it.
SELECT public.install('w'), public.has('@landlord');
-- The landlord's own change leaves w what it requires.
SELECT public.install('k', '@landlord', '2.0.0');
SELECT public.install('k', '@landlord'), public.has('acme');
ROLLBACK;
BEGIN;
SELECT public.install('l', '@landlord', '1.0.0');
SELECT public.install('k', '@landlord');
ROLLBACK;
BEGIN;
SELECT public.install('l', '@landlord', '2.0.0');
SELECT public.install('w', version => '1.0.0');
ROLLBACK;

-- Cycles are refused at registration, where versions form them that can be installed together.
BEGIN;
SELECT public.versions('ca 1.0.0: cb ^1; ca 2.0.0: cb ^2; cb 1.0.0: cc ^1; cb 2.0.0; cc 1.0.0; cc 1.1.0: ca ^2');
SELECT public.try($$SELECT public.version('cc 1.2.0: ca ^1')$$);
SELECT public.try($$SELECT public.version('cb 1.1.0: cc 1.1.0 || 2')$$);
SELECT public.try($$SELECT public.version('cb 2.1.0: cc 1.1.0')$$);
SELECT public.install('ca', version => '1.0.0'), public.install('cc', 'beta'), public.install('ca', 'gamma');
ROLLBACK;
-- A way through two versions of one module is none that can be installed.
BEGIN;
SELECT public.versions('ya 1.0.0: yb ^1; yb 2.0.0: ya ^1; yc 0.1.0; yb 1.0.0: yc *');
SELECT public.try($$SELECT public.version('yc 1.0.0: yb ^2')$$);
SELECT public.try($$SELECT public.version('yc 1.1.0: yb *')$$);
SELECT public.install('ya'), public.install('yc', 'beta');
SELECT public.install('yb', 'gamma', '2.0.0');
ROLLBACK;

-- A chain of 300 modules.
BEGIN;
SELECT count(public.version(format('chain%s 1.0.0: chain%s ^1', n, n + 1))) FROM generate_series(1, 299) AS n;
SELECT public.version('chain300 1.0.0');
SELECT public.try($$SELECT public.version('chain300 1.1.0: chain1 ^1')$$) ~ '^22023: module "chain300" would require itself.*chain299 1.0.0 requires chain300 1.1.0';
SELECT count(*), string_agg(part, ',' ORDER BY n) FILTER (WHERE n IN (1, 2, 300))
FROM unnest(string_to_array(public.install('chain1'), ', ')) WITH ORDINALITY AS installed (part, n);
ROLLBACK;

-- Modules that must all be at different versions, of which there is one too few: the search learns.
CREATE FUNCTION public.holes(n integer) RETURNS void LANGUAGE sql AS $$
    SELECT count(public.version(format('hole%s %s.0.0: ', m, v) || coalesce(
        (SELECT string_agg(format('hole%s <%s || >%s', o, v, v), ', ') FROM generate_series(m + 1, n) AS o), '')))
    FROM generate_series(1, n) AS m, generate_series(1, n - 1) AS v;
    SELECT count(public.version(format('holes 1.%s.0: ', less) || (
        SELECT string_agg(format('hole%s *', o), ', ') FROM generate_series(1 + less, n) AS o)))
    FROM generate_series(0, 1) AS less
$$;
BEGIN;
SELECT public.holes(6);
SELECT regexp_replace(public.install('holes', version => '1.0.0'), 'one of them [^;]*; .*; and', 'one of them ...; and');
SELECT public.install('holes');
ROLLBACK;
-- It gives up where that takes too long.
BEGIN;
SELECT public.holes(11);
SELECT public.install('holes', version => '1.0.0');
ROLLBACK;

-- The memory of the search goes with the call.
CREATE FUNCTION public.used(times integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        BEGIN
            PERFORM publicdigit.install_module('deep1', 'acme');
            RAISE SQLSTATE 'UNDO0';
        EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
        END;
    END LOOP;
    RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
END $$;
SELECT public.used(20) AS before \gset
SELECT public.used(100) - :before < 200000 AS same;
-- It is gone before the first script runs.
GRANT pg_read_all_stats TO regress_owner;
SELECT publicdigit.register_module('{"name": "lean", "version": "1.0.0", "context": "tenant", "requires": {"deep1": "*"}, "scripts":
    {"migrations/tenant/0001_look.up.sql": "DO $$BEGIN ASSERT NOT EXISTS (SELECT FROM pg_backend_memory_contexts WHERE name = ''publicdigit resolver''); END$$"}}'::jsonb);
SELECT public.install('lean', 'beta') LIKE '%, lean 1.0.0' AS installed;

DROP FUNCTION public.version, public.versions, public.install, public.has, public.holes, public.used;
\set clean :include 'clean.psql'
\i :clean

-- A random walk over all that changes modules: after each step everything that must hold holds, and
-- after each error all is as it was.  A seed makes it the same walk each time.
\getenv abs_srcdir PG_ABS_SRCDIR
\set engine :abs_srcdir '/test/include/engine.psql'
\i :engine
SET client_min_messages = error;
-- Four modules of six versions: more migrations, repeatable scripts that come, change and go, ranges.
CREATE FUNCTION scripts(m text, n int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT coalesce(jsonb_object_agg(format('%s_%s.up', to_char(i, 'FM0000'), m), format(CASE i % 3 WHEN 1 THEN 'CREATE TABLE %1$s%2$s (id serial, tenant_id uuid)'
                WHEN 2 THEN 'ALTER TABLE %1$s%3$s RENAME TO %1$s%2$s' ELSE 'ALTER TABLE %1$s%3$s ADD n int' END, m, i, i - 1))
        || jsonb_object_agg(format('%s_%s.down', to_char(i, 'FM0000'), m), format(CASE i % 3 WHEN 1 THEN 'DROP TABLE %1$s%2$s'
                WHEN 2 THEN 'ALTER TABLE %1$s%2$s RENAME TO %1$s%3$s' ELSE 'ALTER TABLE %1$s%3$s DROP n' END, m, i, i - 1)), '{}')
        || CASE WHEN n % 2 = 1 THEN jsonb_build_object('f.repeatable', format('CREATE OR REPLACE FUNCTION %s_f() RETURNS int LANGUAGE sql RETURN %s', m, n),
                                                       'v.repeatable', format('CREATE OR REPLACE VIEW %1$s_v AS SELECT %1$s_f() AS f', m)) ELSE '{}' END
    FROM generate_series(1, n) AS i
$$;
SELECT count(module(m, format('1.%s.0', n), scripts(m, n + 1), jsonb_build_object('requires', CASE WHEN m IN ('a', 'z') THEN '{}'::jsonb
           WHEN m = 'b' THEN jsonb_build_object('a', format('>=1.%s <1.%s', greatest(n - 1, 0), n + 3)) || CASE WHEN n > 3 THEN '{"z": ">=1.1"}'::jsonb ELSE '{}' END
           ELSE jsonb_build_object('b', format('~1.%s || 1.%s', n, n + 1)) END,
       'context', CASE m WHEN 'z' THEN 'landlord' ELSE 'tenant' END, 'on_uninstall', CASE m WHEN 'b' THEN 'archive' WHEN 'c' THEN 'refuse_if_data' ELSE 'drop' END)))
FROM unnest('{a,b,c,z}'::text[]) AS m, generate_series(0, 5) AS n;
CREATE FUNCTION walk(steps int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    call text; result text; m text; t text; done int := 0; problems text; before text;
BEGIN
    FOR i IN 1 .. steps LOOP
        m := substr('abcz', 1 + floor(random() * 4)::int, 1);
        t := CASE WHEN m = 'z' THEN '@landlord' WHEN random() < 0.6 THEN 'acme' ELSE 'beta' END;
        call := format(CASE floor(random() * 12)::int WHEN 0 THEN 'install_module(%1$L, %2$L)' WHEN 1 THEN 'install_module(%1$L, %2$L, %3$L)'
            WHEN 2 THEN 'upgrade_module(%1$L, %2$L)' WHEN 3 THEN 'upgrade_module(%1$L, %2$L, %3$L)' WHEN 4 THEN 'downgrade_module(%1$L, %2$L, %3$L)'
            WHEN 5 THEN 'uninstall_module(%1$L, %2$L)' WHEN 6 THEN CASE WHEN random() < 0.3 THEN 'uninstall_module(%1$L, %2$L, true)' ELSE 'install_module(%1$L, %2$L, %3$L)' END
            WHEN 7 THEN CASE WHEN m = 'z' THEN 'rollback_landlord()' ELSE 'rollback_tenant(%2$L)' END
            WHEN 8 THEN CASE WHEN m = 'z' THEN 'migrate_landlord()' WHEN random() < 0.3 THEN 'migrate_tenant(%2$L)' ELSE 'upgrade_module(%1$L, %2$L, %3$L)' END
            WHEN 9 THEN 'disable_module(%1$L, %2$L)' WHEN 10 THEN 'enable_module(%1$L, %2$L)' ELSE 'downgrade_module(%1$L, %2$L, %3$L)' END,
            m, t, format('1.%s.0', floor(random() * 6)::int));
        before := snapshot();
        result := try('SELECT publicdigit.' || call);
        IF result = 'done' THEN
            done := done + 1;
        ELSE
            IF snapshot() <> before THEN RETURN NEXT format('%s: %s leaves something behind: %s', i, call, result); END IF;
            IF result !~ '^(55000|2BP01)' THEN RETURN NEXT format('%s: %s: %s', i, call, result); END IF;
        END IF;
        SELECT string_agg(b, '; ') INTO problems FROM broken() AS b;
        IF problems IS NOT NULL THEN
            RETURN NEXT format('%s: after %s, %s: %s', i, call, result, problems);
            RETURN;
        END IF;
        IF i > 30 AND done = 0 THEN RETURN NEXT 'nothing works'; RETURN; END IF;
    END LOOP;
    RETURN NEXT done;
END $$;
SELECT setseed(0.2);
SELECT walk(200);
SELECT action, count(*) > 10 AS often FROM publicdigit.migration_events GROUP BY action ORDER BY action;
SELECT * FROM installed;

DROP FUNCTION walk, scripts;
\set engine_end :abs_srcdir '/test/include/engine_end.psql'
\i :engine_end

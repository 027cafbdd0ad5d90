SELECT plan(11);

SELECT lives_ok($$
    SELECT publicdigit.install_module('@NAME@', tenant)
    FROM unnest('{test-one, test-two}'::text[]) AS tenant
$$, 'the module is installed for two tenants');
SELECT schema_name AS schema_one FROM publicdigit.tenants WHERE slug = 'test-one' \gset
SELECT schema_name AS schema_two FROM publicdigit.tenants WHERE slug = 'test-two' \gset
SELECT has_table(:'schema_one'::name, '@TABLE@'::name, 'the table is there');
SELECT ok(relrowsecurity AND relforcerowsecurity, 'its row-level security is enabled and forced')
FROM pg_class WHERE oid = format('%I.@TABLE@', :'schema_one')::regclass;

-- As the application, for one tenant and then for the other.
SET LOCAL SESSION AUTHORIZATION pgtap_web;
SELECT pg_temp.enter('test-one') \g /dev/null
INSERT INTO @TABLE@ (title) VALUES ('first');
SELECT results_eq('SELECT tenant_id, title FROM @TABLE@',
                  format('VALUES (%L::uuid, ''first'')', :'one'), 'a tenant reads what it has written');
SELECT pg_temp.enter('test-two') \g /dev/null
SELECT is_empty('SELECT * FROM @TABLE@', 'the other tenant does not see it');
SELECT throws_ok(format('INSERT INTO @TABLE@ (tenant_id, title) VALUES (%L, ''second'')', :'one'),
                 '42501', NULL, 'nor writes under the first one''s id');
SELECT throws_ok(format('SELECT * FROM %I.@TABLE@', :'schema_one'), '42501', NULL,
                 'nor reaches the first one''s table by its full name');
SELECT publicdigit.forget_tenant() \g /dev/null
SELECT throws_ok(format('SELECT * FROM %I.@TABLE@', :'schema_one'), '42501', NULL,
                 'without a tenant nothing is reached');
RESET SESSION AUTHORIZATION;

SELECT throws_ok($$ SELECT publicdigit.uninstall_module('@NAME@', 'test-one') $$, '55000', NULL,
                 'while there are rows the module stays');
DELETE FROM :"schema_one".@TABLE@;
SELECT lives_ok($$
    SELECT publicdigit.uninstall_module('@NAME@', tenant)
    FROM unnest('{test-one, test-two}'::text[]) AS tenant
$$, 'the module is uninstalled');
SELECT is_empty(format('SELECT relname FROM pg_class WHERE relnamespace IN (%L::regnamespace, %L::regnamespace)',
                       :'schema_one', :'schema_two'), 'and leaves nothing behind');

SELECT * FROM finish();
ROLLBACK;

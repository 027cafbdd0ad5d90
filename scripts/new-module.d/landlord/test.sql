SELECT plan(9);

SELECT lives_ok($$ SELECT publicdigit.install_module('@NAME@') $$, 'the module is installed');
SELECT has_table('landlord'::name, '@TABLE@'::name, 'the table is there');
INSERT INTO landlord.@TABLE@ (title) VALUES ('first');

-- As the application, for one tenant and then for the other.
SET LOCAL SESSION AUTHORIZATION pgtap_web;
SELECT pg_temp.enter('test-one') \g /dev/null
SELECT results_eq('SELECT title FROM @TABLE@', ARRAY['first'], 'a tenant reads it');
SELECT throws_ok($$ INSERT INTO @TABLE@ (title) VALUES ('second') $$, '42501', NULL,
                 'and does not write it');
SELECT throws_ok('DELETE FROM @TABLE@', '42501', NULL, 'nor deletes from it');
SELECT pg_temp.enter('test-two') \g /dev/null
SELECT results_eq('SELECT title FROM @TABLE@', ARRAY['first'], 'the other tenant reads the same');
SELECT publicdigit.forget_tenant() \g /dev/null
RESET SESSION AUTHORIZATION;

SELECT throws_ok($$ SELECT publicdigit.uninstall_module('@NAME@', '@landlord') $$, '55000', NULL,
                 'while there are rows the module stays');
DELETE FROM landlord.@TABLE@;
SELECT lives_ok($$ SELECT publicdigit.uninstall_module('@NAME@', '@landlord') $$,
                'the module is uninstalled');
SELECT hasnt_table('landlord'::name, '@TABLE@'::name, 'and the table is gone');

SELECT * FROM finish();
ROLLBACK;

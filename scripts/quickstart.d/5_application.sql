\echo '-- One transaction works for one tenant. use_tenant() also sets the search_path.'
BEGIN;
SELECT publicdigit.use_tenant('acme');
INSERT INTO members (full_name, email, country_code)
VALUES ('Asha Rai', 'asha@acme.example', 'NP'), ('Ben Okoro', 'ben@acme.example', 'DE');
INSERT INTO digital_cards (member_id, card_number)
SELECT id, 'A-' || row_number() OVER (ORDER BY email) FROM members;
COMMIT;

BEGIN;
SELECT publicdigit.use_tenant('new-town');
INSERT INTO members (full_name, email, country_code)
VALUES ('Clara Voss', 'clara@newtown.example', 'US') RETURNING id AS clara \gset
INSERT INTO digital_cards (member_id, card_number) VALUES (:'clara', 'N-1');
COMMIT;

\echo
\echo '-- Each tenant sees its own rows only.'
BEGIN;
SELECT publicdigit.use_tenant('acme');
SELECT publicdigit.current_tenant(), full_name, card_number, status
FROM members JOIN digital_cards ON member_id = members.id ORDER BY card_number;
SELECT id AS asha FROM members WHERE email = 'asha@acme.example' \gset
COMMIT;

BEGIN;
SELECT publicdigit.use_tenant('new-town');
SELECT publicdigit.current_tenant(), full_name, card_number, status
FROM members JOIN digital_cards ON member_id = members.id ORDER BY card_number;

\echo
\echo '-- findByMember($memberId), for a member of this tenant and for one of the other.'
SELECT card_number FROM digital_cards
WHERE member_id = :'clara' AND tenant_id = publicdigit.current_tenant_id();
SELECT card_number FROM digital_cards
WHERE member_id = :'asha' AND tenant_id = publicdigit.current_tenant_id();
COMMIT;

\echo
\echo '-- A card for a member of the other tenant. This must fail:'
BEGIN;
SELECT publicdigit.use_tenant('new-town');
\set ON_ERROR_STOP off
INSERT INTO digital_cards (member_id, card_number) VALUES (:'asha', 'N-2');
ROLLBACK;
\set must_be 23503
\ir must_fail.sql

\echo
\echo '-- A row under the name of the other tenant. This must fail:'
BEGIN;
SELECT publicdigit.use_tenant('acme') AS acme \gset
SELECT publicdigit.use_tenant('new-town');
\set ON_ERROR_STOP off
INSERT INTO members (tenant_id, full_name, email) VALUES (:'acme', 'Mallory', 'm@example.org');
ROLLBACK;
\set must_be 42501
\ir must_fail.sql

\echo
\echo '-- With no tenant bound, no tenant\'s table can be reached. Both must fail:'
\set ON_ERROR_STOP off
SELECT count(*) FROM tenant_acme.members;
\set must_be 42501
\ir must_fail.sql
\set ON_ERROR_STOP off
INSERT INTO tenant_acme.members (full_name, email) VALUES ('Nobody', 'nobody@example.org');
\set must_be 42501
\ir must_fail.sql

\echo
\echo '-- The landlord\'s countries are read from both tenants ...'
BEGIN;
SELECT publicdigit.use_tenant('acme');
SELECT full_name, name AS country FROM members JOIN countries ON code = country_code ORDER BY full_name;
SELECT publicdigit.use_tenant('new-town');
SELECT full_name, name AS country FROM members JOIN countries ON code = country_code ORDER BY full_name;
COMMIT;

\echo
\echo '-- ... and written from neither. Both must fail:'
BEGIN;
SELECT publicdigit.use_tenant('acme');
\set ON_ERROR_STOP off
INSERT INTO countries VALUES ('XX', 'Acmeland');
ROLLBACK;
\set must_be 42501
\ir must_fail.sql
BEGIN;
SELECT publicdigit.use_tenant('new-town');
\set ON_ERROR_STOP off
UPDATE countries SET name = 'New Townland' WHERE code = 'US';
ROLLBACK;
\set must_be 42501
\ir must_fail.sql

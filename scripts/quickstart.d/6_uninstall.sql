\echo '-- members cannot go while digital_card needs it. This must fail:'
\set ON_ERROR_STOP off
SELECT publicdigit.uninstall_module('members', 'acme');
\set must_be 2BP01
\ir must_fail.sql

\echo
\echo '-- digital_card can.'
SELECT publicdigit.uninstall_module('digital_card', 'acme');
SELECT to_regclass('tenant_acme.digital_cards') AS acme, to_regclass('tenant_new_town.digital_cards') AS new_town;

\echo
\echo '-- The other tenant\'s cards are untouched.'
SET ROLE web;
BEGIN;
SELECT publicdigit.use_tenant('new-town') IS NOT NULL AS bound;
SELECT card_number, status FROM digital_cards;
COMMIT;

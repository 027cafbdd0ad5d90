\echo '-- members cannot go while digital_card needs it. This must fail:'
\set ON_ERROR_STOP off
SELECT publicdigit.uninstall_module('members', 'acme');
\set must_be 2BP01
\ir must_fail.sql

\echo
\echo '-- digital_card can, and its table goes with it.'
SELECT publicdigit.uninstall_module('digital_card', 'acme');
SELECT table_name FROM publicdigit.protected_tables ORDER BY table_name::text;

\echo
\echo '-- The other tenant\'s cards are untouched.'
\c - web
BEGIN;
SELECT publicdigit.use_tenant('new-town');
SELECT card_number, status FROM digital_cards;
COMMIT;

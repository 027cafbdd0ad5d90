\echo '-- CASCADE also creates the extension semver, whose type holds module versions.'
CREATE EXTENSION publicdigit CASCADE;

\echo
\echo '-- setup() makes the roles that are missing: one owns every tenant\'s objects,'
\echo '-- applications are members of the second, operators of the third.'
SELECT publicdigit.setup(owner => 'publicdigit_owner',
                         app => 'publicdigit_app',
                         admin => 'publicdigit_admin');

\echo
\echo '-- People and programs log in with roles of their own.'
CREATE ROLE ops LOGIN IN ROLE publicdigit_admin;
CREATE ROLE web LOGIN IN ROLE publicdigit_app;

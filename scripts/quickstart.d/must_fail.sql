-- After a statement that must fail: it did, with SQLSTATE :must_be.
\set ECHO none
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' = :'must_be' AS as_it_must \gset
\if :as_it_must
    \echo '-- Refused with SQLSTATE' :must_be
\else
    \warn 'SQLSTATE must be' :must_be 'and is' :LAST_ERROR_SQLSTATE
    DO $$ BEGIN RAISE EXCEPTION 'that statement must fail, and otherwise'; END $$;
\endif
\set LAST_ERROR_SQLSTATE 00000
\set ECHO queries

-- Everything so far is closed, whatever will be made by then; setup() opens it to
-- the app and admin roles.  The functions of 95_public.sql are open to PUBLIC.
GRANT USAGE ON SCHEMA publicdigit TO PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA publicdigit FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA publicdigit FROM PUBLIC;
GRANT SELECT ON publicdigit.protected_tables, publicdigit.landlord_references TO PUBLIC;

-- protect_table(), unprotect_table(), share_table() on tables made by hand.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/test/include/'
\set start :include 'tenants.psql'
\i :start
CREATE SCHEMA regress_shop;
GRANT USAGE ON SCHEMA regress_shop TO regress_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA regress_shop
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_app;
SET search_path = regress_shop, public;
CREATE VIEW public.policy AS
    SELECT polrelid::regclass AS table_name, polname, polpermissive, polcmd, polroles::regrole[],
           pg_get_expr(polqual, polrelid) AS qual, pg_get_expr(polwithcheck, polrelid) AS with_check
    FROM pg_policy WHERE polrelid <> ALL ('{tenant_acme.note, tenant_beta.note, landlord.event}'::regclass[]);

-- What protecting a table does to it; once more repairs it and does no more.
CREATE TABLE item (id int, tenant_id uuid, body text);
INSERT INTO item VALUES (1, :'acme', 'acme'), (2, :'beta', 'beta');
SELECT publicdigit.protect_table('item');
SELECT publicdigit.protect_table('item');
SELECT relrowsecurity, relforcerowsecurity, attnotnull, pg_get_expr(adbin, adrelid)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id'
JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'item'::regclass;
SELECT * FROM public.policy ORDER BY polname;
ALTER TABLE item ALTER COLUMN tenant_id DROP DEFAULT, ALTER COLUMN tenant_id DROP NOT NULL;
ALTER TABLE item DISABLE ROW LEVEL SECURITY;
ALTER POLICY publicdigit_tenant ON item USING (true) WITH CHECK (true);
DROP POLICY publicdigit_bound ON item;
SELECT publicdigit.protect_table('item');
SELECT * FROM public.policy ORDER BY polname;
\c - regress_web
TABLE regress_shop.item;
BEGIN;
SELECT publicdigit.use_tenant('acme') = :'acme';
INSERT INTO regress_shop.item VALUES (3, DEFAULT, 'acme too');
SELECT id, body FROM regress_shop.item ORDER BY id;
COMMIT;
\c - :superuser
SET search_path = regress_shop, public;

-- Its owner is under it as well.
CREATE ROLE regress_shopkeeper;
GRANT USAGE, CREATE ON SCHEMA regress_shop TO regress_shopkeeper;
ALTER TABLE item OWNER TO regress_shopkeeper;
SET ROLE regress_shopkeeper;
SELECT count(*) FROM item;
SELECT try('INSERT INTO item VALUES (4, DEFAULT, ''x'')');
RESET ROLE;

-- What row-level security does not hold for is taken away.
CREATE TABLE wide (id int UNIQUE, tenant_id uuid);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON wide TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON wide TO regress_app WITH GRANT OPTION;
GRANT REFERENCES (id) ON wide TO regress_web;
SELECT publicdigit.protect_table('wide');
SELECT publicdigit.protect_table('wide');
SELECT role, string_agg(privilege, ', ' ORDER BY privilege)
FROM unnest('{public, regress_web}'::name[]) AS role,
     unnest('{SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER}'::text[]) AS privilege
WHERE has_table_privilege(role, 'wide', privilege) OR privilege IN ('SELECT', 'REFERENCES') AND has_any_column_privilege(role, 'wide', privilege)
GROUP BY role;
-- MAINTAIN, from 17 on, too.
SET client_min_messages = error;
GRANT ALL ON wide TO PUBLIC;
SELECT publicdigit.protect_table('wide');
RESET client_min_messages;
SELECT string_agg(DISTINCT privilege_type, ', ') FROM pg_class, aclexplode(relacl)
WHERE oid = 'wide'::regclass AND grantee <> relowner;
DROP TABLE wide;

-- A column by another name, and names that need quotes.
CREATE TABLE "The Items" (id int, "Tenant" uuid);
SELECT publicdigit.protect_table('"The Items"', 'Tenant');
SELECT * FROM publicdigit.protected_tables ORDER BY table_name::text COLLATE "C";

-- What cannot be protected, and what would have to be done.
CREATE TABLE plain (id int);
CREATE TABLE worded (tenant_id text);
CREATE TABLE nullable (tenant_id uuid);
INSERT INTO nullable VALUES (NULL);
CREATE VIEW seen AS SELECT * FROM plain;
CREATE SEQUENCE counter;
SELECT try('SELECT publicdigit.protect_table(''plain'')');
SELECT try('SELECT publicdigit.protect_table(''plain'', ''Tenant No'')');
SELECT try('SELECT publicdigit.protect_table(''worded'')');
SELECT try('SELECT publicdigit.protect_table(''nullable'')');
SELECT try('SELECT publicdigit.protect_table(''seen'')');
SELECT try('SELECT publicdigit.protect_table(''counter'')');
SELECT try('SELECT publicdigit.protect_table(''none'')');
SELECT try('SELECT publicdigit.protect_table(1)');
SELECT try('SELECT publicdigit.protect_table(NULL)');
SELECT try('SELECT publicdigit.protect_table(''item'', NULL)');
SELECT relname, relrowsecurity FROM pg_class
WHERE oid IN ('plain'::regclass, 'worded'::regclass, 'nullable'::regclass) ORDER BY 1;

-- Policies of one's own: a permissive one must name current_tenant_id(), and then ours is not needed.
CREATE TABLE own (tenant_id uuid, secret boolean);
CREATE POLICY everything ON own USING (true);
SELECT try('SELECT publicdigit.protect_table(''own'')');
ALTER POLICY everything ON own USING ((SELECT publicdigit.current_tenant_id()) IS NOT NULL AND NOT secret);
CREATE POLICY fewer ON own AS RESTRICTIVE USING (secret IS NOT NULL);
SELECT publicdigit.protect_table('own');
SELECT polname, polpermissive FROM public.policy WHERE table_name = 'own'::regclass ORDER BY polname;

-- Keys that would set the tenant to null; those that leave it out are warned of.
CREATE TABLE parent (tenant_id uuid, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE child (tenant_id uuid, parent_id int, CONSTRAINT child_parent
    FOREIGN KEY (tenant_id, parent_id) REFERENCES parent (tenant_id, id) ON DELETE SET NULL);
CREATE TABLE orphan (tenant_id uuid CONSTRAINT orphan_tenant REFERENCES publicdigit.tenant ON DELETE SET NULL);
CREATE TABLE mover (tenant_id uuid, parent_id int, CONSTRAINT mover_parent
    FOREIGN KEY (tenant_id, parent_id) REFERENCES parent (tenant_id, id) ON UPDATE SET NULL);
SELECT try('SELECT publicdigit.protect_table(''child'')');
SELECT split_part(message, E'\n', 1), message LIKE '%(null)%' FROM try('SELECT publicdigit.protect_table(''orphan'')') AS message;
SELECT try('SELECT publicdigit.protect_table(''mover'')');
ALTER TABLE child DROP CONSTRAINT child_parent, ADD CONSTRAINT child_parent
    FOREIGN KEY (tenant_id, parent_id) REFERENCES parent (tenant_id, id) ON DELETE SET NULL (parent_id);
SELECT publicdigit.protect_table('child');
CREATE TABLE keyed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text CONSTRAINT keyed_code UNIQUE,
                    above int CONSTRAINT keyed_above REFERENCES keyed, tenant_id uuid,
                    CONSTRAINT keyed_good UNIQUE (tenant_id, code));
SELECT publicdigit.protect_table('keyed');
CREATE TABLE natural_key (code text CONSTRAINT natural_key_pkey PRIMARY KEY, tenant_id uuid);
SELECT publicdigit.protect_table('natural_key');
CREATE SCHEMA regress_books;
CREATE TABLE regress_books.customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid);
SELECT publicdigit.protect_table('regress_books.customer');
CREATE TABLE bill (tenant_id uuid, customer_id int CONSTRAINT bill_customer REFERENCES regress_books.customer);
SELECT publicdigit.protect_table('bill');

-- Taken out again: the table is as anybody's grants have it.
SELECT publicdigit.unprotect_table('"The Items"');
SELECT publicdigit.unprotect_table('own');
SELECT relname, relrowsecurity, relforcerowsecurity,
       (SELECT array_agg(polname ORDER BY polname) FROM pg_policy WHERE polrelid = pg_class.oid),
       (SELECT count(*) FROM pg_attrdef WHERE adrelid = pg_class.oid)
FROM pg_class WHERE oid IN ('own'::regclass, '"The Items"'::regclass) ORDER BY 1;
SELECT try('SELECT publicdigit.unprotect_table(''"The Items"'')');
SELECT try('SELECT publicdigit.unprotect_table(''tenant_acme.note'')');
SELECT try('SELECT publicdigit.unprotect_table(NULL)');

-- A landlord's table is shared: read by all, written by none of them.
CREATE TABLE landlord.country (code text);
GRANT ALL ON landlord.country TO PUBLIC, regress_app;
SELECT publicdigit.share_table('landlord.country');
SELECT publicdigit.share_table('landlord.country');
SELECT role, string_agg(privilege, ', ' ORDER BY privilege)
FROM unnest('{public, regress_web}'::name[]) AS role,
     unnest('{SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER}'::text[]) AS privilege
WHERE has_table_privilege(role, 'landlord.country', privilege) GROUP BY role;
SELECT try('SELECT publicdigit.share_table(''plain'')');
SELECT try('SELECT publicdigit.share_table(''landlord.event'')');
SELECT try('SELECT publicdigit.share_table(''seen'')');
SELECT try('SELECT publicdigit.share_table(NULL)');

-- Who may: the table's owner; the admin role for the owner role's tables.
GRANT USAGE ON SCHEMA regress_shop, landlord TO regress_admin;
ALTER TABLE landlord.country OWNER TO regress_owner;
\c - regress_admin
SELECT public.try('SELECT publicdigit.protect_table(''regress_shop.item'')');
SELECT public.try('SELECT publicdigit.unprotect_table(''regress_shop.item'')');
SELECT public.try('SELECT publicdigit.share_table(''landlord.country'')');
SELECT public.try('SELECT publicdigit.protect_table(''landlord.event'')');

\c - :superuser
DROP VIEW public.policy;
\set clean :include 'clean.psql'
\i :clean

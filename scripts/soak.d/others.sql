-- Number and checksum, for each table, of the rows that are not tenant acme's,
-- and of all that is in beta's schema.
\set ON_ERROR_STOP on
SELECT format('SELECT %L, count(*), md5(string_agg(t::text, E''\n'' ORDER BY t::text)) '
              'FROM %s AS t WHERE %I <> %L OR %L LIKE ''tenant\_beta.%%''',
              table_name, table_name, tenant_column, acme.id, table_name)
FROM publicdigit.protected_tables, publicdigit.tenants AS acme
WHERE slug = 'acme' ORDER BY table_name::text \gexec

/*-------------------------------------------------------------------------
 *
 * golden.c
 *	  The golden rules, checked on tables that are there.
 *
 * The installer has put row security, default and policies on a module's
 * tables itself; this looks at the catalogs afterwards, whatever the scripts
 * did meanwhile.  Only tables that were made or altered are looked at: a
 * search by schema reads all of pg_class, which grows with the tenants.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog.h"
#include "errors.h"
#include "golden.h"
#include "spi.h"

/*
 * pd_check_tables
 *		An error (PD001) unless every table keeps golden rule 1.  OIDs of
 *		other relations, and of ones that are gone, are passed over.
 *
 * Those that were not created just now kept it once: where they no longer do,
 * somebody may have changed them by hand.
 *
 * Counts stand where EXISTS would do: the planner would read the catalogs of
 * all tenants into a hash table for it.
 */
void
pd_check_tables(List *tables, List *created, Oid owner)
{
	List	   *doubtful = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (!pd_table_keeps_rule(lfirst_oid(cell), owner))
			doubtful = lappend_oid(doubtful, lfirst_oid(cell));
	}

	if (doubtful != NIL &&
		pd_spi_query("SELECT c.relname::text AS table_name, v.problem,"
					 " CASE WHEN v.can_protect AND NOT c.oid = ANY ($4)"
					 "  THEN format('%s.  If no script of the module did this, publicdigit.protect_table(%L) mends the table.',"
					 "   rtrim(v.remedy, '.'), format('%I.%I', n.nspname, c.relname))"
					 "  ELSE v.remedy END AS remedy"
					 " FROM pg_class AS c"
					 " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
					 " LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid"
					 "  AND a.attname = 'tenant_id' AND a.attnum > 0 AND NOT a.attisdropped"
					 " LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum"
					 " LEFT JOIN pg_policy AS p ON p.polrelid = c.oid"
					 "  AND p.polname = 'publicdigit_tenant'"
					 " CROSS JOIN LATERAL (VALUES"
					 " (c.relkind = 'f',"
					 "  'is a foreign table, which has no row-level security', false,"
					 "  'Use an ordinary table.'),"
					 " (c.relowner <> $2,"
					 "  'does not belong to the owner role', false,"
					 "  format('ALTER TABLE %I.%I OWNER TO %I', n.nspname, c.relname, pg_get_userbyid($2))),"
					 " (a.attnum IS NULL,"
					 "  'has no column \"tenant_id\"', false,"
					 "  'Give the table a column: tenant_id uuid. The installer adds NOT NULL, default and row-level security.'),"
					 " (a.atttypid <> 'uuid'::regtype,"
					 "  'has a column \"tenant_id\" that is not of type uuid', false,"
					 "  format('ALTER TABLE %I ALTER COLUMN tenant_id TYPE uuid USING tenant_id::uuid', c.relname)),"
					 /* a constraint that is NOT VALID is in pg_attribute, too */
					 " (NOT a.attnotnull OR (SELECT count(*) FROM pg_constraint AS k"
					 "   WHERE k.conrelid = c.oid AND k.contype = 'n'"
					 "    AND k.conkey[1] = a.attnum AND NOT k.convalidated) > 0,"
					 "  'has a column \"tenant_id\" that may be null', true,"
					 "  format('ALTER TABLE %I ALTER COLUMN tenant_id SET NOT NULL', c.relname)),"
					 " (pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM 'publicdigit.current_tenant_id()',"
					 "  'has a column \"tenant_id\" that does not default to the bound tenant', true,"
					 "  format('ALTER TABLE %I ALTER COLUMN tenant_id SET DEFAULT publicdigit.current_tenant_id()', c.relname)),"
					 " (NOT c.relrowsecurity OR NOT c.relforcerowsecurity,"
					 "  'does not enforce row-level security', true,"
					 "  format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', c.relname)),"
					 " (p.oid IS NULL OR p.polpermissive OR p.polcmd <> '*' OR p.polroles <> '{0}'"
					 "   OR pg_get_expr(p.polqual, c.oid) IS DISTINCT FROM pg_get_expr(p.polwithcheck, c.oid)"
					 "   OR pg_get_expr(p.polqual, c.oid) NOT IN"
					 "    ('publicdigit.is_current_tenant(tenant_id)',"
					 "     '(tenant_id = publicdigit.current_tenant_id())'),"
					 "  'does not have the tenant policy', true,"
					 "  'Leave the policy \"publicdigit_tenant\" as the installer makes it.'),"
					 " ((SELECT count(*) FROM pg_policy AS q WHERE q.polrelid = c.oid"
					 "   AND q.polname = 'publicdigit_bound'"
					 "   AND (NOT q.polpermissive OR q.polcmd <> '*' OR q.polroles <> '{0}'"
					 "    OR pg_get_expr(q.polqual, c.oid) IS DISTINCT FROM pg_get_expr(p.polqual, c.oid)"
					 "    OR pg_get_expr(q.polwithcheck, c.oid) IS DISTINCT FROM 'publicdigit.ensure_tenant()')) > 0,"
					 "  'has a policy \"publicdigit_bound\" of another kind than the installer makes', true,"
					 "  'Leave the policy \"publicdigit_bound\" as the installer makes it.'),"
					 " ((SELECT count(*) FROM pg_policy AS q WHERE q.polrelid = c.oid AND q.polpermissive"
					 "   AND (SELECT count(*) FROM pg_depend AS e"
					 "    WHERE e.classid = 'pg_policy'::regclass AND e.objid = q.oid"
					 "     AND e.refclassid = 'pg_proc'::regclass"
					 "     AND (SELECT pronamespace FROM pg_proc WHERE oid = e.refobjid) = $3) = 0) > 0,"
					 "  'has a permissive policy that does not name a function of publicdigit', false,"
					 "  'Add \"publicdigit.is_current_tenant(tenant_id) AND\" to its expressions: DROP EXTENSION publicdigit CASCADE would leave the table open to it.')"
					 " ) AS v (broken, problem, can_protect, remedy)"
					 " WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'p', 'f') AND v.broken"
					 " ORDER BY c.relname LIMIT 1",
					 PD_ARGS(pd_oid_array(doubtful),
							 pd_datum(OIDOID, ObjectIdGetDatum(owner)),
							 pd_datum(OIDOID, ObjectIdGetDatum(pd_catalog()->schema)),
							 pd_oid_array(created))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("table \"%s\" %s", pd_spi_text(0, "table_name"),
						pd_spi_text(0, "problem")),
				 errdetail("Golden rule 1: every table of a tenant module says whose each row is, and the database enforces it."),
				 errhint("%s", pd_spi_text(0, "remedy"))));

	pd_check_keys(tables, "tenant_id");
}

/*
 * pd_check_keys
 *		An error (PD001) for a foreign key that would set the tenant column to
 *		null.
 */
void
pd_check_keys(List *tables, const char *tenant_column)
{
	List	   *nulled = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (pd_has_nulling_key(lfirst_oid(cell)))
			nulled = lappend_oid(nulled, lfirst_oid(cell));
	}

	if (nulled != NIL &&
		pd_spi_query("SELECT c.relname::text AS table_name, k.conname::text AS key,"
					 " k.confupdtype = 'n' AS on_update,"
					 " (SELECT string_agg(quote_ident(b.attname), ', ')"
					 "  FROM pg_attribute AS b WHERE b.attrelid = c.oid"
					 "  AND b.attnum = ANY (k.conkey) AND b.attnum <> a.attnum) AS others"
					 " FROM pg_class AS c"
					 " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $2"
					 " JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'f'"
					 "  AND a.attnum = ANY (k.conkey)"
					 " WHERE c.oid = ANY ($1)"
					 " AND (k.confupdtype = 'n' OR k.confdeltype = 'n'"
					 "  AND (k.confdelsetcols IS NULL OR a.attnum = ANY (k.confdelsetcols)))"
					 " ORDER BY 1, 2 LIMIT 1",
					 PD_ARGS(pd_oid_array(nulled), pd_text(tenant_column))) > 0)
	{
		bool		isnull;
		bool		on_update = DatumGetBool(pd_spi_datum(0, "on_update", &isnull));
		char	   *others = pd_spi_text(0, "others");

		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("foreign key \"%s\" of table \"%s\" would set column \"%s\" to null",
						pd_spi_text(0, "key"), pd_spi_text(0, "table_name"),
						tenant_column),
				 on_update ? errhint("Use ON UPDATE CASCADE or NO ACTION.") :
				 others == NULL ? errhint("Use ON DELETE CASCADE or NO ACTION.") :
				 errhint("Name the columns: ON DELETE SET NULL (%s).", others)));
	}
}

/*
 * pd_keys_without_tenant
 *		The foreign and unique keys of tables that do not contain the tenant
 *		column, for a warning; NULL when there are none.
 *
 * A primary key of one column that the database makes up (a uuid's default,
 * an identity, a sequence) cannot clash and tells nothing, so it is left out.
 */
char *
pd_keys_without_tenant(List *tables, const char *tenant_column)
{
	if (tables == NIL)
		return NULL;

	pd_spi_query_once("SELECT string_agg(format('%s of table %s', k.conname, c.relname),"
					  "  ', ' ORDER BY c.relname, k.conname) AS keys"
					  " FROM pg_class AS c"
					  " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $2"
					  " JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype IN ('f', 'u', 'p')"
					  "  AND NOT a.attnum = ANY (k.conkey)"
					  " WHERE c.oid = ANY ($1) AND k.conparentid = 0"
					  /* a key to a table of no tenant's cannot contain the tenant */
					  " AND (k.contype <> 'f' OR EXISTS (SELECT FROM pg_policy AS p"
					  "   WHERE p.polrelid = k.confrelid AND p.polname = 'publicdigit_tenant'))"
					  " AND NOT (k.contype = 'p' AND cardinality(k.conkey) = 1"
					  "  AND EXISTS (SELECT FROM pg_attribute AS b"
					  "   WHERE b.attrelid = c.oid AND b.attnum = k.conkey[1]"
					  "    AND (b.attidentity <> '' OR b.atthasdef)))",
					  PD_ARGS(pd_oid_array(tables), pd_text(tenant_column)));
	return pd_spi_text(0, "keys");
}

/*
 * pd_check_materialized_views
 *		An error (PD001) for a materialized view that reads a protected table,
 *		by way of other views or not: it would keep a tenant's rows where no
 *		row security is, and pg_restore could not fill it.
 */
void
pd_check_materialized_views(List *relations)
{
	List	   *views = NIL;
	ListCell   *cell;

	foreach(cell, relations)
	{
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_MATVIEW)
			views = lappend_oid(views, lfirst_oid(cell));
	}
	if (views == NIL)
		return;

	if (pd_spi_query("WITH RECURSIVE reads (view, relation) AS ("
					 " SELECT v, v FROM unnest($1) AS v"
					 " UNION"
					 " SELECT s.view, d.refobjid FROM reads AS s"
					 " JOIN pg_rewrite AS r ON r.ev_class = s.relation"
					 " JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass"
					 "  AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass)"
					 " SELECT v.relname::text AS view_name, t.relname::text AS table_name"
					 " FROM reads AS s JOIN pg_class AS v ON v.oid = s.view"
					 " JOIN pg_class AS t ON t.oid = s.relation"
					 " JOIN pg_policy AS p ON p.polrelid = t.oid AND p.polname = 'publicdigit_tenant'"
					 " ORDER BY 1, 2 LIMIT 1",
					 PD_ARGS(pd_oid_array(views))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("materialized view \"%s\" reads the protected table \"%s\"",
						pd_spi_text(0, "view_name"), pd_spi_text(0, "table_name")),
				 errdetail("It would keep a tenant's rows without row-level security, and pg_restore could not fill it."),
				 errhint("Use a view, or a table that the application fills.")));
}

/*
 * pd_check_views
 *		An error (PD001) for a view that the app role cannot be given: it would be
 *		read with other privileges, and under the row security of another, than the
 *		app role's own.
 */
void
pd_check_views(List *views, Oid owner)
{
	if (views != NIL &&
		pd_spi_query("SELECT c.relname::text AS name, v.problem, v.detail, v.remedy"
					 " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
					 " CROSS JOIN LATERAL (VALUES"
					 " (c.relkind = 'm',"
					 "  'is a materialized view, which the app role cannot be given',"
					 "  'It holds rows that were read as its owner, without the row-level security of who asks for them.',"
					 "  'Use a view WITH (security_invoker = true), or a table that the application fills.'),"
					 " (c.relowner <> $2,"
					 "  'does not belong to the owner role',"
					 "  'Whoever owns it can put anything in its place.',"
					 "  format('ALTER VIEW %I.%I OWNER TO %I', n.nspname, c.relname, pg_get_userbyid($2))),"
					 " (c.relkind = 'v' AND (SELECT count(*) FROM pg_options_to_table(c.reloptions) AS o"
					 "   WHERE o.option_name = 'security_invoker' AND o.option_value::boolean) = 0,"
					 "  'would be read with the privileges of its owner',"
					 "  'Neither the privileges nor the row-level security of the app role would count.',"
					 "  'Make it WITH (security_invoker = true), each time: CREATE OR REPLACE VIEW takes away what it does not repeat.')"
					 " ) AS v (broken, problem, detail, remedy)"
					 " WHERE c.oid = ANY ($1) AND v.broken"
					 " ORDER BY c.relname LIMIT 1",
					 PD_ARGS(pd_oid_array(views),
							 pd_datum(OIDOID, ObjectIdGetDatum(owner)))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("view \"%s\" %s", pd_spi_text(0, "name"), pd_spi_text(0, "problem")),
				 errdetail("%s", pd_spi_text(0, "detail")),
				 errhint("%s", pd_spi_text(0, "remedy"))));
}

/*
 * pd_check_functions
 *		An error (PD001) for a SECURITY DEFINER function with an open path.
 */
void
pd_check_functions(List *functions)
{
	if (functions == NIL)
		return;

	if (pd_spi_query("SELECT p.proname::text AS name, p.oid::regprocedure::text AS signature"
					 " FROM pg_proc AS p"
					 " WHERE p.oid = ANY ($1) AND p.prosecdef"
					 " AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s"
					 "  WHERE s ~ '^search_path=((\"[^\"]*\"|[^\",]+), *)+\"?pg_temp\"?$' AND s !~ '[=,] *\"?pg_temp\"?,')"
					 " ORDER BY 1 LIMIT 1",
					 PD_ARGS(pd_oid_array(functions))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("function \"%s\" is SECURITY DEFINER and has no search_path that ends with pg_temp",
						pd_spi_text(0, "name")),
				 errdetail("Its caller could make it find other objects than it means."),
				 errhint("ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp, and qualify the names in it.",
						 pd_spi_text(0, "signature"))));
}

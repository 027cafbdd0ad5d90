/*-------------------------------------------------------------------------
 *
 * protect.c
 *	  Tenant row-level security on tables.
 *
 * A protected table has row security enabled and forced, a RESTRICTIVE policy
 * that compares its tenant column with the bound tenant, for reading and for
 * writing, and, unless it has permissive policies of its own, a PERMISSIVE
 * one that lets through whatever the first allows.  Both name a function of
 * the extension: DROP EXTENSION ... CASCADE takes the policies away and leaves
 * row security on, so that the table is closed and not open.
 *
 * Both read by the same expression, which the server then evaluates once.
 * Plain tables call is_current_tenant() (see match.c); partitioned ones
 * compare with current_tenant_id(), by which the executor can prune.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "commands/policy.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "errors.h"
#include "fresh_row.h"
#include "protect.h"
#include "spi.h"

/* What the policies of a table are, found in one scan. */
typedef struct PolicyState
{
	bool		has_tenant;
	bool		has_bound;
	bool		has_own_permissive;
	Oid			tenant_policy;
} PolicyState;

/*
 * qualified_name
 *		A relation's name with its schema, quoted.
 */
static char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/*
 * names_our_function
 *		Does a policy depend on a function of the extension?
 */
static bool
names_our_function(Oid policy)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	Oid			schema = pd_catalog()->schema;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(PolicyRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(policy));
	scan = systable_beginscan(rel, DependDependerIndexId, true, NULL, 2, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		found = depend->refclassid == ProcedureRelationId &&
			get_func_namespace(depend->refobjid) == schema;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * read_policies
 *		Look at a table's policies.  A permissive one that does not name our
 *		function is an error (PD001): it would stay behind, alone, after
 *		DROP EXTENSION.
 */
static void
read_policies(Oid relid, const char *tenant_column, PolicyState *state)
{
	Relation	rel = table_open(PolicyRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	MemSet(state, 0, sizeof(PolicyState));
	ScanKeyInit(&key, Anum_pg_policy_polrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, PolicyPolrelidPolnameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_policy policy = (Form_pg_policy) GETSTRUCT(tuple);
		const char *name = NameStr(policy->polname);

		if (strcmp(name, PD_POLICY_TENANT) == 0)
		{
			state->has_tenant = true;
			state->tenant_policy = policy->oid;
		}
		else if (strcmp(name, PD_POLICY_BOUND) == 0)
			state->has_bound = true;
		else if (policy->polpermissive)
		{
			state->has_own_permissive = true;
			if (!names_our_function(policy->oid))
				ereport(ERROR,
						(errcode(ERRCODE_PD_GOLDEN_RULE),
						 errmsg("policy \"%s\" of table \"%s\" does not name a function of publicdigit",
								name, get_rel_name(relid)),
						 errdetail("DROP EXTENSION publicdigit CASCADE would leave it behind without the tenant policy, and the table open."),
						 errhint("Add \"publicdigit.is_current_tenant(%s) AND\" to its expressions with ALTER POLICY.",
								 quote_identifier(tenant_column))));
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * pd_is_protected
 *		Is a table protected, and by which column?  tenant_column may be NULL.
 */
bool
pd_is_protected(Oid relid, NameData *tenant_column)
{
	Oid			policy = get_relation_policy_oid(relid, PD_POLICY_TENANT, true);
	Relation	rel;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	if (!OidIsValid(policy))
		return false;

	rel = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(PolicyRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(policy));
	scan = systable_beginscan(rel, DependDependerIndexId, true, NULL, 2, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		if (depend->refclassid == RelationRelationId &&
			depend->refobjid == relid && depend->refobjsubid > 0)
		{
			found = true;
			if (tenant_column != NULL)
				namestrcpy(tenant_column,
						   get_attname(relid, depend->refobjsubid, false));
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * check_column
 *		An error (PD001), with the SQL that mends it, unless the table has the
 *		tenant column and it is of type uuid.
 */
static void
check_column(Oid relid, const char *tenant_column)
{
	AttrNumber	attno = get_attnum(relid, tenant_column);
	const char *column = quote_identifier(tenant_column);
	Oid			type;

	if (attno <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("table \"%s\" has no column \"%s\"",
						get_rel_name(relid), tenant_column),
				 errdetail("Every table with tenants' rows says in a column of type uuid whose each row is."),
				 errhint("Run ALTER TABLE %s ADD COLUMN %s uuid, and fill it.",
						 qualified_name(relid), column)));

	type = get_atttype(relid, attno);
	if (type != UUIDOID)
		ereport(ERROR,
				(errcode(ERRCODE_PD_GOLDEN_RULE),
				 errmsg("column \"%s\" of table \"%s\" is of type %s, not uuid",
						tenant_column, get_rel_name(relid), format_type_be(type)),
				 errhint("Run ALTER TABLE %s ALTER COLUMN %s TYPE uuid USING %s::uuid.",
						 qualified_name(relid), column, column)));
}

/*
 * belongs_to_tenant
 *		The expression that compares a row's tenant with the bound one.
 */
static char *
belongs_to_tenant(Oid relid, const char *tenant_column)
{
	const char *column = quote_identifier(tenant_column);

	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return psprintf("%s OPERATOR(pg_catalog.=) publicdigit.current_tenant_id()",
						column);
	return psprintf("publicdigit.is_current_tenant(%s)", column);
}

/*
 * create_bound_policy
 *		The permissive policy: the same as the restrictive one for reading, so
 *		that it costs nothing; for writing, an error that says so when no
 *		tenant is bound.
 */
static void
create_bound_policy(Oid relid, const char *tenant_column)
{
	pd_spi_command("CREATE POLICY %s ON %s AS PERMISSIVE"
				   " USING (%s) WITH CHECK (publicdigit.ensure_tenant())",
				   PD_POLICY_BOUND, qualified_name(relid),
				   belongs_to_tenant(relid, tenant_column));
}

/*
 * has_grants
 *		Has anybody ever been granted anything on a table or on its columns?
 */
static bool
has_grants(Oid relid)
{
	HeapTuple	tuple = pd_fresh_row(RelationRelationId, ClassOidIndexId,
									 Anum_pg_class_oid, relid);
	Relation	rel;
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	if (!heap_attisnull(tuple, Anum_pg_class_relacl, NULL))
		return true;

	rel = table_open(AttributeRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_attribute_attrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, AttributeRelidNumIndexId, true, NULL, 1, &key);
	do
	{
		tuple = systable_getnext(scan);
		found = HeapTupleIsValid(tuple) &&
			!heap_attisnull(tuple, Anum_pg_attribute_attacl, NULL);
	} while (HeapTupleIsValid(tuple) && !found);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * take_grants_away
 *		Leave nobody but its owner these privileges on a table: a list of them
 *		as aclexplode() spells them, or NULL for all.
 */
static void
take_grants_away(Oid relid, const char *privileges)
{
	char	   *table;
	uint64		n;
	SPITupleTable *result;

	/* A table that a script has just made has none as a rule. */
	if (!has_grants(relid))
		return;
	table = qualified_name(relid);

	/* A REVOKE takes the grants on columns as well. */
	n = pd_spi_query("SELECT a.grantee = 0 AS is_public, pg_get_userbyid(a.grantee) AS name,"
					 " string_agg(DISTINCT a.privilege_type, ', ') AS privileges"
					 " FROM pg_class AS c"
					 " CROSS JOIN LATERAL (SELECT c.relacl AS acl"
					 "  UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = c.oid) AS g"
					 " CROSS JOIN LATERAL aclexplode(g.acl) AS a"
					 " WHERE c.oid = $1 AND a.grantee <> c.relowner"
					 " AND ($2 IS NULL OR a.privilege_type = ANY (string_to_array($2, ', ')))"
					 " GROUP BY a.grantee ORDER BY 2",
					 PD_ARGS(pd_datum(OIDOID, ObjectIdGetDatum(relid)),
							 pd_text(privileges)));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		bool		is_public;
		const char *grantee;
		char	   *revoked;

		SPI_tuptable = result;
		is_public = DatumGetBool(pd_spi_datum(row, "is_public", &isnull));
		grantee = is_public ? "PUBLIC" : quote_identifier(pd_spi_text(row, "name"));
		revoked = pd_spi_text(row, "privileges");
		pd_spi_command("REVOKE %s ON TABLE %s FROM %s CASCADE",
					   privileges == NULL ? "ALL" : revoked, table, grantee);
		if (privileges != NULL)
			ereport(NOTICE,
					(errmsg("revoked %s on table %s from %s", revoked, table, grantee),
					 errdetail("Row-level security does not hold for these privileges.")));
	}
}

/*
 * protect_one
 *		Protect one table.  Must be called inside pd_spi_begin, as a role that
 *		may alter it.
 */
static void
protect_one(Oid relid, const char *tenant_column)
{
	char	   *table = qualified_name(relid);
	const char *column = quote_identifier(tenant_column);
	const char *belongs = belongs_to_tenant(relid, tenant_column);
	PolicyState policies;

	check_column(relid, tenant_column);
	read_policies(relid, tenant_column, &policies);

	/* Without ONLY, since NOT NULL must go down to children. */
	pd_spi_command("ALTER TABLE %s"
				   " ALTER COLUMN %s SET NOT NULL,"
				   " ALTER COLUMN %s SET DEFAULT publicdigit.current_tenant_id(),"
				   " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
				   table, column, column);

	if (policies.has_tenant)
		pd_spi_command("DROP POLICY %s ON %s", PD_POLICY_TENANT, table);
	pd_spi_command("CREATE POLICY %s ON %s AS RESTRICTIVE"
				   " USING (%s) WITH CHECK (%s)",
				   PD_POLICY_TENANT, table, belongs, belongs);

	if (policies.has_bound)
		pd_spi_command("DROP POLICY %s ON %s", PD_POLICY_BOUND, table);
	if (!policies.has_own_permissive)
		create_bound_policy(relid, tenant_column);

	take_grants_away(relid, "TRUNCATE, REFERENCES, TRIGGER, MAINTAIN");
}

/*
 * pd_settle_bound_policy
 *		Where a protected table has permissive policies of its own, ours would
 *		let through what they mean to hold back; where it has none, nothing
 *		could be read without ours.  Other tables are left alone.
 */
void
pd_settle_bound_policy(Oid relid)
{
	PolicyState policies;
	NameData	tenant_column;

	if (!pd_is_protected(relid, &tenant_column))
		return;
	read_policies(relid, NameStr(tenant_column), &policies);
	if (policies.has_bound && policies.has_own_permissive)
		pd_spi_command("DROP POLICY %s ON %s", PD_POLICY_BOUND,
					   qualified_name(relid));
	else if (!policies.has_bound && !policies.has_own_permissive)
		create_bound_policy(relid, NameStr(tenant_column));
}

/*
 * pd_protect_child
 *		Protect a partition or child, and what is below it, as its parent is.
 *		Must be called inside pd_spi_begin, as a role that may alter them all.
 */
void
pd_protect_child(Oid relid, const char *tenant_column)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, AccessExclusiveLock, NULL))
	{
		Oid			child = lfirst_oid(cell);

		/* A foreign table has no row security; without grants it is closed. */
		if (get_rel_relkind(child) != RELKIND_FOREIGN_TABLE)
			protect_one(child, tenant_column);
		/*
		 * A query of the parent needs no privilege here, and a query of the
		 * child itself is no way that an application should have.
		 */
		take_grants_away(child, NULL);
	}
}

/*
 * pd_protect
 *		Protect a table and its partitions or children.  Must be called inside
 *		pd_spi_begin, as a role that may alter them all.
 *
 * Calling it again repairs what was changed since.
 */
void
pd_protect(Oid relid, const char *tenant_column)
{
	char		relkind = get_rel_relkind(relid);
	ListCell   *cell;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(relid)),
				 errdetail("Row-level security is for ordinary and partitioned tables.")));

	protect_one(relid, tenant_column);
	foreach(cell, find_inheritance_children(relid, AccessExclusiveLock))
		pd_protect_child(lfirst_oid(cell), tenant_column);
}

/*
 * pd_parents_of
 *		OIDs of the tables that a table is a partition or child of.
 */
List *
pd_parents_of(Oid relid)
{
	Relation	rel = table_open(InheritsRelationId, AccessShareLock);
	List	   *parents = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		parents = lappend_oid(parents,
							  ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return parents;
}

/*
 * wants_protection
 *		Is a table that a script has made to be protected?  All of a tenant's
 *		are; of the landlord's those that the manifest says hold tenants' rows.
 */
static bool
wants_protection(const PdScriptRun *run, Oid relid)
{
	char		relkind = get_rel_relkind(relid);
	const PdTableSpec *spec;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	if (run->context == PD_TENANT)
		return true;
	spec = pd_manifest_table(run->manifest, get_rel_name(relid));
	return spec != NULL && spec->is_tenant;
}

/*
 * pd_protect_created
 *		Protect the tables that a script has made, as soon as they have a
 *		tenant column, so that the script can go on to fill them without
 *		naming the tenant.  Those that never get one are found by the check
 *		of the golden rules.  Must be called inside pd_spi_begin, as the owner
 *		role.
 */
void
pd_protect_created(PdScriptRun *run)
{
	List	   *waiting = run->unprotected;
	ListCell   *cell;

	run->unprotected = NIL;
	foreach(cell, waiting)
	{
		Oid			relid = lfirst_oid(cell);

		if (!wants_protection(run, relid) || pd_is_protected(relid, NULL))
			continue;
		if (get_attnum(relid, PD_TENANT_COLUMN) > 0)
			pd_protect(relid, PD_TENANT_COLUMN);
		else
		{
			MemoryContext old = MemoryContextSwitchTo(run->memory);

			run->unprotected = lappend_oid(run->unprotected, relid);
			MemoryContextSwitchTo(old);
		}
	}
	list_free(waiting);
}

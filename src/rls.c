/*-------------------------------------------------------------------------
 *
 * rls.c
 *	  SQL functions for row-level security of single tables.
 *
 * A caller needs what ALTER TABLE asks for, ownership of the table; the admin
 * role may stand in for the owner role, whose tables the modules made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "commands/event_trigger.h"
#include "commands/policy.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "golden.h"
#include "protect.h"
#include "reference.h"
#include "rls.h"
#include "spi.h"

PG_FUNCTION_INFO_V1(pd_protect_table);
PG_FUNCTION_INFO_V1(pd_unprotect_table);
PG_FUNCTION_INFO_V1(pd_share_table);
PG_FUNCTION_INFO_V1(pd_protect_children);

/*
 * relation_owner
 *		The role that owns a relation.
 */
static Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * pd_lock_own_table
 *		Get the table that the first argument names, locked until the
 *		transaction ends, if the caller may alter it.  *owner is set to the role
 *		that owns it.  Errors: 22004, 42P01, 42501, 40001.
 */
Oid
pd_lock_own_table(FunctionCallInfo fcinfo, LOCKMODE lockmode, Oid *owner)
{
	const PdCatalog *catalog = pd_catalog();
	Oid			relid;
	bool		allowed;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table_name must not be null")));
	relid = PG_GETARG_OID(0);

	/* Looked at again under the lock: it may be another's by then. */
	*owner = relation_owner(relid);
	allowed = pd_is_relation_owner(relid, GetUserId());
	if (!allowed && catalog->is_set_up && NameStr(catalog->admin_role)[0] != '\0')
		allowed = *owner == get_role_oid(NameStr(catalog->owner_role), true) &&
			has_privs_of_role(GetUserId(),
							  get_role_oid(NameStr(catalog->admin_role), false));
	if (!allowed)
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));

	LockRelationOid(relid, lockmode);
	if (relation_owner(relid) != *owner)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the owner of table \"%s\" was changed concurrently",
						get_rel_name(relid))));
	return relid;
}

/*
 * begin_as_table_owner
 *		The same with all of the table locked, and become its owner.
 */
static Oid
begin_as_table_owner(FunctionCallInfo fcinfo, PdSpi *spi)
{
	Oid			owner;
	Oid			relid = pd_lock_own_table(fcinfo, AccessExclusiveLock, &owner);

	pd_spi_begin_as(spi, owner);
	return relid;
}

/*
 * is_tenant_schema
 *		Is a schema the own schema of a registered tenant?
 */
static bool
is_tenant_schema(Oid nspid)
{
	PdSpi		spi;
	bool		result;

	pd_spi_begin(&spi);
	result = pd_spi_query("SELECT FROM publicdigit.tenant WHERE schema_name = $1",
						  PD_ARGS(pd_datum(NAMEOID, CStringGetDatum(get_namespace_name(nspid))))) > 0;
	pd_spi_end(&spi);
	return result;
}

/*
 * protect_table(table_name, tenant_column DEFAULT 'tenant_id')
 *		Put a table under tenant row-level security.
 *		Errors: 22004, 42501, 42809, PD001.
 */
Datum
pd_protect_table(PG_FUNCTION_ARGS)
{
	PdSpi		spi;
	Oid			relid;
	char	   *tenant_column;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tenant_column must not be null")));
	tenant_column = pstrdup(NameStr(*PG_GETARG_NAME(1)));

	relid = begin_as_table_owner(fcinfo, &spi);
	pd_protect(relid, tenant_column);
	pd_check_keys(list_make1_oid(relid), tenant_column);
	if (!is_tenant_schema(get_rel_namespace(relid)))
	{
		char	   *keys = pd_keys_without_tenant(list_make1_oid(relid), tenant_column);

		if (keys != NULL)
			ereport(WARNING,
					(errmsg("table \"%s\" has keys that tenants share", get_rel_name(relid)),
					 errdetail("Without column \"%s\": %s.", tenant_column, keys),
					 errhint("Add the column to each key, so that no tenant learns of another's rows by them.")));
	}
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * unprotect_one
 *		Take the policies of one table away, and row security with the last.
 */
static void
unprotect_one(Oid relid, const char *tenant_column)
{
	char	   *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												   get_rel_name(relid));

	pd_spi_command("DROP POLICY %s ON %s", PD_POLICY_TENANT, table);
	if (OidIsValid(get_relation_policy_oid(relid, PD_POLICY_BOUND, true)))
		pd_spi_command("DROP POLICY %s ON %s", PD_POLICY_BOUND, table);
	pd_spi_command("ALTER TABLE ONLY %s ALTER COLUMN %s DROP DEFAULT",
				   table, quote_identifier(tenant_column));
	if (pd_spi_query("SELECT FROM pg_catalog.pg_policy WHERE polrelid = $1",
					 PD_ARGS(pd_datum(OIDOID, ObjectIdGetDatum(relid)))) == 0)
		pd_spi_command("ALTER TABLE ONLY %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
					   table);
}

/*
 * unprotect_table(table_name)
 *		Take a table, with its partitions, out of tenant row-level security.
 *		Errors: 22004, 42501, 55000.
 */
Datum
pd_unprotect_table(PG_FUNCTION_ARGS)
{
	PdSpi		spi;
	Oid			relid = begin_as_table_owner(fcinfo, &spi);
	NameData	tenant_column;
	ListCell   *cell;

	if (is_tenant_schema(get_rel_namespace(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" belongs to a tenant", get_rel_name(relid)),
				 errdetail("Tables in a tenant's own schema are always protected."),
				 errhint("Drop the table, or uninstall its module.")));
	if (!pd_is_protected(relid, &tenant_column))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not protected", get_rel_name(relid)),
				 errhint("The view publicdigit.protected_tables lists those that are.")));

	foreach(cell, pd_parents_of(relid))
	{
		if (pd_is_protected(lfirst_oid(cell), NULL))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s\" is a child of the protected table \"%s\"",
							get_rel_name(relid), get_rel_name(lfirst_oid(cell))),
					 errhint("Unprotect the parent, or detach the table first.")));
	}
	foreach(cell, find_all_inheritors(relid, AccessExclusiveLock, NULL))
	{
		if (pd_is_protected(lfirst_oid(cell), NULL))
			unprotect_one(lfirst_oid(cell), NameStr(tenant_column));
	}
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * share_table(table_name)
 *		Let every tenant read a landlord's table, and none write it.
 *		Errors: 22004, 42501, 42809, 55000.
 */
Datum
pd_share_table(PG_FUNCTION_ARGS)
{
	const PdCatalog *catalog = pd_catalog_set_up();
	const char *app_role = quote_identifier(pstrdup(NameStr(catalog->app_role)));
	PdSpi		spi;
	Oid			relid = begin_as_table_owner(fcinfo, &spi);
	char		relkind = get_rel_relkind(relid);
	char	   *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												   get_rel_name(relid));

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(relid)),
				 errhint("Grant the app role SELECT on a view with GRANT.")));
	if (get_rel_namespace(relid) != get_namespace_oid(PD_LANDLORD_SCHEMA, false))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is not the landlord's", table),
				 errhint("Only tables in schema \"%s\" can be shared.", PD_LANDLORD_SCHEMA)));
	if (pd_is_protected(relid, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s holds rows of tenants", table),
				 errhint("Run publicdigit.unprotect_table('%s') first if every tenant may read all its rows.", table)));

	pd_spi_command("REVOKE ALL ON TABLE %s FROM PUBLIC, %s", table, app_role);
	pd_spi_command("GRANT SELECT ON TABLE %s TO %s", table, app_role);
	pd_reference_watch(relid);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * protect_as_parent
 *		Protect a new child if a parent of it is protected.
 */
static void
protect_as_parent(Oid relid)
{
	NameData	tenant_column;
	PdSpi		spi;
	ListCell   *cell;

	foreach(cell, pd_parents_of(relid))
	{
		if (!pd_is_protected(lfirst_oid(cell), &tenant_column))
			continue;
		pd_spi_begin_as(&spi, GetUserId());
		pd_protect_child(relid, NameStr(tenant_column));
		pd_spi_end(&spi);
		break;
	}
}

/*
 * protect_named
 *		The same for a child that a statement names.
 */
static void
protect_named(const RangeVar *child)
{
	Oid			relid = RangeVarGetRelid(child, NoLock, true);

	if (OidIsValid(relid))
		protect_as_parent(relid);
}

/*
 * tables_of_command
 *		OIDs of the tables that the command which has just ended has made.
 */
static List *
tables_of_command(void)
{
	List	   *tables = NIL;
	PdSpi		spi;
	MemoryContext caller = CurrentMemoryContext;
	uint64		n;

	pd_spi_begin_as(&spi, GetUserId());
	n = pd_spi_query("SELECT objid FROM pg_event_trigger_ddl_commands()"
					 " WHERE object_type IN ('table', 'foreign table')", NULL, 0);
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(pd_spi_datum(row, "objid", &isnull));
		MemoryContext old = MemoryContextSwitchTo(caller);

		tables = lappend_oid(tables, relid);
		MemoryContextSwitchTo(old);
	}
	pd_spi_end(&spi);
	return tables;
}

/*
 * protect_children()
 *		Event trigger: protect a table that became a partition or child of a
 *		protected one.  It runs as whoever made it, who owns both.
 */
Datum
pd_protect_children(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = (EventTriggerData *) fcinfo->context;
	Node	   *stmt;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"protect_children\" was not called by an event trigger")));
	stmt = trigdata->parsetree;

	if (IsA(stmt, CreateStmt))
	{
		if (((CreateStmt *) stmt)->inhRelations != NIL)
			protect_named(((CreateStmt *) stmt)->relation);
	}
	else if (IsA(stmt, CreateForeignTableStmt))
	{
		CreateStmt *base = &((CreateForeignTableStmt *) stmt)->base;

		if (base->inhRelations != NIL)
			protect_named(base->relation);
	}
	else if (IsA(stmt, CreateSchemaStmt))
	{
		if (((CreateSchemaStmt *) stmt)->schemaElts != NIL)
		{
			foreach(cell, tables_of_command())
				protect_as_parent(lfirst_oid(cell));
		}
	}
	else if (IsA(stmt, AlterTableStmt))
	{
		AlterTableStmt *alter = (AlterTableStmt *) stmt;

		foreach(cell, alter->cmds)
		{
			AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);

			if (cmd->subtype == AT_AddInherit)
				protect_named(alter->relation);
			else if (cmd->subtype == AT_AttachPartition)
				protect_named(castNode(PartitionCmd, cmd->def)->name);
		}
	}
	PG_RETURN_NULL();
}

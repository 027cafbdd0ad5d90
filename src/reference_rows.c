/*-------------------------------------------------------------------------
 *
 * reference_rows.c
 *	  Reading the tables on both sides of a reference, as their owners.
 *
 * Not as the extension's owner, who is a superuser: to plan a query is to run
 * functions of the table's owner, which the server computes for predicates of
 * indexes, statistics and keys of partitions.  So what reads a table here is its
 * owner, past row-level security, as the server itself does for foreign keys;
 * and what the functions do stays within the query.
 *
 * A script that has led here stays held meanwhile, and those functions with it.
 * The rules that hold it know of one exception: the table that is being read,
 * and the name of its schema.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "reference.h"

/*
 * pd_reference_table_name
 *		A relation's name with its schema, quoted.
 */
char *
pd_reference_table_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/*
 * pd_reference_table_owner
 *		The role that owns a table; InvalidOid where the table is gone.
 */
Oid
pd_reference_table_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * pd_reference_begin
 *		Lock a table until the transaction ends, and become its owner to read all
 *		its rows, until pd_spi_end.  False, with nothing begun, where the table is
 *		gone.
 */
bool
pd_reference_begin(PdSpi *spi, Oid relid, LOCKMODE lockmode)
{
	Oid			owner;
	int			sec_context;

	/* First: under the lock it stays the owner's. */
	LockRelationOid(relid, lockmode);
	owner = pd_reference_table_owner(relid);
	if (!OidIsValid(owner))
	{
		UnlockRelationOid(relid, lockmode);
		return false;
	}
	pd_spi_begin_as(spi, owner);
	GetUserIdAndSecContext(&owner, &sec_context);
	SetUserIdAndSecContext(owner, sec_context | SECURITY_NOFORCE_RLS);
	return true;
}

/*
 * start
 *		Start a query of a table: with a portal by that, or else, to its end, with
 *		a value as $1.
 */
static void
start(Oid relid, const char *sql, Oid type, Datum value, Portal *portal)
{
	SPIPlanPtr	plan = SPI_prepare(sql, portal != NULL ? 0 : 1, &type);

	/* Not kept: this happens where a key that was used is taken away. */
	if (plan == NULL)
		elog(ERROR, "could not read the references of table \"%s\": %s",
			 get_rel_name(relid), SPI_result_code_string(SPI_result));
	if (portal != NULL)
		*portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	else if (SPI_execute_snapshot(plan, &value, NULL, pd_latest_snapshot(),
								  InvalidSnapshot, false, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for references in table \"%s\"", get_rel_name(relid));
}

/*
 * start_past_script
 *		The same, while a script may be running: that may not read the table.
 */
static void
start_past_script(Oid relid, const char *sql, Oid type, Datum value, Portal *portal)
{
	PdScriptRun *run = pd_script_running();

	if (run == NULL)
	{
		start(relid, sql, type, value, portal);
		return;
	}
	PG_TRY();
	{
		run->referring = relid;
		start(relid, sql, type, value, portal);
	}
	PG_FINALLY();
	{
		run->referring = InvalidOid;
	}
	PG_END_TRY();
}

/*
 * only
 *		"ONLY " for a table of which the rows of children are not its own.
 */
static const char *
only(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ";
}

/*
 * pd_reference_open_values
 *		A portal of all values of a column that are not null, by the active
 *		snapshot.  Must be called inside pd_reference_begin.
 */
Portal
pd_reference_open_values(Oid relid, AttrNumber column)
{
	const char *name = quote_identifier(get_attname(relid, column, false));
	Portal		portal;
	char	   *sql;

	sql = psprintf("SELECT DISTINCT x.%s AS value FROM %s%s AS x"
				   " WHERE x.%s IS NOT NULL ORDER BY 1",
				   name, only(relid), pd_reference_table_name(relid), name);
	start_past_script(relid, sql, InvalidOid, (Datum) 0, &portal);
	return portal;
}

/*
 * pd_reference_refers
 *		Has a table a row with this value?  One that is being deleted is waited
 *		for, as a foreign key does.  False where the table is gone.
 */
bool
pd_reference_refers(Oid relid, AttrNumber column, Oid type, Datum value)
{
	char	   *sql;
	bool		found;
	PdSpi		spi;

	if (!pd_reference_begin(&spi, relid, RowShareLock))
		return false;
	sql = psprintf("SELECT FROM %s%s AS x WHERE x.%s OPERATOR(pg_catalog.=) $1"
				   " FOR KEY SHARE OF x",
				   only(relid), pd_reference_table_name(relid),
				   quote_identifier(get_attname(relid, column, false)));
	start_past_script(relid, sql, type, value, NULL);
	found = SPI_processed > 0;
	pd_spi_end(&spi);
	return found;
}

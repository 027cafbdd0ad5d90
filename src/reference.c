/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  reference_landlord(): a tenant's column that refers to a landlord's table.
 *
 * A reference is a trigger on the tenant's table.  Its condition holds always
 * where the column is not null, and is there for what it names: the column and
 * the landlord's table, so that the server keeps both up to date when they are
 * renamed, dumps them by name, and refuses to drop the landlord's table.
 *
 * The trigger on the landlord's side is made beforehand, with the table.  So a
 * tenant's install locks the landlord's table ROW SHARE, as a query does that
 * locks rows, and its uninstall does not lock it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "protect.h"
#include "reference.h"
#include "registry.h"
#include "rls.h"
#include "spi.h"

PG_FUNCTION_INFO_V1(pd_reference_landlord);
PG_FUNCTION_INFO_V1(pd_settle_landlord_references);

/*
 * is_deterministic
 *		Are values of a column that are equal the same text?
 */
static bool
is_deterministic(Oid relid, AttrNumber column)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relid, column, &type, &typmod, &collation);
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

/*
 * primary_key_column
 *		The column that is a table's primary key by itself; InvalidAttrNumber
 *		where there is none.
 */
static AttrNumber
primary_key_column(Oid relid)
{
	Oid			constraint;
	Bitmapset  *columns = get_primary_key_attnos(relid, false, &constraint);
	int			column;

	if (!bms_get_singleton_member(columns, &column))
		return InvalidAttrNumber;
	return column + FirstLowInvalidHeapAttributeNumber;
}

/*
 * check_rows
 *		Check the rows that are there as if they were written now.
 */
static void
check_rows(Oid relid, const char *name, const PdReference *reference)
{
	Relation	rel;
	Portal		portal;
	PdSpi		spi;

	if (!pd_reference_begin(&spi, relid, AccessShareLock))
		return;
	rel = table_open(relid, NoLock);

	/* The latest, as a new foreign key is checked. */
	PushActiveSnapshot(pd_latest_snapshot());
	portal = pd_reference_open_values(relid, reference->column);
	for (;;)
	{
		SPITupleTable *result;

		SPI_cursor_fetch(portal, true, 1000);
		result = SPI_tuptable;
		if (result->numvals == 0)
			break;
		for (uint64 row = 0; row < result->numvals; row++)
		{
			bool		isnull;
			Datum		value;

			CHECK_FOR_INTERRUPTS();
			value = SPI_getbinval(result->vals[row], result->tupdesc, 1, &isnull);
			pd_reference_check(rel, name, reference, value);
		}
		SPI_freetuptable(result);
	}
	SPI_cursor_close(portal);
	PopActiveSnapshot();
	table_close(rel, NoLock);
	pd_spi_end(&spi);
}

/*
 * check_referring_tables
 *		Check all rows that refer to a landlord's table, which had references
 *		before it was watched again: keys may have gone meanwhile, or be spelled
 *		otherwise.
 */
static void
check_referring_tables(Oid landlord)
{
	uint64		n;
	SPITupleTable *result;
	PdSpi		spi;

	pd_spi_begin(&spi);
	n = pd_spi_query_latest("SELECT table_name, column_name, trigger_name FROM publicdigit.landlord_references"
							" WHERE landlord_table = $1 ORDER BY table_name::oid",
							PD_ARGS(pd_datum(REGCLASSOID, ObjectIdGetDatum(landlord))));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		Oid			relid;
		PdReference reference;

		SPI_tuptable = result;
		relid = DatumGetObjectId(pd_spi_datum(row, "table_name", &isnull));
		reference.column = get_attnum(relid, pd_spi_text(row, "column_name"));
		reference.landlord = landlord;
		check_rows(relid, pd_spi_text(row, "trigger_name"), &reference);
	}
	pd_spi_end(&spi);
}

/*
 * pd_reference_watch
 *		Put the landlord's side on a table that tenants are to be able to refer
 *		to, unless it is there.  A table without a key that can be referred to
 *		is left alone: it may be shared all the same.
 *
 * Needs the table locked SHARE ROW EXCLUSIVE or more; it gets so where it is
 * not.
 */
void
pd_reference_watch(Oid landlord)
{
	AttrNumber	key = primary_key_column(landlord);
	char	   *table = pd_reference_table_name(landlord);
	const char *column;
	PdSpi		spi;

	if (get_rel_relkind(landlord) != RELKIND_RELATION ||
		key == InvalidAttrNumber ||
		!OidIsValid(pd_reference_key_family(get_atttype(landlord, key))) ||
		!is_deterministic(landlord, key) ||
		OidIsValid(get_trigger_oid(landlord, PD_TRIGGER_KEY, true)))
		return;
	column = quote_identifier(get_attname(landlord, key, false));

	/* As who could make them by hand; an index may have functions of his. */
	pd_spi_begin_as(&spi, pd_reference_table_owner(landlord));
	/* The condition keeps the column from being dropped. */
	pd_spi_command("CREATE TRIGGER %s AFTER DELETE OR UPDATE ON %s FOR EACH ROW"
				   " WHEN (OLD.%s IS NOT NULL)"
				   " EXECUTE FUNCTION publicdigit.keep_landlord_key()",
				   PD_TRIGGER_KEY, table, column);
	pd_spi_command("CREATE TRIGGER %s BEFORE TRUNCATE ON %s FOR EACH STATEMENT"
				   " EXECUTE FUNCTION publicdigit.keep_landlord_key()",
				   PD_TRIGGER_TRUNCATE, table);
	pd_spi_end(&spi);
	check_referring_tables(landlord);
}

/*
 * pd_reference_watch_created
 *		The same for the tables that a script of the landlord has made and that
 *		its manifest shares.
 */
void
pd_reference_watch_created(PdScriptRun *run)
{
	ListCell   *cell;

	if (run->context != PD_LANDLORD)
		return;
	foreach(cell, run->created)
	{
		Oid			relid = lfirst_oid(cell);
		const PdTableSpec *spec;

		if (get_rel_relkind(relid) != RELKIND_RELATION)
			continue;			/* no table, or dropped again */
		spec = pd_manifest_table(run->manifest, get_rel_name(relid));
		if (spec != NULL && !spec->is_tenant)
			pd_reference_watch(relid);
	}
}

/*
 * ensure_tenants_table
 *		An error unless a table is an ordinary or partitioned one of a tenant
 *		(42809, 55000).
 */
static void
ensure_tenants_table(Oid relid)
{
	char		relkind = get_rel_relkind(relid);
	pg_uuid_t	tenant;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(relid))));
	if (!pd_tenant_of_schema(get_rel_namespace(relid), &tenant))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is not in a tenant's schema", pd_reference_table_name(relid)),
				 errdetail("One table is no burden to the landlord's."),
				 errhint("Use a foreign key.")));
}

/*
 * ensure_landlords_table
 *		An error (55000, 0A000) unless a table is in the landlord's schema and
 *		has a primary key that can be referred to.  Whether it is shared is found
 *		when the key is asked for.
 */
static void
ensure_landlords_table(Oid landlord)
{
	AttrNumber	key;

	if (get_rel_namespace(landlord) != get_namespace_oid(PD_LANDLORD_SCHEMA, false))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is not the landlord's", pd_reference_table_name(landlord)),
				 errhint("Only tables in schema \"%s\" can be referred to in this way; use a foreign key for a table of the tenant's own.",
						 PD_LANDLORD_SCHEMA)));
	if (pd_is_protected(landlord, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s holds rows of tenants", pd_reference_table_name(landlord)),
				 errdetail("A reference would tell a tenant of others' rows."),
				 errhint("Use a table that is shared by publicdigit.share_table().")));
	/* No trigger sees TRUNCATE of a partition that is made later. */
	if (get_rel_relkind(landlord) == RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table %s is partitioned, and cannot be referred to", pd_reference_table_name(landlord)),
				 errhint("Use a foreign key, or an ordinary table.")));
	key = primary_key_column(landlord);
	if (key == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has no primary key of one column", pd_reference_table_name(landlord)),
				 errhint("Give it one; one that is deferrable does not count.")));
	if (!OidIsValid(pd_reference_key_family(get_atttype(landlord, key))) || !is_deterministic(landlord, key))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of table %s cannot be referred to",
						get_attname(landlord, key, false), pd_reference_table_name(landlord)),
				 errdetail("Keys must be of type smallint, integer, bigint, numeric, text, character varying, character, name or uuid, without a nondeterministic collation."),
				 errhint("Use a foreign key, or another primary key.")));
}

/*
 * ensure_comparable
 *		An error (42804) unless values of the tenant's column can be keys of the
 *		landlord's.
 */
static void
ensure_comparable(Oid relid, const PdReference *reference, AttrNumber key)
{
	Oid			type = get_atttype(relid, reference->column);
	Oid			key_type = get_atttype(reference->landlord, key);

	if (pd_reference_key_family(type) != pd_reference_key_family(key_type) || !is_deterministic(relid, reference->column))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" cannot refer to column \"%s\" of table \"%s\"",
						get_attname(relid, reference->column, false), get_rel_name(relid),
						get_attname(reference->landlord, key, false),
						get_rel_name(reference->landlord)),
				 type == key_type ?
				 errdetail("Its collation is nondeterministic.") :
				 errdetail("It is of type %s, the other of type %s.",
						   format_type_be(type), format_type_be(key_type)),
				 errhint("Give both the same type.")));
}

/*
 * find_reference
 *		The name of the trigger that is this reference, in the current memory
 *		context; NULL when there is none.
 */
static char *
find_reference(Oid relid, const PdReference *reference)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *name = NULL;
	PdSpi		spi;

	pd_spi_begin(&spi);
	if (pd_spi_query_latest("SELECT r.trigger_name FROM publicdigit.landlord_references AS r"
							" JOIN pg_attribute AS a ON a.attrelid = r.table_name"
							"  AND a.attname = r.column_name"
							" WHERE r.table_name = $1 AND a.attnum = $2 AND r.landlord_table = $3",
							PD_ARGS(pd_datum(REGCLASSOID, ObjectIdGetDatum(relid)),
									pd_datum(INT2OID, Int16GetDatum(reference->column)),
									pd_datum(REGCLASSOID, ObjectIdGetDatum(reference->landlord)))) > 0)
		name = MemoryContextStrdup(caller, pd_spi_text(0, "trigger_name"));
	pd_spi_end(&spi);
	return name;
}

/*
 * choose_name
 *		A name for the trigger, as the server chooses one for a foreign key.
 */
static char *
choose_name(Oid relid, const char *column)
{
	for (int n = 0;; n++)
	{
		char	   *label = n == 0 ? "landlord" : psprintf("landlord%d", n);
		char	   *name = makeObjectName(get_rel_name(relid), column, label);

		if (!OidIsValid(get_trigger_oid(relid, name, true)))
			return name;
	}
}

/*
 * make_reference
 *		Make the trigger.  Returns its name.
 *
 * As the table's owner: on a partitioned table the server looks at the keys of
 * the partitions, in which there may be functions of his.
 */
static char *
make_reference(Oid relid, Oid owner, const char *column, const PdReference *reference)
{
	char	   *name = choose_name(relid, column);
	char	   *table = pd_reference_table_name(relid);
	PdSpi		spi;

	pd_spi_begin_as(&spi, owner);
	pd_spi_command("CREATE TRIGGER %s AFTER INSERT OR UPDATE ON %s FOR EACH ROW"
				   " WHEN (NEW.%s IS NOT NULL AND %s::pg_catalog.regclass IS NOT NULL)"
				   " EXECUTE FUNCTION publicdigit.check_landlord_reference()",
				   quote_identifier(name), table, quote_identifier(column),
				   quote_literal_cstr(pd_reference_table_name(reference->landlord)));
	/* So that the keys of rows are noted that come by replication. */
	pd_spi_command("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", table, quote_identifier(name));
	pd_spi_end(&spi);
	return name;
}

/*
 * reference_landlord(table_name, column_name, landlord_table)
 *		Let a column of a tenant's table refer to a landlord's table.
 *		Errors: 22004, 0A000, 23503, 40001, 42501, 42703, 42804, 42809, 42P01,
 *		55000.
 */
Datum
pd_reference_landlord(PG_FUNCTION_ARGS)
{
	Oid			owner;
	Oid			relid;
	char	   *column;
	PdReference reference;
	Relation	landlord;
	AttrNumber	key;
	char	   *name;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", PG_ARGISNULL(1) ? "column_name" : "landlord_table")));
	relid = pd_lock_own_table(fcinfo, ShareRowExclusiveLock, &owner);
	ensure_tenants_table(relid);
	column = pstrdup(NameStr(*PG_GETARG_NAME(1)));
	reference.column = get_attnum(relid, column);
	if (reference.column <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						column, get_rel_name(relid))));

	reference.landlord = PG_GETARG_OID(2);
	landlord = table_open(reference.landlord, RowShareLock);
	ensure_landlords_table(reference.landlord);
	key = pd_reference_key_column(landlord);
	ensure_comparable(relid, &reference, key);

	name = find_reference(relid, &reference);
	if (name == NULL)
		name = make_reference(relid, owner, column, &reference);
	else
		ereport(NOTICE,
				(errmsg("column \"%s\" of table \"%s\" refers to table \"%s\" already",
						column, get_rel_name(relid), RelationGetRelationName(landlord))));
	check_rows(relid, name, &reference);
	table_close(landlord, NoLock);
	PG_RETURN_VOID();
}

/*
 * settle
 *		Let a reference go with its column, as a foreign key does: DROP COLUMN
 *		would otherwise be refused because of the trigger.
 */
static void
settle(Oid trigger, Oid relid, AttrNumber column)
{
	ObjectAddress depender;
	ObjectAddress referenced;

	ObjectAddressSet(depender, TriggerRelationId, trigger);
	ObjectAddressSubSet(referenced, RelationRelationId, relid, column);
	if (deleteDependencyRecordsForSpecific(TriggerRelationId, trigger, DEPENDENCY_NORMAL,
										   RelationRelationId, relid) > 0)
		recordDependencyOn(&depender, &referenced, DEPENDENCY_AUTO);
}

/*
 * settle_landlord_references()
 *		Event trigger, at the end of CREATE TRIGGER, that of a restore too.
 */
Datum
pd_settle_landlord_references(PG_FUNCTION_ARGS)
{
	uint64		n;
	PdSpi		spi;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) ||
		strcmp(((EventTriggerData *) fcinfo->context)->event, "ddl_command_end") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"settle_landlord_references\" was not called by an event trigger")));

	pd_spi_begin(&spi);
	n = pd_spi_query("SELECT t.oid, t.tgrelid, a.attnum"
					 " FROM pg_event_trigger_ddl_commands() AS d"
					 " JOIN pg_trigger AS t ON t.oid = d.objid"
					 " JOIN publicdigit.landlord_references AS r"
					 "  ON r.table_name = t.tgrelid AND r.trigger_name = t.tgname"
					 " JOIN pg_attribute AS a ON a.attrelid = r.table_name"
					 "  AND a.attname = r.column_name"
					 " WHERE d.classid = 'pg_trigger'::regclass"
					 " AND t.tgfoid = 'publicdigit.check_landlord_reference()'::regprocedure",
					 NULL, 0);
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;

		settle(DatumGetObjectId(pd_spi_datum(row, "oid", &isnull)),
			   DatumGetObjectId(pd_spi_datum(row, "tgrelid", &isnull)),
			   DatumGetInt16(pd_spi_datum(row, "attnum", &isnull)));
	}
	pd_spi_end(&spi);
	PG_RETURN_NULL();
}

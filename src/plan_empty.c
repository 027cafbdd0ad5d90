/*-------------------------------------------------------------------------
 *
 * plan_empty.c
 *	  Whether a module's tables have rows that keep it from being uninstalled.
 *
 * It is asked twice.  Planning only looks, so that plan_module holds up nobody.
 * Before the first script runs the tables are locked and looked at again: what
 * another session has inserted meanwhile, or is about to commit, would be lost.
 *
 * Tables are scanned by the storage's own functions and not by a query.  To plan
 * one would run functions of the module's, as those of an index's predicate, and
 * this is not yet the module's role; and row-level security would hide rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/tuptable.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "plan.h"
#include "spi.h"

/*
 * has_rows_itself
 *		Does a table, without its partitions and children, have a row that is
 *		committed by now or this transaction's own?  False for one that is gone,
 *		or no table.
 */
static bool
has_rows_itself(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = try_relation_open(relid, lockmode);
	bool		found = false;

	if (rel == NULL)
		return false;
	if (rel->rd_rel->relkind == RELKIND_RELATION)
	{
		Snapshot	snapshot = RegisterSnapshot(pd_latest_snapshot());
		TupleTableSlot *slot = table_slot_create(rel, NULL);
		TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);

		found = table_scan_getnextslot(scan, ForwardScanDirection, slot);
		table_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
		UnregisterSnapshot(snapshot);
	}
	relation_close(rel, NoLock);
	return found;
}

/*
 * has_rows
 *		The same for a table with its partitions and children.
 */
static bool
has_rows(Oid relid, LOCKMODE lockmode)
{
	ListCell   *cell;

	/* The parent is locked first, as everybody does. */
	if (has_rows_itself(relid, lockmode))
		return true;
	foreach(cell, find_all_inheritors(relid, lockmode, NULL))
	{
		if (lfirst_oid(cell) != relid && has_rows_itself(lfirst_oid(cell), lockmode))
			return true;
	}
	return false;
}

/*
 * tables_of
 *		OIDs of the tables that an installation has made, whether its manifest
 *		names them or not, by name.
 */
static List *
tables_of(const PdChange *change)
{
	List	   *relids = NIL;
	uint64		n;

	n = pd_spi_query("SELECT c.oid FROM publicdigit.module_object AS o"
					 " JOIN pg_class AS c ON c.oid = to_regclass(quote_ident($2) || '.' || o.identity)"
					 " WHERE o.installation_id = $1 AND o.type = 'table' AND c.relkind IN ('r', 'p')"
					 " ORDER BY c.relname COLLATE \"C\"",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(change->installed->id)),
							 pd_text(pd_target_schema(change->ledger->target))));
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;

		relids = lappend_oid(relids, DatumGetObjectId(pd_spi_datum(row, "oid", &isnull)));
	}
	return relids;
}

/*
 * pd_plan_ensure_may_go
 *		An error (55000) where a module is to be uninstalled whose manifest says
 *		"refuse_if_data", and one of its tables has rows.  With "lock" nobody
 *		else reads or writes them until the transaction ends.
 */
void
pd_plan_ensure_may_go(const PdChange *change, bool lock)
{
	ListCell   *cell;

	if (change->verb != PD_VERB_UNINSTALL ||
		change->from->source->manifest->on_uninstall != PD_UNINSTALL_REFUSE_IF_DATA)
		return;
	foreach(cell, tables_of(change))
	{
		Oid			relid = lfirst_oid(cell);

		if (has_rows(relid, lock ? AccessExclusiveLock : AccessShareLock))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s\" of module \"%s\" has rows", get_rel_name(relid),
							change->ledger->module),
					 errdetail("The module's manifest says \"on_uninstall\": \"refuse_if_data\"."),
					 errhint("Move or delete the rows first.")));
	}
}

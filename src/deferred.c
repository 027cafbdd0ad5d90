/*-------------------------------------------------------------------------
 *
 * deferred.c
 *	  Deferred triggers, which run as the tenant whose rows set them off.
 *
 * A constraint trigger that is deferred runs at COMMIT or at SET CONSTRAINTS,
 * with a row of the tenant that was bound at the write.  So nothing else may
 * be bound while one is pending.  The server scans all pending events to tell
 * whether a table has any; it is asked for those tables alone that have
 * deferrable triggers and that a tenant has written to in this transaction.
 *
 * The triggers of foreign and unique keys see what they look for, whatever is
 * bound, and a table that has no others is never asked about.  Of a table that
 * has, the server does not tell whose events are pending.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "nodes/execnodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "deferred.h"

/*
 * A table that has been written to, and as whom.  Once it has been found that
 * nothing is pending, what is pending later is another tenant's; but for a
 * rollback, which can make triggers pending again that had been fired.
 */
typedef struct Written
{
	Oid			relid;
	pg_uuid_t	tenant;
	SubTransactionId noted;		/* in which it was written to first */
	SubTransactionId settled;	/* in which it was found so, if it was */
} Written;

static List *written = NIL;		/* in TopTransactionContext */

/*
 * end_transaction
 *		Transaction callback: nothing is pending any more.
 */
static void
end_transaction(XactEvent event, void *arg)
{
	/* Deferred triggers run before the first two. */
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE ||
		event == XACT_EVENT_ABORT)
		written = NIL;
}

/*
 * end_subtransaction
 *		Subtransaction callback: what was written and settled in it is so for
 *		its parent, or no more.
 */
static void
end_subtransaction(SubXactEvent event, SubTransactionId id,
				   SubTransactionId parent, void *arg)
{
	ListCell   *cell;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach(cell, written)
	{
		Written    *table = lfirst(cell);

		if (table->settled == id)
			table->settled = event == SUBXACT_EVENT_COMMIT_SUB ?
				parent : InvalidSubTransactionId;
		if (table->noted == id && event == SUBXACT_EVENT_COMMIT_SUB)
			table->noted = parent;
		else if (table->noted == id)
			written = foreach_delete_current(written, cell);
	}
}

/*
 * pd_deferred_init
 *		Called once, by _PG_init.
 */
void
pd_deferred_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

/*
 * has_deferrable_trigger
 *		Does a table have a deferrable trigger that is no key's own?
 */
static bool
has_deferrable_trigger(const TriggerDesc *triggers)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (triggers->triggers[i].tgdeferrable && !triggers->triggers[i].tgisinternal)
			return true;
	}
	return false;
}

/*
 * note_table
 *		Note that a tenant has written to a table.
 */
static void
note_table(Oid relid, const pg_uuid_t *tenant)
{
	MemoryContext old;
	Written    *table;
	ListCell   *cell;

	foreach(cell, written)
	{
		table = lfirst(cell);
		if (table->relid == relid &&
			memcmp(&table->tenant, tenant, UUID_LEN) == 0)
		{
			table->settled = InvalidSubTransactionId;
			return;
		}
	}
	old = MemoryContextSwitchTo(TopTransactionContext);
	table = palloc(sizeof(Written));
	table->relid = relid;
	table->tenant = *tenant;
	table->noted = GetCurrentSubTransactionId();
	table->settled = InvalidSubTransactionId;
	written = lappend(written, table);
	MemoryContextSwitchTo(old);
}

/*
 * note_tables
 *		Note those of a list of ResultRelInfo that have deferrable triggers.
 */
static void
note_tables(List *tables, const pg_uuid_t *tenant)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		ResultRelInfo *info = lfirst(cell);

		if (has_deferrable_trigger(info->ri_TrigDesc))
			note_table(RelationGetRelid(info->ri_RelationDesc), tenant);
	}
}

/*
 * pd_deferred_note
 *		A query has written: note the tables that may have triggers pending.
 *
 * A module's script fires its own before it ends.
 */
void
pd_deferred_note(const QueryDesc *queryDesc)
{
	const PdBinding *binding = pd_binding();

	if (binding->kind != PD_BOUND_TENANT || binding->scope == PD_SCOPE_SCRIPT)
		return;
	note_tables(queryDesc->estate->es_opened_result_relations, &binding->tenant);
	note_tables(queryDesc->estate->es_tuple_routing_result_relations, &binding->tenant);
}

/*
 * pd_deferred_note_copy
 *		The same for a COPY ... FROM that is about to begin, which is no query:
 *		the table that it names, and its partitions.
 */
void
pd_deferred_note_copy(const CopyStmt *copy)
{
	const PdBinding *binding = pd_binding();
	Oid			relid;
	ListCell   *cell;

	if (!copy->is_from || copy->relation == NULL ||
		binding->kind != PD_BOUND_TENANT || binding->scope == PD_SCOPE_SCRIPT)
		return;
	relid = RangeVarGetRelid(copy->relation, AccessShareLock, true);
	if (!OidIsValid(relid))
		return;
	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation	rel = table_open(lfirst_oid(cell), NoLock);	/* it is locked */

		if (has_deferrable_trigger(rel->trigdesc))
			note_table(RelationGetRelid(rel), &binding->tenant);
		table_close(rel, NoLock);
	}
}

/*
 * pd_deferred_allows
 *		Are no deferred triggers pending but those that this tenant has set off?
 *		Else *relid, where it is wanted, is set to the table.
 */
bool
pd_deferred_allows(PdBindingKind kind, const pg_uuid_t *tenant, Oid *relid)
{
	ListCell   *cell;

	foreach(cell, written)
	{
		Written    *table = lfirst(cell);

		if (table->settled != InvalidSubTransactionId ||
			pd_is_tenant(kind, tenant, &table->tenant) ||
			!AfterTriggerPendingOnRel(table->relid))
			continue;
		if (relid != NULL)
			*relid = table->relid;
		return false;
	}
	return true;
}

/*
 * pd_deferred_ensure_may_bind
 *		An error (55000) while deferred triggers are pending that another
 *		tenant has set off.
 */
void
pd_deferred_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant)
{
	Oid			relid;
	ListCell   *cell;

	if (pd_deferred_allows(kind, tenant, &relid))
	{
		foreach(cell, written)
		{
			Written    *table = lfirst(cell);

			if (table->settled == InvalidSubTransactionId &&
				!pd_is_tenant(kind, tenant, &table->tenant))
				table->settled = GetCurrentSubTransactionId();
		}
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("deferred triggers of table \"%s\" are pending", get_rel_name(relid)),
			 errdetail("They belong to the tenant that was bound when they were set off, and run as it."),
			 errhint("Run SET CONSTRAINTS ALL IMMEDIATE while that tenant is bound.")));
}
